//! Commands for profiles.

use super::session::viewer;
use crate::accounts::event::UserChanged;
use crate::accounts::model::{LONGEST_BIO, ProfileChanges, UpdateProfileInput, User};
use crate::accounts::query::{profile as query, user};
use crate::accounts::{error, policy};
use crate::graphql::Result;
use crate::graphql::error::Check;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::{language, outbox};

/// Updates the viewer's profile.
///
/// # Errors
/// The input is invalid.
pub async fn update_profile(app: &App, actor: &Actor, input: UpdateProfileInput) -> Result<User> {
    let id = viewer(actor)?;
    let changes = check(input)?;
    app.db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            let changed = query::update(tx, user.id, &changes, app.clock.now()).await?;
            outbox::record(tx, &app.clock, &UserChanged { user_id: user.id }).await?;
            Ok(changed)
        })
        .await
}

/// Validates the input and returns it as it is stored.
fn check(input: UpdateProfileInput) -> Result<ProfileChanges> {
    let mut check = Check::new();
    let name = input.name.map(|name| check.required("name", &name, 100));
    let bio = input.bio.as_opt_ref().map(|bio| match bio {
        Some(bio) => check.text("bio", bio, LONGEST_BIO),
        None => String::new(),
    });
    let locale = input.locale.as_opt_deref().map(|tag| {
        let normal = tag.and_then(language::tag);
        if let (Some(tag), None) = (tag, &normal) {
            check.malformed("locale", tag, "is not a language tag; write it like de, pt-BR or zh-Hant");
        }
        normal
    });
    let time_zone: Option<Option<String>> = input.time_zone.into();
    if let Some(name) = time_zone.iter().flatten().find(|name| !policy::is_time_zone(name)) {
        check.malformed("timeZone", name, "is not a time zone; write its name like Europe/Zurich or America/New_York");
    }
    check.finish()?;
    Ok(ProfileChanges { name, bio, locale, time_zone })
}
