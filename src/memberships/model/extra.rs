//! Extra hours of live classes that members buy for a month.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use super::PeriodState;
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::extra_hours;

/// The id of extra hours.
pub type ExtraHoursId = Id<ExtraHours>;

/// Extra hours that were ordered at once.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = extra_hours, check_for_backend(diesel::pg::Pg))]
pub struct ExtraHours {
    /// The id.
    pub id: ExtraHoursId,
    /// Who has ordered them.
    pub user_id: UserId,
    /// The first day of the month in which they count.
    pub month: NaiveDate,
    /// How many minutes they are.
    pub minutes: i32,
    /// What has become of them.
    pub state: PeriodState,
    /// When they were ordered.
    pub created_at: DateTime<Utc>,
}

impl Entity for ExtraHours {
    const PREFIX: &'static str = "extra_hours";
}
