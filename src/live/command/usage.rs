//! The hours of users.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::accounts::UserId;
use crate::graphql::YearMonth;
use crate::graphql::loaders::Load;
use crate::live::loader::UsageOf;
use crate::live::model::{Allowance, Hours, MemberUsage, Pool, Usage};
use crate::live::query::{family, usage as query};
use crate::memberships::{self, FamilyStay, LiveAllowance, LiveAllowanceOf};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Returns what a user may attend per month whose membership allows `found`; `None` if they have no membership, and
/// nothing is free. A membership that is not for live classes gives what there is without one.
pub(super) fn allowance(app: &App, found: Option<&LiveAllowance>) -> Option<Allowance> {
    let free = app.config.live.free_minutes;
    match found {
        Some(found) if found.minutes_per_month > 0 => Some(Allowance {
            minutes: found.minutes_per_month.max(free),
            rollover: found.rollover_minutes,
            since: Some(found.since),
        }),
        _ => (free > 0 || found.is_some()).then_some(Allowance { minutes: free, rollover: 0, since: None }),
    }
}

/// When a month begins.
pub(super) fn start_of(app: &App, month: NaiveDate) -> DateTime<Utc> {
    YearMonth::of_day(month).start(app.config.time_zone)
}

/// The month before a month, both by their first day.
pub(super) fn previous(month: NaiveDate) -> NaiveDate {
    YearMonth::of_day(month).back(1).first_day()
}

/// The month after a month, both by their first day.
pub(super) fn next(month: NaiveDate) -> NaiveDate {
    YearMonth::of_day(month).next().first_day()
}

/// Whether a month is over.
pub(super) fn is_over(app: &App, month: NaiveDate) -> bool {
    start_of(app, next(month)) <= app.clock.now()
}

/// Returns a month of a user as it is now, given its row and that of the month before, as far as there are some: with
/// what the membership gives, and once it has begun, with what was rolled over. A month that is over stays as it was at
/// its end: what a membership that began or changed later gives, does not matter, as its row was written then.
pub(super) fn as_of_now(
    app: &App,
    (row, before): (Option<Usage>, Option<Usage>),
    (user, month): (UserId, NaiveDate),
    allowance: Option<Allowance>,
) -> Usage {
    let start = start_of(app, month);
    let since = allowance.and_then(|allowance| allowance.since);
    if is_over(app, month) && since.is_none_or(|since| since >= start_of(app, next(month))) {
        // Without a row, there was no membership.
        let free = allowance.filter(|allowance| allowance.since.is_none());
        return row.unwrap_or_else(|| Usage::empty(user, month).with_allowance(free, start));
    }
    let usage = row.unwrap_or_else(|| Usage::empty(user, month)).with_allowance(allowance, start);
    if start > app.clock.now() {
        return usage;
    }
    // Once more, as less of what is spent needs the month's own minutes then.
    usage.with_rollover(before, allowance, (start_of(app, previous(month)), start)).with_allowance(allowance, start)
}

/// The time at which memberships are looked at for a month as a whole: now, or when it begins. For a session, they are
/// looked at when it starts.
pub(super) fn asked_at(app: &App, month: NaiveDate, now: DateTime<Utc>) -> DateTime<Utc> {
    start_of(app, month).max(now)
}

/// Returns the hours of users in months, as they are now: with what the users' memberships give at the time of the key,
/// and the extra hours that are bought. Those of a family member are the family's. A month that is over as a whole has
/// those of the family in which the user was at its end; if in none, the hours of which they attended a session last.
///
/// # Errors
/// The database failed.
pub(crate) async fn usage_of(app: &App, keys: &[UsageOf]) -> Result<HashMap<UsageOf, Hours>, InternalError> {
    let now = app.clock.now();
    let current = YearMonth::of(now, app.config.time_zone).first_day();
    let stays = stays_of(app, keys, current).await?;
    let at = |key: &UsageOf| key.at.unwrap_or_else(|| asked_at(app, key.month, now));
    let asked: Vec<_> = keys.iter().map(|key| LiveAllowanceOf { user: key.user, at: at(key) }).collect();
    let owners = stays.iter().map(|stay| LiveAllowanceOf { user: stay.owner_id, at: now });
    let all: Vec<_> = asked.iter().copied().chain(owners).collect();
    let allowed = LiveAllowanceOf::load(app, &all).await?;
    let is_shared = |(key, asked): &(&UsageOf, &LiveAllowanceOf)| {
        key.month < current || allowed.get(*asked).is_some_and(|found| found.payer != key.user)
    };
    let shared: Vec<_> = keys.iter().zip(&asked).filter(is_shared).map(|(key, _)| (key.user, key.month)).collect();
    let shares = shares_of(app, shared).await?;
    let mut users: Vec<UserId> = keys.iter().map(|key| key.user).collect();
    users.extend(shares.iter().map(|share| share.payer_id));
    users.extend(stays.iter().map(|stay| stay.owner_id));
    users.extend(allowed.values().map(|found| found.payer));
    let mut months: Vec<NaiveDate> = keys.iter().flat_map(|key| [previous(key.month), key.month]).collect();
    // A session that has begun in the month before may be joined, if that has hours which this one has not spent.
    months.extend(keys.iter().map(|key| next(key.month)).filter(|month| *month == current));
    users.sort_unstable_by_key(|user| user.uuid());
    users.dedup();
    months.sort_unstable();
    months.dedup();
    let mut conn = app.db.read().await?;
    let rows = query::of(&mut conn, &users, &months).await?;
    let extra = memberships::extra_minutes(&mut conn, &users, &months).await?;
    drop(conn);
    let known: HashMap<_, _> = rows.into_iter().map(|row| ((row.user_id, row.month), row)).collect();
    let hours = |(key, asked): (&UsageOf, &LiveAllowanceOf)| {
        let found = allowed.get(asked);
        let end = start_of(app, next(key.month));
        let owner = stays.iter().find(|stay| is_over_as_a_whole(key, current) && was_in(stay, key.user, end));
        let member = match owner {
            Some(stay) => Some(share_of(&shares, key, stay.owner_id)),
            None => share_in(&shares, key, (current, known.get(&(key.user, key.month))), found),
        };
        let payer = member.as_ref().map_or(key.user, |member| member.payer_id);
        let row = |month: NaiveDate| known.get(&(payer, month)).cloned();
        // Not that of the family that the user has joined or left since.
        let paid = allowed.get(&LiveAllowanceOf { user: payer, at: asked.at }).or(found);
        let gives = allowance(app, paid.filter(|paid| paid.payer == payer));
        let usage = as_of_now(app, (row(key.month), row(previous(key.month))), (payer, key.month), gives);
        let extra = extra.get(&(payer, key.month)).copied().unwrap_or_default();
        let usage = usage.with_extra(extra);
        let later = row(next(key.month)).filter(|_| key.month < current);
        let lent = usage.lent(later.as_slice());
        (*key, Hours { pool: Pool { usage, member }, lent, allowance: allowance(app, found) })
    };
    Ok(keys.iter().zip(&asked).map(hours).collect())
}

