//! Rows of entitlements, and access decisions.

use std::collections::HashSet;

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::entitlements;
use crate::platform::db::stored_as_text;

/// An entitlement's id: `entitlement_01j…`.
pub type EntitlementId = Id<Entitlement>;

/// An entitlement: a user's access to something from one source, active or ended.
#[derive(Clone, Debug, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = entitlements, check_for_backend(diesel::pg::Pg))]
pub struct Entitlement {
    /// The id.
    pub id: EntitlementId,
    /// The user who has access.
    pub user_id: UserId,
    /// The scope of the access.
    pub scope: Scope,
    /// The course, for the scope [`Scope::Course`]; `None` once it is deleted.
    pub course_id: Option<Uuid>,
    /// The category, subcategories included, for the scope [`Scope::Category`]; `None` once it is deleted.
    pub category_id: Option<Uuid>,
    /// The source of the access.
    pub source: Source,
    /// When the access starts.
    pub starts_at: DateTime<Utc>,
    /// When the access expires; `None` if it is permanent.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the entitlement was ended; `None` while it is open, even if it has just expired.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why the entitlement was ended; `None` while it is open.
    pub end_reason: Option<EndReason>,
    /// The administrator's reason for granting it; may be empty.
    pub note: String,
    /// The administrator who granted it; `None` for other sources.
    pub granted_by: Option<UserId>,
}

impl Entity for Entitlement {
    const PREFIX: &'static str = "entitlement";
}

impl Entitlement {
    /// Returns whether it gives access at `now`.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.starts_at <= now && self.expires_at.is_none_or(|end| now < end)
    }

    /// Returns whether it gave access until it expired.
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.end_reason.is_none_or(|reason| reason == EndReason::Expired)
            && self.expires_at.is_some_and(|end| end <= now)
    }

    /// Returns what it gives access to; `None` if that has been deleted.
    pub fn target(&self) -> Option<Target> {
        match self.scope {
            Scope::Course => self.course_id.map(Target::Course),
            Scope::Category => self.category_id.map(Target::Category),
            Scope::Everything => Some(Target::Everything),
        }
    }

    /// Returns whether its scope includes the course.
    ///
    /// `category_path` is the course's category and its ancestors.
    pub fn covers(&self, course: Uuid, category_path: &[Uuid]) -> bool {
        match self.scope {
            Scope::Course => self.course_id == Some(course),
            Scope::Category => self.category_id.is_some_and(|category| category_path.contains(&category)),
            Scope::Everything => true,
        }
    }
}

/// The scope of an entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "EntitlementScope")]
pub enum Scope {
    /// One course.
    Course,
    /// Every course of a category and its subcategories.
    Category,
    /// Every course.
    Everything,
}

stored_as_text!(Scope { Course = "COURSE", Category = "CATEGORY", Everything = "EVERYTHING" });

/// The source of access to a course.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "AccessSource")]
pub enum Source {
    /// The user bought it.
    Purchase,
    /// It is part of a membership.
    Membership,
    /// Another user bought it as a gift.
    Gift,
    /// An administrator granted it.
    Grant,
    /// The course is free and the user enrolled.
    Free,
    /// The user is an instructor of the course or an administrator.
    Staff,
}

stored_as_text!(Source {
    Purchase = "PURCHASE",
    Membership = "MEMBERSHIP",
    Gift = "GIFT",
    Grant = "GRANT",
    Free = "FREE",
    Staff = "STAFF",
});

/// Why an entitlement was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "EntitlementEndReason")]
pub enum EndReason {
    /// It expired.
    Expired,
    /// An administrator revoked it.
    Revoked,
    /// The payment was refunded.
    Refunded,
    /// The account was deleted.
    AccountDeleted,
    /// Its membership was paused, canceled or archived.
    MembershipChanged,
}

stored_as_text!(EndReason {
    Expired = "EXPIRED",
    Revoked = "REVOKED",
    Refunded = "REFUNDED",
    AccountDeleted = "ACCOUNT_DELETED",
    MembershipChanged = "MEMBERSHIP_CHANGED",
});

