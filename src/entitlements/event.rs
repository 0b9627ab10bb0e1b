//! Facts about access that other features react to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{EndReason, EntitlementId, Scope, Source};
use crate::accounts::UserId;
use crate::platform::outbox::Event;

/// A user got access, or access under new terms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessGranted {
    /// The entitlement.
    pub entitlement_id: EntitlementId,
    /// The user who has access.
    pub user_id: UserId,
    /// What kind of thing they have access to.
    pub scope: Scope,
    /// The course, if the scope is one.
    pub course_id: Option<Uuid>,
    /// The category, if the scope is one.
    pub category_id: Option<Uuid>,
    /// Where the access comes from.
    pub source: Source,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Event for AccessGranted {
    const KIND: &'static str = "access_granted";
}

/// An entitlement was ended. The user may have another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessEnded {
    /// The entitlement.
    pub entitlement_id: EntitlementId,
    /// The user who had access.
    pub user_id: UserId,
    /// What kind of thing they had access to.
    pub scope: Scope,
    /// The course, if the scope was one.
    pub course_id: Option<Uuid>,
    /// The category, if the scope was one.
    pub category_id: Option<Uuid>,
    /// Where the access came from.
    pub source: Source,
    /// Why it was ended.
    pub reason: EndReason,
}

impl Event for AccessEnded {
    const KIND: &'static str = "access_ended";
}
