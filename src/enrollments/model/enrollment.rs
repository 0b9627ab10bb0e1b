//! Enrollments, and their order in a user's list.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::{Course, CourseId};
use crate::channels::ChannelId;
use crate::graphql::page::{Page, PageArgs, SortDirection, encode_cursor, instant};
use crate::graphql::{Entity, Error, Id, Result};
use crate::platform::db::schema::enrollments;

/// An enrollment's id: `enrollment_01j…`.
pub type EnrollmentId = Id<Enrollment>;

/// What a user learns: the first access to a course makes it, and the end of the access does not end it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = enrollments, check_for_backend(diesel::pg::Pg))]
pub struct Enrollment {
    /// The id.
    pub id: EnrollmentId,
    /// The user.
    pub user_id: UserId,
    /// The course.
    pub course_id: CourseId,
    /// When the user's access began for the first time.
    pub since: DateTime<Utc>,
    /// When the user last learned something, at most a minute late; `None` if never.
    pub last_activity_at: Option<DateTime<Utc>>,
    /// When the user had completed all lessons for the first time.
    pub completed_at: Option<DateTime<Utc>>,
    /// What the user has watched, in seconds of all lessons.
    pub watched_seconds: i32,
    /// The days on which the user learned, as ranges of days since 1970 in their time zone.
    pub active_days: Vec<i32>,
}

impl Entity for Enrollment {
    const PREFIX: &'static str = "enrollment";
}

/// The state of an enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum EnrollmentState {
    /// The user has access to the course now, even if it is not published at the moment.
    Active,
    /// The user has no access to the course anymore, or not yet.
    Ended,
    /// The user had completed all lessons at some time, whether or not they have access now.
    Completed,
}

/// A filter for enrollments; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, InputObject)]
pub struct EnrollmentFilter {
    /// Enrollments in this state.
    pub state: Option<EnrollmentState>,
    /// Enrollments in the courses of this channel.
    pub channel_id: Option<ChannelId>,
}

/// The field to sort enrollments by. Ties are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum EnrollmentSortField {
    /// When the user last learned something in the course; for a course that they have not begun, when they enrolled.
    LastActivity,
    /// When the user enrolled.
    EnrolledAt,
    /// The title of the course; case is ignored.
    Title,
    /// The share of the lessons that the user has completed.
    Progress,
}

/// How to sort enrollments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, InputObject)]
pub struct EnrollmentSort {
    /// The field to sort by.
    pub field: EnrollmentSortField,
    /// The direction.
    pub direction: SortDirection,
}

impl Default for EnrollmentSort {
    fn default() -> EnrollmentSort {
        EnrollmentSort { field: EnrollmentSortField::LastActivity, direction: SortDirection::Desc }
    }
}

/// The position of an enrollment in an order: a number, a text and the id.
///
/// The number is a time in microseconds since the Unix epoch, or a percentage. An order by title has only the text, the
/// others only the number.
pub type EnrollmentPlace = (i64, String, Uuid);

impl EnrollmentSortField {
    /// Whether the order is by columns of the enrollments alone, which are in an index.
    pub fn is_by_time(self) -> bool {
        matches!(self, EnrollmentSortField::LastActivity | EnrollmentSortField::EnrolledAt)
    }
}

impl EnrollmentSort {
    /// The name of the list in its cursors, which are valid in both directions.
    fn list(self) -> &'static str {
        match self.field {
            EnrollmentSortField::LastActivity => "enrollments",
            EnrollmentSortField::EnrolledAt => "enrollments by time",
            EnrollmentSortField::Title => "enrollments by title",
            EnrollmentSortField::Progress => "enrollments by progress",
        }
    }

    /// Returns the requested page.
    ///
    /// # Errors
    /// A cursor belongs to another list or order, or has a value that is out of range.
    pub fn page(self, args: PageArgs) -> Result<Page<EnrollmentPlace>> {
        let list = self.list();
        args.page::<EnrollmentPlace>(list)?.try_map(|(number, text, id)| match self.field {
            EnrollmentSortField::Title if number != 0 => {
                Err(Error::BadInput(format!("The cursor is not one that {list} returned.")))
            }
            EnrollmentSortField::Title | EnrollmentSortField::Progress => Ok((number, text, id)),
            EnrollmentSortField::LastActivity | EnrollmentSortField::EnrolledAt => {
                instant(list, number).map(|_| (number, text, id))
            }
        })
    }

    /// The cursor of the enrollment at a place.
    pub fn cursor(self, place: &EnrollmentPlace) -> String {
        encode_cursor(self.list(), place)
    }

    /// The place of an enrollment whose course is `course`, of which `percent` is completed; the orders by time need
    /// neither.
    pub fn place(self, row: &Enrollment, course: Option<&Course>, percent: i32) -> EnrollmentPlace {
        let (number, text) = match self.field {
            EnrollmentSortField::LastActivity => {
                (row.last_activity_at.unwrap_or(row.since).timestamp_micros(), String::new())
            }
            EnrollmentSortField::EnrolledAt => (row.since.timestamp_micros(), String::new()),
            EnrollmentSortField::Progress => (percent.into(), String::new()),
            EnrollmentSortField::Title => (0, course.map(|course| course.title.to_lowercase()).unwrap_or_default()),
        };
        (number, text, row.id.uuid())
    }

    /// Returns what [`Page::fetch`] rows of the page are, in its direction, out of all rows with their places.
    pub fn select<R>(
        self,
        page: &Page<EnrollmentPlace>,
        mut rows: Vec<(EnrollmentPlace, R)>,
    ) -> Vec<(EnrollmentPlace, R)> {
        let ascending = self.direction == SortDirection::Asc;
        let (low, high) = if ascending { (&page.after, &page.before) } else { (&page.before, &page.after) };
        rows.retain(|(place, _)| {
            low.as_ref().is_none_or(|low| place > low) && high.as_ref().is_none_or(|high| place < high)
        });
        rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        if ascending == page.backward {
            rows.reverse();
        }
        rows.truncate(page.limit + 1);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_part_of_the_order_in_the_direction_of_the_page() {
        let place = |number: i64| (number, String::new(), Uuid::from_u128(0));
        let page = |backward, after: Option<i64>, before: Option<i64>| Page {
            limit: 2,
            backward,
            after: after.map(place),
            before: before.map(place),
        };
        let places = |direction, page: &Page<EnrollmentPlace>| -> Vec<i64> {
            let sort = EnrollmentSort { field: EnrollmentSortField::EnrolledAt, direction };
            let rows = [3, 1, 5, 2, 4].map(|number| (place(number), ()));
            sort.select(page, rows.into()).into_iter().map(|((number, ..), ())| number).collect()
        };
        let (asc, desc) = (SortDirection::Asc, SortDirection::Desc);
        // One more than the page, to know of a next one.
        assert_eq!(places(asc, &page(false, None, None)), [1, 2, 3]);
        assert_eq!(places(desc, &page(false, None, None)), [5, 4, 3]);
        assert_eq!(places(asc, &page(true, None, None)), [5, 4, 3]);
        assert_eq!(places(desc, &page(true, None, Some(3))), [4, 5]);
        assert_eq!(places(asc, &page(false, Some(2), Some(4))), [3]);
        assert_eq!(places(desc, &page(false, Some(4), None)), [3, 2, 1]);
    }
}