/// Whether a key asks for a month that is over as a whole, and not for a session in it.
fn is_over_as_a_whole(key: &UsageOf, current: NaiveDate) -> bool {
    key.month < current && key.at.is_none()
}

/// Returns when users were in families, as far as that matters: of those who ask for months that are over.
async fn stays_of(app: &App, keys: &[UsageOf], current: NaiveDate) -> Result<Vec<FamilyStay>, InternalError> {
    let over = keys.iter().filter(|key| is_over_as_a_whole(key, current));
    let mut users: Vec<UserId> = over.map(|key| key.user).collect();
    users.sort_unstable_by_key(|user| user.uuid());
    users.dedup();
    if users.is_empty() {
        return Ok(Vec::new());
    }
    Ok(memberships::family_stays_of(&mut *app.db.read().await?, &users).await?)
}

/// Whether a user was in a family until a time, or is.
fn was_in(stay: &FamilyStay, user: UserId, at: DateTime<Utc>) -> bool {
    stay.user_id == user && stay.joined_at < at && stay.left_at.is_none_or(|left| left >= at)
}

/// Returns what users have used of the hours of families: each of them in months of theirs.
async fn shares_of(app: &App, shared: Vec<(UserId, NaiveDate)>) -> Result<Vec<MemberUsage>, InternalError> {
    let (users, months): (Vec<UserId>, Vec<NaiveDate>) = shared.into_iter().unzip();
    if users.is_empty() {
        return Ok(Vec::new());
    }
    Ok(family::of(&mut *app.db.read().await?, &users, &months).await?)
}

/// Returns what a user has of the hours of the family in a month; `None` if the hours are their own, of which `row` is
/// the row.
fn share_in(
    shares: &[MemberUsage],
    key: &UsageOf,
    (current, row): (NaiveDate, Option<&Usage>),
    found: Option<&LiveAllowance>,
) -> Option<MemberUsage> {
    if is_over_as_a_whole(key, current) {
        let own = shares.iter().filter(|share| share.user_id == key.user && share.month == key.month);
        let used = own.filter(|share| share.attended_minutes + share.held_minutes > 0);
        let latest = used.max_by_key(|share| (share.last_attended_at, share.attended_minutes, share.payer_id.uuid()));
        let own_since = row.and_then(|row| row.last_attended_at);
        return latest.filter(|share| share.last_attended_at >= own_since).cloned();
    }
    let found = found.filter(|found| found.payer != key.user)?;
    Some(share_of(shares, key, found.payer).with_limit(found.family_member_minutes))
}

/// Returns what a user has used of the hours of a family in a month.
fn share_of(shares: &[MemberUsage], key: &UsageOf, owner: UserId) -> MemberUsage {
    let is_of = |share: &&MemberUsage| (share.user_id, share.month, share.payer_id) == (key.user, key.month, owner);
    let share = shares.iter().find(is_of).cloned();
    share.unwrap_or_else(|| MemberUsage::empty(key.user, key.month, owner))
}

/// Returns the hours of a user in the latest `months` months with the current one, latest first.
///
/// # Errors
/// The database failed.
pub async fn history_of(app: &App, user: UserId, months: u32) -> Result<Vec<Pool>, InternalError> {
    let current = YearMonth::of(app.clock.now(), app.config.time_zone);
    let key = |month: NaiveDate| UsageOf { user, month, at: None };
    let keys: Vec<_> = (0..months).map(|ago| key(current.back(ago).first_day())).collect();
    let mut known = usage_of(app, &keys).await?;
    Ok(keys.iter().filter_map(|key| known.remove(key)).map(|hours| hours.pool).collect())
}
