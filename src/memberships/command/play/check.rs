//! Asks Google what has become of purchases, and acknowledges them.

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt};

use super::enroll::{Found, count, enroll, hold, settle};
use crate::accounts::UserId;
use crate::entitlements::EndReason;
use crate::graphql::Error;
use crate::memberships::command::access::end;
use crate::memberships::command::gateway::wait_after;
use crate::memberships::model::{DAILY, MembershipStatus, PlayOutcome, PlayState, Standing};
use crate::memberships::query::play as query;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::google_play::{GooglePlay, Subscription};

/// The number of calls at a time.
const IN_FLIGHT: usize = 4;

/// Asks Google about the purchase of a notification, and does what follows. One that no app has confirmed is the
/// membership of the user whom the app has named to Google, or whose purchase it replaces: so one that was made in the
/// Play Store is acknowledged, too.
///
/// # Errors
/// The database failed.
pub async fn play_told(app: &App, token: &str) -> Result<PlayOutcome, InternalError> {
    let Some(play) = app.payments.google_play() else {
        return Ok(PlayOutcome::Waits("Google Play is not set up."));
    };
    let asked_at = app.clock.now();
    let read = match play.read_subscription(token).await {
        Ok(read) => read,
        Err(error) => {
            tracing::warn!(%error, "Google Play could not be asked about a notification");
            return Ok(PlayOutcome::Waits("Google Play could not be asked about the purchase."));
        }
    };
    if query::by_token(&mut *app.db.read().await?, token).await?.is_some() {
        // If it is to be acknowledged, it is due now.
        follow(app, token, read.as_ref(), asked_at).await?;
        return Ok(PlayOutcome::Followed);
    }
    let Some(read) = read else {
        return Ok(PlayOutcome::Waits("Google Play knows no such subscription, or not yet."));
    };
    match Standing::of(&read, asked_at).map(|standing| standing.status) {
        None => return Ok(PlayOutcome::Waits("The purchase is not paid yet, or in a state that is not known.")),
        Some(MembershipStatus::Expired) => return Ok(PlayOutcome::Followed),
        Some(_) => {}
    }
    let Some(user) = owner_of(app, &read).await? else {
        return Ok(PlayOutcome::Waits("The purchase is of no known user: its app has to confirm it."));
    };
    let found = Found { user, token, read: &read, asked_at, plan: None };
    match app.db.transaction(async |tx| enroll(tx, app, &found).await).await {
        Ok(_) => Ok(PlayOutcome::Followed),
        Err(Error::Internal(error)) => Err(error),
        Err(Error::Unauthenticated(_)) => {
            Ok(PlayOutcome::Refused("The purchase is of a user who does not exist, or no longer.".into()))
        }
        Err(error) => {
            let why = error.into_message();
            tracing::warn!(why, user = %user.uuid(), "a purchase on Google Play is no membership");
            Ok(PlayOutcome::Refused(format!("The purchase is no membership. Its user would be told: {why}")))
        }
    }
}

async fn owner_of(app: &App, read: &Subscription) -> Result<Option<UserId>, InternalError> {
    if let Some(user) = read.app_account.as_deref().and_then(|account| account.parse::<UserId>().ok()) {
        return Ok(Some(user));
    }
    let Some(token) = read.linked_token.as_deref() else { return Ok(None) };
    let linked = query::by_token(&mut *app.db.read().await?, token).await?;
    Ok(linked.map(|purchase| purchase.user_id))
}

/// Asks about each purchase that is due, and acknowledges those that are not.
///
/// # Errors
/// The database failed.
pub(crate) async fn check_all(app: &App) -> Result<(), InternalError> {
    let Some(play) = app.payments.google_play() else { return Ok(()) };
    while !app.stopping.is_cancelled() {
        let due = query::due(&mut *app.db.read().await?, app.clock.now()).await?;
        if due.is_empty() {
            break;
        }
        let mut checked = stream::iter(due).map(|token| check_one(app, play, token)).buffer_unordered(IN_FLIGHT);
        while let Some(outcome) = checked.next().await {
            outcome?;
        }
    }
    Ok(())
}

/// Asks about a purchase. What fails is tried again: after a minute, two, four and so on, and at last every six hours.
async fn check_one(app: &App, play: &GooglePlay, token: String) -> Result<(), InternalError> {
    let Err(error) = check(app, play, &token).await else { return Ok(()) };
    tracing::warn!(error = error.report(), "a purchase on Google Play could not be checked or acknowledged");
    app.db
        .transaction(async |tx| {
            let Some(mut purchase) = query::lock(tx, &token).await? else { return Ok(()) };
            purchase.check_at = Some(app.clock.now() + wait_after(purchase.failures));
            purchase.failures = purchase.failures.saturating_add(1);
            query::update(tx, &purchase).await?;
            Ok(())
        })
        .await
}

async fn check(app: &App, play: &GooglePlay, token: &str) -> Result<(), InternalError> {
    let asked_at = app.clock.now();
    let read = play.read_subscription(token).await?;
    let lacks_acknowledgement = follow(app, token, read.as_ref(), asked_at).await?;
    let Some(read) = read.filter(|_| lacks_acknowledgement) else { return Ok(()) };
    play.acknowledge(&read.product, token).await?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            query::set_acknowledged(tx, token, now).await?;
            Ok(())
        })
        .await
}

/// Has the membership of a purchase that is known here follow Google's answer; returns whether the purchase is to be
/// acknowledged.
async fn follow(
    app: &App,
    token: &str,
    read: Option<&Subscription>,
    asked_at: DateTime<Utc>,
) -> Result<bool, InternalError> {
    let Some(read) = read else { return unknown(app, token, asked_at).await.map(|()| false) };
    let settled = app.db.transaction(async |tx| settle(tx, app, token, read, asked_at).await).await?;
    Ok(settled.is_some_and(|(_, lacks_acknowledgement)| lacks_acknowledgement))
}

/// Ends the membership of a purchase that Google does not know, if its time is over. Before that, it may be a mistake
/// of Google's or in the settings, and it is asked about again.
async fn unknown(app: &App, token: &str, asked_at: DateTime<Utc>) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some((mut held, mut purchase)) = hold(tx, token).await? else { return Ok(()) };
            let now = app.clock.now();
            if purchase.state == PlayState::Replaced || purchase.checked_at > asked_at {
                return Ok(());
            }
            purchase.checked_at = asked_at;
            if purchase.expires_at.is_some_and(|end| end > now) {
                tracing::warn!(membership = %held.row.id.uuid(), "Google Play does not know a purchase anymore");
                purchase.check_at = Some(now + DAILY);
                query::update(tx, &purchase).await?;
                return Ok(());
            }
            purchase.state = PlayState::Expired;
            purchase.check_at = None;
            query::update(tx, &purchase).await?;
            let students = end(tx, app, &mut held, EndReason::Expired).await?;
            count(tx, [students, None]).await
        })
        .await
}
