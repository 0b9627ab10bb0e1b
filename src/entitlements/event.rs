//! The events of entitlements.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{EndReason, EntitlementId, Scope, Source};
use crate::accounts::UserId;
use crate::platform::outbox::Event;

/// A user was given access, or an existing entitlement has new terms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessGranted {
    /// The entitlement.
    pub entitlement_id: EntitlementId,
    /// The user who has access.
    pub user_id: UserId,
    /// The scope of the access.
    pub scope: Scope,
    /// The course, for the scope `Course`.
    pub course_id: Option<Uuid>,
    /// The category, for the scope `Category`.
    pub category_id: Option<Uuid>,
    /// The source of the access.
    pub source: Source,
    /// When the access expires; `None` if it is permanent.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Event for AccessGranted {
    const KIND: &'static str = "access_granted";
}

/// An entitlement was ended. The user may still have access through another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessEnded {
    /// The entitlement.
    pub entitlement_id: EntitlementId,
    /// The user who had access.
    pub user_id: UserId,
    /// The scope of the access.
    pub scope: Scope,
    /// The course, for the scope `Course`.
    pub course_id: Option<Uuid>,
    /// The category, for the scope `Category`.
    pub category_id: Option<Uuid>,
    /// The source of the access.
    pub source: Source,
    /// Why it was ended.
    pub reason: EndReason,
}

impl Event for AccessEnded {
    const KIND: &'static str = "access_ended";
}
