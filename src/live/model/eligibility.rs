//! Whether a user can attend a session.

use async_graphql::Enum;

use super::family::Pool;
use super::usage::hours;

/// Why a user can attend a session, or cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum EligibilityReason {
    /// There is a seat, and the hours suffice.
    Eligible,
    /// The user has a seat already.
    AlreadyJoined,
    /// The hours that remain in the month of the session do not suffice.
    InsufficientHours,
    /// The user shares the hours of a family, and what a member can use of them does not suffice.
    FamilyLimitReached,
    /// The user has no membership.
    NoMembership,
    /// The user's membership does not include live classes.
    WrongPlan,
    /// All seats are taken.
    Full,
    /// The session is over.
    Ended,
    /// The session was canceled.
    Canceled,
    /// The user is banned.
    Banned,
    /// The session has a length that the school does not allow anymore.
    InvalidDuration,
}

/// Whether a user can attend a session, and why not.
#[derive(Clone, Debug)]
pub struct Eligibility {
    /// The reason.
    pub reason: EligibilityReason,
    /// The length of the session, in minutes.
    pub minutes: i32,
    /// The lengths that the school allows, in minutes.
    pub lengths: Vec<i32>,
    /// The user's hours in the month of the session; `None` if they have none.
    pub pool: Option<Pool>,
}

impl Eligibility {
    /// Whether the user can attend.
    pub fn can_attend(&self) -> bool {
        matches!(self.reason, EligibilityReason::Eligible | EligibilityReason::AlreadyJoined)
    }

    /// The reason in words.
    pub fn message(&self) -> String {
        let remaining = self.pool.as_ref().map_or(0, |pool| pool.usage.remaining());
        match self.reason {
            EligibilityReason::Eligible => "You can attend this session.".into(),
            EligibilityReason::AlreadyJoined => "You have a seat in this session.".into(),
            EligibilityReason::InsufficientHours => format!(
                "Insufficient subscription hours. You have {} hours remaining, but this session requires {} hours.",
                hours(remaining),
                hours(self.minutes)
            ),
            EligibilityReason::FamilyLimitReached => format!(
                "You have {} hours remaining of those that you can use of your family's, but this session requires {} \
                 hours.",
                hours(self.pool.as_ref().and_then(Pool::member_remaining).unwrap_or_default()),
                hours(self.minutes)
            ),
            EligibilityReason::NoMembership => "You need a membership for live classes to attend this session.".into(),
            EligibilityReason::WrongPlan => "Your membership does not include live classes.".into(),
            EligibilityReason::Full => "All seats of this session are taken.".into(),
            EligibilityReason::Ended => "This session is over.".into(),
            EligibilityReason::Canceled => "This session was canceled.".into(),
            EligibilityReason::Banned => "Your account is banned.".into(),
            EligibilityReason::InvalidDuration => wrong_length(&self.lengths, i64::from(self.minutes)),
        }
    }
}

/// The message about a session that has none of the allowed lengths.
pub(crate) fn wrong_length(lengths: &[i32], minutes: i64) -> String {
    let allowed = lengths.iter().map(i32::to_string).collect::<Vec<_>>().join(" or ");
    format!("Live class sessions must be exactly {allowed} minutes duration. Current duration: {minutes} minutes.")
}
