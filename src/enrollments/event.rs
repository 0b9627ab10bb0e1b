//! What happened to access.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::model::{EndReason, EntitlementId, Source};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::platform::outbox::Event;

/// Somebody has access to a course from now on, or under other terms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessGranted {
    /// The line of the ledger.
    pub entitlement_id: EntitlementId,
    /// Who.
    pub user_id: UserId,
    /// To which course.
    pub course_id: CourseId,
    /// Where it comes from.
    pub source: Source,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Event for AccessGranted {
    const KIND: &'static str = "access_granted";
}

/// A line of the ledger was closed. Another one may still give access.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessEnded {
    /// The line of the ledger.
    pub entitlement_id: EntitlementId,
    /// Who.
    pub user_id: UserId,
    /// To which course.
    pub course_id: CourseId,
    /// Where it came from.
    pub source: Source,
    /// Why.
    pub reason: EndReason,
}

impl Event for AccessEnded {
    const KIND: &'static str = "access_ended";
}
