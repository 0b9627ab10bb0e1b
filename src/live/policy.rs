//! Authorization rules of live sessions, and who can attend one.

use super::model::{Allowance, AttendanceStatus, EligibilityReason, LiveSession, LiveSessionStatus};
use crate::accounts::{UserId, can_see_private};
use crate::platform::auth::{Actor, Role};

/// Whether the actor may create a session: administrators any, instructors about courses in whose team they are
/// (`in_team`), with themselves as the host.
pub(crate) fn can_create(actor: &Actor, in_team: bool, host: UserId) -> bool {
    actor.has(Role::Admin) || (actor.has(Role::Instructor) && in_team && actor.is(host))
}

/// Whether the actor may change, cancel and record a session: its host and administrators may.
pub fn can_manage(actor: &Actor, session: &LiveSession) -> bool {
    actor.has(Role::Admin) || (actor.has(Role::Instructor) && actor.is(session.host_id))
}

/// Whether the actor may see the hours and attendances of a user: the user and administrators may.
pub fn can_see_usage(actor: &Actor, user: UserId) -> bool {
    can_see_private(actor, user)
}

/// What decides whether a user can attend a session.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The state of the session.
    pub status: LiveSessionStatus,
    /// Whether the user is banned or deleted.
    pub(crate) is_banned: bool,
    /// The user's place in the session.
    pub place: Option<AttendanceStatus>,
    /// Whether the session's length is allowed.
    pub(crate) has_valid_length: bool,
    /// What the user's membership gives at the time of the session: no minutes if its plan has no live classes.
    pub(crate) allowance: Option<Allowance>,
    /// The minutes that remain in the month of the session.
    pub remaining: i32,
    /// The minutes of them that the user can spend as a family member; `None` for no limit of their own.
    pub(crate) member_remaining: Option<i32>,
    /// The minutes that the session costs.
    pub minutes: i32,
    /// The seats that are left; `None` if there is no limit.
    pub seats_left: Option<i64>,
}

/// Decides whether a user can attend a session.
pub fn eligibility(facts: &Facts) -> EligibilityReason {
    match facts.status {
        LiveSessionStatus::Canceled => return EligibilityReason::Canceled,
        LiveSessionStatus::Ended => return EligibilityReason::Ended,
        LiveSessionStatus::Scheduled | LiveSessionStatus::Live => {}
    }
    if facts.is_banned {
        return EligibilityReason::Banned;
    }
    // Also of those who have a seat: the membership may have ended since they took it.
    match facts.allowance {
        None => return EligibilityReason::NoMembership,
        Some(Allowance { minutes: 0, .. }) => return EligibilityReason::WrongPlan,
        Some(_) => {}
    }
    if facts.place == Some(AttendanceStatus::Held) {
        return EligibilityReason::AlreadyJoined;
    }
    if !facts.has_valid_length {
        return EligibilityReason::InvalidDuration;
    }
    if facts.remaining < facts.minutes {
        return EligibilityReason::InsufficientHours;
    }
    if facts.member_remaining.is_some_and(|left| left < facts.minutes) {
        return EligibilityReason::FamilyLimitReached;
    }
    if facts.seats_left.is_some_and(|left| left <= 0) {
        return EligibilityReason::Full;
    }
    EligibilityReason::Eligible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_attend() {
        let fine = Facts {
            status: LiveSessionStatus::Scheduled,
            is_banned: false,
            place: None,
            has_valid_length: true,
            allowance: Some(Allowance { minutes: 240, rollover: 0, since: None }),
            remaining: 60,
            member_remaining: None,
            minutes: 60,
            seats_left: Some(1),
        };
        type Change = fn(&mut Facts);
        let table: [(EligibilityReason, Change); 19] = [
            (EligibilityReason::Eligible, |_| {}),
            (EligibilityReason::Eligible, |facts| facts.status = LiveSessionStatus::Live),
            (EligibilityReason::Eligible, |facts| facts.seats_left = None),
            (EligibilityReason::Eligible, |facts| facts.place = Some(AttendanceStatus::Released)),
            (EligibilityReason::AlreadyJoined, |facts| facts.place = Some(AttendanceStatus::Held)),
            (EligibilityReason::Full, |facts| facts.seats_left = Some(0)),
            (EligibilityReason::Full, |facts| {
                (facts.seats_left, facts.place) = (Some(0), Some(AttendanceStatus::Waiting));
            }),
            (EligibilityReason::InsufficientHours, |facts| facts.remaining = 59),
            (EligibilityReason::Eligible, |facts| facts.member_remaining = Some(60)),
            (EligibilityReason::FamilyLimitReached, |facts| facts.member_remaining = Some(59)),
            (EligibilityReason::InsufficientHours, |facts| {
                (facts.remaining, facts.member_remaining) = (59, Some(59));
            }),
            (EligibilityReason::NoMembership, |facts| facts.allowance = None),
            (EligibilityReason::NoMembership, |facts| {
                (facts.allowance, facts.place) = (None, Some(AttendanceStatus::Held));
            }),
            (EligibilityReason::WrongPlan, |facts| {
                facts.allowance = Some(Allowance { minutes: 0, rollover: 0, since: None });
            }),
            (EligibilityReason::AlreadyJoined, |facts| {
                (facts.remaining, facts.place) = (0, Some(AttendanceStatus::Held));
            }),
            (EligibilityReason::InvalidDuration, |facts| facts.has_valid_length = false),
            (EligibilityReason::Banned, |facts| facts.is_banned = true),
            (EligibilityReason::Ended, |facts| facts.status = LiveSessionStatus::Ended),
            (EligibilityReason::Canceled, |facts| facts.status = LiveSessionStatus::Canceled),
        ];
        for (number, (reason, change)) in table.into_iter().enumerate() {
            let mut facts = fine.clone();
            change(&mut facts);
            assert_eq!(eligibility(&facts), reason, "{number}: {facts:?}");
        }
    }
}
