//! Commands that mark notifications as read, unread or archived.

use std::sync::Arc;

use futures_util::future::try_join_all;
use serde_json::json;
use uuid::Uuid;

use super::audiences_of;
use super::compact::{COMPACT, MOST_RECEIPTS};
use crate::accounts::viewer;
use crate::graphql::error::{UserError, UserErrorCode};
use crate::graphql::loaders::Loaders;
use crate::graphql::page::{decode_cursor, instant};
use crate::graphql::{Error, Result};
use crate::notifications::error;
use crate::notifications::event::NotificationsMarked;
use crate::notifications::loader::NotificationFor;
use crate::notifications::model::{
    Audience, Audiences, LIST, MarkNotificationsInput, Notification, NotificationId, NotificationState,
};
use crate::notifications::query::mark as query;
use crate::platform::auth::Actor;
use crate::platform::{jobs, outbox};

/// The number of ids in one input.
const MOST_IDS: usize = 100;

/// Marks notifications by their ids, or all up to a cursor. Returns those with the given ids as they are now.
///
/// # Errors
/// The input is invalid; there is no such notification for the actor.
pub async fn mark_notifications(
    loaders: &Loaders,
    actor: &Actor,
    input: MarkNotificationsInput,
) -> Result<(Arc<Audiences>, Vec<Arc<Notification>>)> {
    let (app, user) = (loaders.app(), viewer(actor)?);
    let now = app.clock.now();
    let audiences = audiences_of(loaders, user).await?;
    let marked = NotificationsMarked::of(Audience::User(user));
    let ids = match (input.ids, input.up_to) {
        (Some(ids), None) => ids,
        (None, Some(_)) if input.state == NotificationState::Unread => return Err(error::unread_by_id()),
        (None, Some(cursor)) => {
            let key = decode_cursor::<(i64, Uuid)>(LIST, "upTo", &cursor).ok();
            let through = key.and_then(|(micros, _)| instant(LIST, micros).ok()).ok_or_else(error::bad_cursor)?;
            let archives = input.state == NotificationState::Archived;
            app.db
                .transaction(async |tx| {
                    query::mark(tx, user, through, archives, now).await?;
                    outbox::record(tx, &app.clock, &marked).await?;
                    Ok::<_, Error>(())
                })
                .await?;
            return Ok((audiences, Vec::new()));
        }
        (Some(_), Some(_)) | (None, None) => return Err(error::ids_or_cursor()),
    };
    if ids.len() > MOST_IDS {
        return Err(error::too_many_ids(ids.len(), MOST_IDS));
    }
    let seen = find(loaders, &audiences, &ids).await?;
    let mut receipts: Vec<_> = seen.iter().map(|row| (row.id, row.at)).collect();
    receipts.sort_unstable_by_key(|(id, _)| id.uuid());
    receipts.dedup();
    app.db
        .transaction(async |tx| {
            let written = query::add_receipts(tx, user, i32::try_from(receipts.len())?, now).await?;
            query::receipts(tx, user, &receipts, input.state, now).await?;
            if written >= MOST_RECEIPTS {
                let key = format!("{COMPACT}/{}", user.uuid());
                jobs::enqueue(tx, &app.clock, COMPACT, &json!({ "user": user }), &key).await?;
            }
            outbox::record(tx, &app.clock, &marked).await?;
            Ok::<_, Error>(())
        })
        .await?;
    let rows = find(loaders, &audiences, &ids).await?;
    Ok((audiences, rows))
}

/// Returns notifications in the order of their ids.
///
/// # Errors
/// Some are not there for the user: a user error for each.
async fn find(loaders: &Loaders, audiences: &Arc<Audiences>, ids: &[NotificationId]) -> Result<Vec<Arc<Notification>>> {
    let rows = ids.iter().map(|id| loaders.load(NotificationFor { audiences: audiences.clone(), id: *id }));
    let rows = try_join_all(rows).await?;
    let missing = rows.iter().enumerate().filter(|(_, row)| row.is_none());
    let missing = missing.map(|(place, _)| {
        UserError::new(UserErrorCode::NotFound, &["ids", &place.to_string()], "There is no such notification.")
    });
    let missing: Vec<UserError> = missing.collect();
    if missing.is_empty() { Ok(rows.into_iter().flatten().collect()) } else { Err(Error::Invalid(missing)) }
}
