//! Commands that import users. For the command line, where there is no actor.

use std::collections::HashMap;

use crate::accounts::model::{ImportedUser, ProfileChanges, User, UserId};
use crate::accounts::query::{profile, user as query};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

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

/// Sets the bio of an imported user.
///
/// # Errors
/// The database failed.
pub async fn import_bio(app: &App, id: UserId, bio: &str) -> std::result::Result<(), InternalError> {
    let changes = ProfileChanges { name: None, bio: Some(bio.to_owned()), locale: None, time_zone: None };
    app.db.transaction(async |tx| Ok(profile::update(tx, id, &changes, app.clock.now()).await.map(drop)?)).await
}
