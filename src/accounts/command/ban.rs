//! Commands that ban and unban users.

use chrono::SubsecRound;
use serde_json::json;

use super::user::lock_administration;
use crate::accounts::event::UserBanned;
use crate::accounts::model::{Ban, BanUserInput, SessionEnd, UnbanUserInput, User};
use crate::accounts::query::session::{self, Which};
use crate::accounts::query::user as query;
use crate::accounts::{error, policy};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::{Error, Result, Time};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::outbox;

const LONGEST_REASON: usize = 500;

/// Bans a user, who cannot sign in until the ban ends. All their sessions end on every node within a second.
///
/// Banning a banned user replaces the reason and the end; repeating the same ban changes nothing.
///
/// # Errors
/// The input is invalid; the actor is not an administrator, or bans themselves: so one administrator always remains.
pub async fn ban(app: &App, actor: &Actor, client: &Client, input: BanUserInput) -> Result<User> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators ban.".into()));
    }
    let (reason, now) = (check(app, actor, &input)?, app.clock.now());
    // Truncate to the precision of the database, so that the same input again is the same ban.
    let until = input.ends_at.map(|Time(until)| until.trunc_subsecs(6));
    let (banned, ended) = app
        .db
        .transaction(async |tx| {
            lock_administration(tx, app, actor).await?;
            let user = query::lock(tx, input.user_id).await?.ok_or_else(error::no_such_user)?;
            let old = Ban::of(&user, now);
            let ban = Ban {
                reason: reason.clone(),
                started_at: old.as_ref().map_or(now, |old| old.started_at),
                ends_at: until,
            };
            if old.as_ref() == Some(&ban) {
                return Ok((user, Vec::new()));
            }
            let banned = query::set_ban(tx, user.id, Some(&ban), now).await?;
            let ended = session::end(tx, user.id, Which::All, SessionEnd::Banned, now).await?;
            let (subject, details) = (Some(user.id.uuid()), json!({ "reason": ban.reason, "endsAt": ban.ends_at }));
            let entry = Entry { action: Action::UserBanned, actor: actor.id(), subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            let event = UserBanned { user_id: user.id, reason: ban.reason, until: ban.ends_at };
            outbox::record(tx, &app.clock, &event).await?;
            Ok::<_, Error>((banned, ended))
        })
        .await?;
    app.revocations.learn(ended, [(banned.id.uuid(), banned.token_version)]);
    Ok(banned)
}

/// Lifts the ban of a user before its end; does nothing if the user is not banned.
///
/// # Errors
/// The actor is not an administrator; there is no such user.
pub async fn unban(app: &App, actor: &Actor, client: &Client, input: UnbanUserInput) -> Result<User> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators lift bans.".into()));
    }
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            lock_administration(tx, app, actor).await?;
            let user = query::lock(tx, input.user_id).await?.ok_or_else(error::no_such_user)?;
            let Some(ban) = Ban::of(&user, now) else { return Ok(user) };
            let (subject, details) = (Some(user.id.uuid()), json!({ "reason": ban.reason, "endsAt": ban.ends_at }));
            let entry = Entry { action: Action::UserUnbanned, actor: actor.id(), subject, client, details };
            audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
            Ok(query::set_ban(tx, user.id, None, now).await?)
        })
        .await
}

/// Validates the input and returns the reason as it is stored.
fn check(app: &App, actor: &Actor, input: &BanUserInput) -> Result<String> {
    let mut check = Check::new();
    if actor.is(input.user_id) {
        check.error(UserErrorCode::NotAllowed, "userId", "Nobody bans themselves; ask another administrator.");
    }
    let reason = check.required_text("reason", &input.reason, LONGEST_REASON);
    if input.ends_at.is_some_and(|Time(until)| until.trunc_subsecs(6) <= app.clock.now()) {
        check.error(UserErrorCode::OutOfRange, "endsAt", "A ban ends in the future; without an end it is for good.");
    }
    check.finish()?;
    Ok(reason)
}
