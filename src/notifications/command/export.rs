//! The viewer's data, and what is left of a deleted user.

use serde_json::{Value, json};

use crate::accounts::{UserId, viewer};
use crate::graphql::Result;
use crate::graphql::export::{FETCH, items};
use crate::notifications::model::{Audience, NotificationId, PushSubscription, time_of_day};
use crate::notifications::query::{announcement, create, delivery, mark, push_subscription, setting};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Returns what the viewer has read and how they want to be told, for the export of their data.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let (user, mut conn) = (viewer(actor)?, app.db.read().await?);
    let receipts = mark::latest_of(&mut conn, user, FETCH).await?;
    let read_through = mark::mark_of(&mut conn, user).await?;
    let settings = setting::of_users(&mut conn, &[user]).await?.remove(&user);
    let devices = push_subscription::of_users(&mut conn, &[user]).await?.remove(&user).unwrap_or_default();
    let announced = announcement::latest_of(&mut conn, user, FETCH).await?;
    drop(conn);
    let device = |row: PushSubscription| {
        let PushSubscription { service, created_at, last_used_at, .. } = row;
        json!({ "service": service.as_str(), "createdAt": created_at, "lastUsedAt": last_used_at })
    };
    let receipt = |(id, read_at, archived_at): mark::Receipt| {
        let id = NotificationId::new(id).encode();
        json!({ "notification": id, "readAt": read_at, "archivedAt": archived_at })
    };
    let settings = settings.unwrap_or_default();
    let announced = announced.into_iter().map(
        |row| json!({ "id": row.id.encode(), "title": row.title, "body": row.body, "publishedAt": row.published_at }),
    );
    Ok(json!({
        "announcements": items(announced),
        "receipts": items(receipts.into_iter().map(receipt)),
        "mark": { "readThrough": read_through },
        "settings": {
            "preferences": settings.chosen,
            "quietFrom": settings.quiet.map(|(from, _)| time_of_day(from)),
            "quietTo": settings.quiet.map(|(_, to)| time_of_day(to)),
            "digest": settings.digest.as_str(),
            "emailsEnded": settings.emails_ended,
        },
        "pushSubscriptions": items(devices.into_iter().map(device)),
        "mutes": items(settings.muted.into_iter().map(|key| json!({ "subject": key }))),
    }))
}

/// Removes what only a deleted user was told, what they have read, and how they wanted to be told.
///
/// # Errors
/// The database failed.
pub(crate) async fn forget_user(app: &App, user: UserId) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            delivery::forget_user(tx, user).await?;
            push_subscription::forget_user(tx, user).await?;
            mark::forget_user(tx, user).await?;
            setting::forget_user(tx, user).await?;
            create::delete_of(tx, &Audience::User(user).to_string()).await?;
            Ok(())
        })
        .await
}
