//! Entitlements as rows, and what follows from them.

use std::str::FromStr;

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types::Text;
use diesel::{Queryable, QueryableByName, Selectable};
use serde::{Deserialize, Serialize};

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::entitlements;

/// An entitlement's id: `entitlement_01j…`.
pub type EntitlementId = Id<Entitlement>;

/// A line of the ledger: why somebody has, or had, access to a course.
#[derive(Clone, Debug, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = entitlements, check_for_backend(diesel::pg::Pg))]
pub struct Entitlement {
    /// The id.
    pub id: EntitlementId,
    /// Who has access.
    pub user_id: UserId,
    /// To which course; `None` once the course is gone.
    pub course_id: Option<CourseId>,
    /// Where it comes from.
    pub source: Source,
    /// From when on.
    pub starts_at: DateTime<Utc>,
    /// Until when; `None`: for good.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the line was closed; `None`: it is open, though it may have expired a moment ago.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was closed.
    pub end_reason: Option<EndReason>,
    /// Why an administrator gave it, in their words; may be empty.
    pub note: String,
    /// The administrator who gave it.
    pub granted_by: Option<UserId>,
}

impl Entity for Entitlement {
    const PREFIX: &'static str = "entitlement";
}

impl Entitlement {
    /// Whether it gives access at `now`.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.starts_at <= now && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it gave access until it expired.
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.end_reason.is_none_or(|reason| reason == EndReason::Expired)
            && self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Enums that the database keeps as the names that the schema has.
macro_rules! stored_as_text {
    ($ty:ident { $($item:ident = $text:literal),* $(,)? }) => {
        impl $ty {
            /// As it is stored.
            pub fn as_str(self) -> &'static str {
                match self { $($ty::$item => $text),* }
            }
        }

        impl FromStr for $ty {
            type Err = String;

            fn from_str(text: &str) -> Result<$ty, String> {
                match text {
                    $($text => Ok($ty::$item),)*
                    _ => Err(format!("{text:?} is not a {}", stringify!($ty))),
                }
            }
        }

        impl ToSql<Text, Pg> for $ty {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
                <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
            }
        }

        impl FromSql<Text, Pg> for $ty {
            fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<$ty> {
                Ok(<String as FromSql<Text, Pg>>::from_sql(value)?.parse()?)
            }
        }
    };
}

/// Where access to a course comes from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "AccessSource")]
pub enum Source {
    /// It was bought.
    Purchase,
    /// It comes with a membership.
    Membership,
    /// Somebody else bought it for them.
    Gift,
    /// An administrator gave it.
    Grant,
    /// The course costs nothing, and they enrolled.
    Free,
    /// They teach the course or run the platform.
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

/// Why an entitlement is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "EntitlementEndReason")]
pub enum EndReason {
    /// Its time was over.
    Expired,
    /// An administrator took it back.
    Revoked,
    /// The money was given back.
    Refunded,
    /// The account was deleted.
    AccountDeleted,
}

stored_as_text!(EndReason {
    Expired = "EXPIRED",
    Revoked = "REVOKED",
    Refunded = "REFUNDED",
    AccountDeleted = "ACCOUNT_DELETED",
});

/// Why somebody may or may not see a course's or a lesson's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum AccessReason {
    /// Granted: they teach the course or run the platform.
    Staff,
    /// Granted: they have access to the course.
    Entitled,
    /// Granted: everybody may see this lesson.
    Preview,
    /// Refused: nobody is signed in.
    SignInRequired,
    /// Refused: they are signed in and don't have access to the course.
    NotEnrolled,
    /// Refused: they had access until it expired.
    Expired,
    /// Refused: they have access to the course, and this lesson opens later.
    LockedUntil,
    /// Refused: the course or the lesson is not published (any more).
    NotPublished,
    /// Refused: the course is archived, which only those see who have access to it.
    Archived,
}

impl AccessReason {
    /// As programs read it in an error.
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

/// Whether somebody may see content, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whether they may.
    pub granted: bool,
    /// Where their access to the course comes from, if they have any.
    pub source: Option<Source>,
    /// Why they may or may not.
    pub reason: AccessReason,
    /// When the lesson opens for them, if it will.
    pub unlocks_at: Option<DateTime<Utc>>,
    /// When their access to the course ends or has ended, if it does.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Access to a course, given by an administrator.
#[derive(Clone, Debug, InputObject)]
pub(super) struct GrantCourseAccessInput {
    /// To whom.
    pub user_id: UserId,
    /// To which course.
    pub course_id: CourseId,
    /// Until when; for good if left out.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why, at most 500 characters, for other administrators.
    #[graphql(default)]
    pub reason: String,
}

/// Access to a course that an administrator takes back.
#[derive(Clone, Debug, InputObject)]
pub(super) struct RevokeCourseAccessInput {
    /// From whom.
    pub user_id: UserId,
    /// To which course.
    pub course_id: CourseId,
    /// Why, at most 500 characters, for other administrators.
    #[graphql(default)]
    pub reason: String,
}

/// The course to enroll in.
#[derive(Clone, Debug, InputObject)]
pub(super) struct EnrollInput {
    /// Which course. It must cost nothing.
    pub course_id: CourseId,
}

/// A new line of the ledger.
#[derive(Clone, Debug)]
pub(super) struct NewEntitlement {
    pub(super) user_id: UserId,
    pub(super) course_id: CourseId,
    pub(super) source: Source,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) note: String,
    pub(super) granted_by: Option<UserId>,
}

/// A course that somebody has access to, as their list has it.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Enrollment {
    /// The course.
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub(super) course_id: CourseId,
    /// When the oldest access that they still have began.
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    pub(super) since: DateTime<Utc>,
}
