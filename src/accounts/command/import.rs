//! Commands that import users. For the command line, where there is no actor.

use std::collections::HashMap;

use bytes::Bytes;

use super::avatar;
use crate::accounts::model::{ImportedUser, ProfileChanges, User, UserId, avatar_key_of, renditions};
use crate::accounts::query::{profile, user as query};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::image::ImageType;
use crate::platform::internal_error::InternalError;
use crate::platform::picture;
use crate::platform::storage::Headers;

/// Imports users with their password hashes; returns them in the same order.
///
/// Users whose email addresses are already registered stay as they are. No welcome emails are sent.
///
/// # Errors
/// The database failed.
pub async fn import(app: &App, users: &[ImportedUser]) -> Result<Vec<User>> {
    app.db
        .transaction(async |tx| {
            query::insert_new(tx, &app.clock, users).await?;
            let emails: Vec<&str> = users.iter().map(|user| user.email.as_str()).collect();
            let mut found = query::by_emails(tx.conn(), &emails).await?;
            let places: HashMap<&str, usize> = emails.into_iter().zip(0..).collect();
            found.sort_by_key(|user| places.get(user.email.as_str()).copied());
            Ok(found)
        })
        .await
}

/// Gives an imported user a picture and a bio, unless they have a picture. The picture can be shown at once.
///
/// # Errors
/// The file is not a picture; the store or the database failed.
pub async fn import_profile(
    app: &App,
    user: &User,
    bio: &str,
    picture: Bytes,
) -> std::result::Result<(), InternalError> {
    if user.avatar_key.is_some() {
        return Ok(());
    }
    let kind = ImageType::of(&picture).ok_or_else(|| InternalError::new("an imported picture is none"))?;
    // The same key if this is repeated after a crash, so that no object is left over.
    let key = avatar_key_of(user.id.uuid());
    let rendered = picture::render(picture.clone()).await?.map_err(InternalError::new)?;
    app.storage.put_as(&key, &Headers::of(kind.as_str()).kept_forever(), picture).await?;
    let shown = rendered.store(&app.storage, &renditions(&key)).await?;
    let changes = ProfileChanges { name: None, bio: Some(bio.to_owned()), locale: None, time_zone: None };
    let id: UserId = user.id;
    app.db
        .transaction(async |tx| {
            let Some(user) = query::lock(tx, id).await?.filter(|user| user.avatar_key.is_none()) else {
                return Ok(());
            };
            avatar::set_avatar(tx, app, &user, Some((&key, &shown))).await?;
            profile::update(tx, id, &changes, app.clock.now()).await?;
            Ok(())
        })
        .await
}
