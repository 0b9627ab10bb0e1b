//! SQL for how users want to be told.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use serde_json::Value;

use super::delivery;
use crate::accounts::UserId;
use crate::notifications::model::{Digest, NotificationKind, Preference, Settings};
use crate::platform::db::schema::{notification_mutes, notification_settings};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

type Row = (UserId, Value, Option<i16>, Option<i16>, Digest);

/// Returns the settings of each of the users; those who have chosen nothing are missing.
pub(crate) async fn of_users(conn: &mut AsyncPgConnection, users: &[UserId]) -> QueryResult<HashMap<UserId, Settings>> {
    let rows: Vec<Row> = notification_settings::table
        .filter(notification_settings::user_id.eq_any(users))
        .select((
            notification_settings::user_id,
            notification_settings::preferences,
            notification_settings::quiet_from,
            notification_settings::quiet_to,
            notification_settings::digest,
        ))
        .load(conn)
        .await?;
    let mut found: HashMap<UserId, Settings> = HashMap::new();
    for (user, preferences, from, to, digest) in rows {
        let settings = found.entry(user).or_default();
        settings.chosen = chosen(preferences);
        settings.quiet = from.zip(to);
        settings.digest = digest;
    }
    for user in delivery::unsubscribed(conn, users).await? {
        found.entry(user).or_default().emails_ended = true;
    }
    let mutes: Vec<(UserId, String)> = notification_mutes::table
        .filter(notification_mutes::user_id.eq_any(users))
        .select((notification_mutes::user_id, notification_mutes::subject))
        .load(conn)
        .await?;
    for (user, subject) in mutes {
        found.entry(user).or_default().muted.insert(subject);
    }
    Ok(found)
}

/// Reads stored preferences; those for kinds that only a newer version of the program knows are left out.
fn chosen(stored: Value) -> BTreeMap<NotificationKind, Preference> {
    let Value::Object(stored) = stored else { return BTreeMap::new() };
    let read =
        |(kind, preference): (String, Value)| Some((kind.parse().ok()?, serde_json::from_value(preference).ok()?));
    stored.into_iter().filter_map(read).collect()
}

/// Changes of settings; `None` stays unchanged.
#[derive(AsChangeset, Clone, Copy, Debug, Default)]
#[diesel(table_name = notification_settings)]
pub(crate) struct SettingChanges {
    /// `Some(None)`: there are no quiet hours.
    pub quiet_from: Option<Option<i16>>,
    pub quiet_to: Option<Option<i16>>,
    pub digest: Option<Digest>,
}

/// Changes the settings of a user; the preferences of other kinds stay.
pub(crate) async fn change(
    tx: &mut Tx,
    user: UserId,
    preferences: &BTreeMap<&str, Preference>,
    changes: SettingChanges,
) -> QueryResult<()> {
    diesel::insert_into(notification_settings::table)
        .values((
            notification_settings::user_id.eq(user),
            notification_settings::preferences.eq(Value::Object(Default::default())),
            notification_settings::digest.eq(Digest::default()),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await?;
    let added = serde_json::to_value(preferences).unwrap_or_default();
    sql_query("UPDATE notification_settings SET preferences = preferences || $2 WHERE user_id = $1")
        .bind::<diesel::sql_types::Uuid, _>(user)
        .bind::<diesel::sql_types::Jsonb, _>(added)
        .execute(tx.conn())
        .await?;
    let SettingChanges { quiet_from, quiet_to, digest } = changes;
    if quiet_from.is_some() || quiet_to.is_some() || digest.is_some() {
        diesel::update(notification_settings::table.find(user)).set(changes).execute(tx.conn()).await?;
    }
    Ok(())
}

/// Mutes a course, channel or question for a user; nothing if they have muted `most` others.
pub(crate) async fn mute(tx: &mut Tx, user: UserId, subject: &str, most: i64, now: DateTime<Utc>) -> QueryResult<bool> {
    let others = notification_mutes::table
        .filter(notification_mutes::user_id.eq(user).and(notification_mutes::subject.ne(subject)));
    if others.count().get_result::<i64>(tx.conn()).await? >= most {
        return Ok(false);
    }
    diesel::insert_into(notification_mutes::table)
        .values((
            notification_mutes::user_id.eq(user),
            notification_mutes::subject.eq(subject),
            notification_mutes::muted_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await?;
    Ok(true)
}

pub(crate) async fn unmute(tx: &mut Tx, user: UserId, subject: &str) -> QueryResult<usize> {
    diesel::delete(notification_mutes::table.find((user, subject))).execute(tx.conn()).await
}

/// Forgets how a user wanted to be told.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(notification_mutes::table.filter(notification_mutes::user_id.eq(user))).execute(tx.conn()).await?;
    diesel::delete(notification_settings::table.find(user)).execute(tx.conn()).await
}
