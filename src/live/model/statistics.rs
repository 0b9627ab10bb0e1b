//! What administrators see of a month.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Timestamptz, Uuid};

use crate::accounts::UserId;

/// Sums over all months of users that are the same calendar month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Sums {
    /// The users with hours in it.
    #[diesel(sql_type = BigInt)]
    pub users: i64,
    #[diesel(sql_type = BigInt)]
    pub attended_minutes: i64,
    #[diesel(sql_type = BigInt)]
    pub sessions_attended: i64,
    #[diesel(sql_type = BigInt)]
    pub sessions_missed: i64,
}

/// How many users attended from so many hours to fewer than one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Bucket {
    #[diesel(sql_type = BigInt)]
    pub hours: i64,
    #[diesel(sql_type = BigInt)]
    pub users: i64,
}

/// What a user has attended themselves in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(crate) struct Person {
    #[diesel(sql_type = Uuid)]
    pub user_id: UserId,
    /// Whose hours they have spent, or most of them.
    #[diesel(sql_type = Uuid)]
    pub payer_id: UserId,
    #[diesel(sql_type = Integer)]
    pub attended_minutes: i32,
    #[diesel(sql_type = Integer)]
    pub held_minutes: i32,
    #[diesel(sql_type = Integer)]
    pub sessions_attended: i32,
    /// When they entered the latest of them.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_attended_at: Option<DateTime<Utc>>,
}

/// What was attended in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct MonthSum {
    #[diesel(sql_type = Date)]
    pub month: chrono::NaiveDate,
    #[diesel(sql_type = BigInt)]
    pub attended_minutes: i64,
    #[diesel(sql_type = BigInt)]
    pub attendees: i64,
}