/// Why the viewer may or may not see the content of a course or lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum AccessReason {
    /// Granted: the viewer is an instructor of the course or an administrator.
    Staff,
    /// Granted: the viewer is entitled to the course.
    Entitled,
    /// Granted: the lesson is a free preview.
    Preview,
    /// Not granted: the viewer is not signed in.
    SignInRequired,
    /// Not granted: the viewer is signed in but not entitled to the course.
    NotEnrolled,
    /// Not granted: the viewer's access has expired.
    Expired,
    /// Not granted yet: the viewer is entitled to the course, but the lesson unlocks later.
    LockedUntil,
    /// Not granted: the course or the lesson is not published.
    NotPublished,
    /// Not granted: the course is archived; only entitled users can see it.
    Archived,
}

impl AccessReason {
    /// Returns the value of `extensions.reason` in an error.
    pub fn as_str(self) -> &'static str {
        match self {
            AccessReason::Staff => "STAFF",
            AccessReason::Entitled => "ENTITLED",
            AccessReason::Preview => "PREVIEW",
            AccessReason::SignInRequired => "SIGN_IN_REQUIRED",
            AccessReason::NotEnrolled => "NOT_ENROLLED",
            AccessReason::Expired => "EXPIRED",
            AccessReason::LockedUntil => "LOCKED_UNTIL",
            AccessReason::NotPublished => "NOT_PUBLISHED",
            AccessReason::Archived => "ARCHIVED",
        }
    }
}

/// Whether a viewer may see content, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whether access is granted.
    pub granted: bool,
    /// The source of the access to the course, if there is any.
    pub source: Option<Source>,
    /// Why it is granted or not.
    pub reason: AccessReason,
    /// When the lesson unlocks for the viewer, if it is locked.
    pub unlocks_at: Option<DateTime<Utc>>,
    /// When the access to the course expires or expired; `None` if it is permanent or there was none.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The target of an entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One course.
    Course(Uuid),
    /// A category with its subcategories.
    Category(Uuid),
    /// Every course.
    Everything,
}

impl Target {
    /// Returns the values of the columns for scope, course and category.
    pub fn columns(self) -> (Scope, Option<Uuid>, Option<Uuid>) {
        match self {
            Target::Course(course) => (Scope::Course, Some(course), None),
            Target::Category(category) => (Scope::Category, None, Some(category)),
            Target::Everything => (Scope::Everything, None, None),
        }
    }
}

/// An entitlement to insert.
#[derive(Clone, Debug)]
pub struct NewEntitlement {
    /// The user who gets access.
    pub user_id: UserId,
    /// What they get access to.
    pub target: Target,
    /// The source of the access.
    pub source: Source,
    /// When it expires; `None` if it is permanent.
    pub expires_at: Option<DateTime<Utc>>,
    /// The administrator's reason.
    pub note: String,
    /// The administrator who granted it; `None` for other sources.
    pub granted_by: Option<UserId>,
}

/// What a user has active access to.
#[derive(Clone, Debug, Default)]
pub struct Active {
    courses: HashSet<Uuid>,
    categories: Vec<Uuid>,
    everything: bool,
}

impl Active {
    /// Adds the target of an entitlement.
    pub(crate) fn add(&mut self, scope: Scope, course: Option<Uuid>, category: Option<Uuid>) {
        self.courses.extend(course);
        self.categories.extend(category);
        self.everything |= scope == Scope::Everything;
    }

    /// Returns whether there is access to a category: only then does the path of a course matter.
    pub fn has_categories(&self) -> bool {
        !self.categories.is_empty()
    }

    /// Returns whether there is access to the course, whose category and its ancestors are `category_path`.
    pub fn covers(&self, course: Uuid, category_path: &[Uuid]) -> bool {
        self.everything
            || self.courses.contains(&course)
            || self.categories.iter().any(|category| category_path.contains(category))
    }
}
