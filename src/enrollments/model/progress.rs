//! Progress: what was reported, what is saved of it, and what it amounts to in a course.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_graphql::InputObject;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use uuid::Uuid;

use super::ranges::Ranges;
use super::watching::Watching;
use crate::accounts::UserId;
use crate::catalog::{CourseId, Lesson, LessonId};
use crate::graphql::Time;

/// The input of `saveProgress`.
#[derive(Clone, Debug, InputObject)]
pub struct SaveProgressInput {
    /// The reports: 1 to 100, in any order.
    pub(crate) entries: Vec<ProgressInput>,
}

/// What a player reports of a lesson: what was watched since its previous report.
#[derive(Clone, Debug, InputObject)]
pub struct ProgressInput {
    /// The lesson.
    pub lesson_id: LessonId,
    /// Where the player is now, in seconds from the start. The position of the latest report is where to resume.
    pub position_seconds: i32,
    /// The parts of the video that were played since the previous report; at most 20, in any order. At most twice the
    /// time between the two reports counts.
    #[graphql(default)]
    pub watched: Vec<WatchedRangeInput>,
    /// When it was reported, by the clock of the player: not in the future, and at most 30 days ago. Together with the
    /// lesson it identifies the report, so that it can be sent again, in any order.
    pub at: Time,
}

/// A part of a video that was played.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct WatchedRangeInput {
    /// The first second.
    pub from: i32,
    /// The second after the last one.
    pub to: i32,
}

/// The input of `setLessonCompleted`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct SetLessonCompletedInput {
    /// The lesson.
    pub(crate) lesson_id: LessonId,
    /// True to complete it. False to undo that: watching it does not complete it again then.
    pub completed: bool,
}

/// A change of a user's progress in a lesson.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The lesson.
    pub lesson: LessonId,
    /// How many seconds of its video complete it; `None` for an article, or if its duration is unknown.
    pub(crate) enough: Option<i32>,
    /// What has changed.
    pub what: What,
}

/// What has changed in a lesson.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A player has reported.
    Report {
        /// When.
        at: DateTime<Utc>,
        /// Where it was.
        position: i32,
        /// What was played.
        watched: Ranges,
    },
    /// The user has completed the lesson by hand, or has undone that.
    Mark(bool),
}

/// Changes of a user's progress in a course, to be saved.
///
/// Each has an id of its own: two that are equal are still two.
#[derive(Clone, Debug)]
pub(crate) struct Save {
    pub id: Uuid,
    pub user: UserId,
    pub course: CourseId,
    /// When the user's access began, if there is no enrollment yet.
    pub since: Option<DateTime<Utc>>,
    /// The user's time zone.
    pub zone: Tz,
    /// What the user and the course are called, for the certificate.
    pub holder_name: Arc<str>,
    pub course_title: Arc<str>,
    /// The published lessons of the course.
    pub outline: Arc<[LessonId]>,
    pub(crate) changes: Arc<[Change]>,
}

impl PartialEq for Save {
    fn eq(&self, other: &Save) -> bool {
        self.id == other.id
    }
}

impl Eq for Save {}

impl std::hash::Hash for Save {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// What is saved of a user in a course, besides the lessons.
#[derive(Clone, Debug)]
pub(crate) struct Learner {
    pub since: DateTime<Utc>,
    pub last_activity_at: Option<DateTime<Utc>>,
    /// When the lesson was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// The sum over all lessons.
    pub watched_seconds: i32,
    /// The days on which they learned, in their time zone.
    pub(crate) days: Ranges,
}

/// What is saved of a user in a lesson.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) watching: Watching,
    /// The position, and the time of the report that had it.
    pub(crate) position: Option<(DateTime<Utc>, i32)>,
    /// How much of the video was watched, each part once.
    pub watched_seconds: i32,
    /// When the lesson was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// Whether the user has undone the completion: the rule does not complete it again.
    pub(crate) kept_open: bool,
    /// When any of it last changed.
    pub updated_at: DateTime<Utc>,
}

/// How much later an activity must be to be noted: the column is in an index.
const ACTIVITY_STEP: TimeDelta = TimeDelta::minutes(1);

impl Learner {
    /// Notes that the user learned something at `at`.
    fn learned(&mut self, at: DateTime<Utc>, zone: Tz) {
        let day = day_of(at, zone);
        self.days.add(&Ranges::new(vec![(day, day.saturating_add(1))]));
        if self.last_activity_at.is_none_or(|last| at >= last + ACTIVITY_STEP) {
            self.last_activity_at = Some(at);
        }
    }

    /// Applies a change to one of the user's lessons.
    pub(crate) fn apply(&mut self, lesson: &mut Watched, what: &What, zone: Tz, now: DateTime<Utc>) {
        match what {
            What::Report { at, position, watched } => {
                lesson.watching.add(*at, watched);
                lesson.position = lesson.position.max(Some((*at, *position)));
                lesson.updated_at = lesson.updated_at.max(*at);
                self.learned(*at, zone);
            }
            What::Mark(true) => {
                lesson.completed_at.get_or_insert(now);
                lesson.kept_open = false;
                lesson.updated_at = now;
                self.learned(now, zone);
            }
            What::Mark(false) => {
                lesson.completed_at = None;
                lesson.kept_open = true;
                lesson.updated_at = now;
                self.completed_at = None;
            }
        }
    }

    /// Counts what was watched of a lesson, after its changes were applied.
    pub(crate) fn count(&mut self, lesson: &mut Watched, now: DateTime<Utc>) {
        lesson.watching.settle(self.since, now);
        let seconds = lesson.watching.watched(self.since).len();
        self.watched_seconds = self.watched_seconds.saturating_add(seconds - lesson.watched_seconds);
        lesson.watched_seconds = seconds;
    }

    /// Completes a lesson if `enough` seconds of its video were watched.
    ///
    /// Not as long as more was watched in all than time has passed: then the next report does.
    pub(crate) fn complete(&self, lesson: &mut Watched, enough: Option<i32>, now: DateTime<Utc>) {
        let is_enough = enough.is_some_and(|seconds| lesson.watched_seconds >= seconds);
        let possible = i64::from(self.watched_seconds) <= (now - self.since).num_seconds();
        if is_enough && possible && !lesson.kept_open && lesson.completed_at.is_none() {
            lesson.completed_at = lesson.position.map(|(at, _)| at);
        }
    }
}

/// How many seconds are `percent` of a video, rounded up; `None` if it has no duration.
pub(crate) fn enough(duration: i32, percent: i32) -> Option<i32> {
    let hundredths = i64::from(duration) * i64::from(percent);
    i32::try_from((hundredths + 99) / 100).ok().filter(|seconds| *seconds > 0)
}

/// A user's progress in a lesson, as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct LessonState {
    /// Where to go on.
    pub position_seconds: i32,
    /// How much of the video was watched, each part once.
    pub watched_seconds: i32,
    /// When the lesson was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// When any of it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A user's progress in all lessons of a course, as it is shown.
pub type LessonStates = HashMap<LessonId, LessonState>;

/// A user's progress in a course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many of the published lessons are completed.
    pub completed: i32,
    /// The same in percent, rounded down; 0 for a course without lessons.
    pub percent: i32,
    /// When the last of them was completed, if all are.
    pub completed_at: Option<DateTime<Utc>>,
    /// The lesson to go on with; `None` if all are completed.
    pub resume: Option<LessonId>,
}

impl Sum {
    /// Sums up the progress in the published lessons of a course, in the order of the outline.
    ///
    /// Lessons that are not published anymore do not count. The lesson to go on with is the one that was changed last,
    /// or the next one that is not completed.
    pub fn of(outline: &[LessonId], states: &LessonStates) -> Sum {
        let done = |lesson: &LessonId| states.get(lesson).and_then(|state| state.completed_at);
        let completed: Vec<DateTime<Utc>> = outline.iter().filter_map(done).collect();
        let last = outline.iter().enumerate().filter_map(|(place, id)| Some((states.get(id)?.updated_at, place))).max();
        let place = last.map_or(0, |(_, place)| place);
        let (before, after) = outline.split_at_checked(place).unwrap_or((outline, &[]));
        let all = !outline.is_empty() && completed.len() == outline.len();
        let percent = (completed.len() * 100).checked_div(outline.len()).unwrap_or_default();
        Sum {
            completed: i32::try_from(completed.len()).unwrap_or(i32::MAX),
            percent: i32::try_from(percent).unwrap_or(100),
            completed_at: completed.into_iter().max().filter(|_| all),
            resume: after.iter().chain(before).find(|lesson| done(lesson).is_none()).copied(),
        }
    }
}

/// Returns the published ones of a course's lessons, which are in the order of the outline.
pub fn published(lessons: &[Arc<Lesson>]) -> impl Iterator<Item = LessonId> {
    lessons.iter().filter(|lesson| lesson.published_at.is_some()).map(|lesson| lesson.id)
}

/// Returns whether all lessons of a course are completed; not if there are none.
pub(crate) fn is_complete(outline: &[LessonId], completed: &HashSet<LessonId>) -> bool {
    !outline.is_empty() && outline.iter().all(|lesson| completed.contains(lesson))
}

/// The day of an instant in a time zone, in days since 1970.
pub fn day_of(at: DateTime<Utc>, zone: Tz) -> i32 {
    at.with_timezone(&zone).date_naive().num_days_from_ce().saturating_sub(UNIX_DAY)
}

/// 1970-01-01 in days of the common era.
const UNIX_DAY: i32 = 719_163;

/// The number of days in a row up to today, or up to yesterday if there was nothing today yet.
pub fn streak(days: &Ranges, today: i32) -> i32 {
    // A report of an earlier day may come later; one of a later day is from another time zone.
    let reaching = days.iter().find(|(from, to)| *from <= today && *to >= today);
    reaching.map_or(0, |(from, to)| to.min(today.saturating_add(1)) - from)
}

/// A row of `lesson_progress` to write.
#[derive(Debug, Serialize)]
pub(crate) struct LessonRow {
    pub(crate) enrollment_id: Uuid,
    pub(crate) lesson_id: Uuid,
    /// Where to go on.
    pub position_seconds: i32,
    pub(crate) position_at: Option<DateTime<Utc>>,
    /// How much of the video was watched, each part once.
    pub watched_seconds: i32,
    pub(crate) settled: Vec<i32>,
    pub(crate) settled_at: Option<i32>,
    pub reports: Vec<i32>,
    /// When the lesson was completed.
    pub completed_at: Option<DateTime<Utc>>,
    pub(crate) kept_open: bool,
    /// When any of it last changed.
    pub updated_at: DateTime<Utc>,
}

impl LessonRow {
    /// The row of a user's lesson.
    pub(crate) fn of(enrollment_id: Uuid, lesson: LessonId, watched: &Watched) -> LessonRow {
        let (settled, settled_at, reports) = watched.watching.to_columns();
        LessonRow {
            enrollment_id,
            lesson_id: lesson.uuid(),
            position_seconds: watched.position.map_or(0, |(_, position)| position),
            position_at: watched.position.map(|(at, _)| at),
            watched_seconds: watched.watched_seconds,
            settled,
            settled_at,
            reports,
            completed_at: watched.completed_at,
            kept_open: watched.kept_open,
            updated_at: watched.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> LessonId {
        LessonId::new(Uuid::from_u128(number))
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn state(completed: Option<i64>, updated: i64) -> LessonState {
        LessonState {
            position_seconds: 0,
            watched_seconds: 0,
            completed_at: completed.map(at),
            updated_at: at(updated),
        }
    }

    #[test]
    fn progress_is_of_the_lessons_that_are_published_now() {
        let outline = [id(1), id(2), id(3)];
        let sum = |states: &[(u128, LessonState)]| {
            Sum::of(&outline, &states.iter().map(|(lesson, state)| (id(*lesson), *state)).collect())
        };
        let expected = |completed, percent, completed_at: Option<i64>, resume: Option<u128>| Sum {
            completed,
            percent,
            completed_at: completed_at.map(at),
            resume: resume.map(id),
        };
        assert_eq!(sum(&[]), expected(0, 0, None, Some(1)));
        assert_eq!(sum(&[(2, state(None, 5))]), expected(0, 0, None, Some(2)), "the one that was begun");
        assert_eq!(sum(&[(2, state(Some(5), 5))]), expected(1, 33, None, Some(3)), "the next one");
        let last = [(3, state(Some(5), 5)), (2, state(Some(4), 4))];
        assert_eq!(sum(&last), expected(2, 66, None, Some(1)), "from the start again");
        let other = [(2, state(Some(5), 5)), (9, state(Some(9), 9))];
        assert_eq!(sum(&other), expected(1, 33, None, Some(3)), "a lesson that is gone");
        let all = [(1, state(Some(7), 7)), (2, state(Some(5), 8)), (3, state(Some(6), 6))];
        assert_eq!(sum(&all), expected(3, 100, Some(7), None));
        assert_eq!(Sum::of(&[], &LessonStates::new()), Sum::default(), "an empty course is 0 %");
        assert!(!is_complete(&[], &HashSet::new()));
    }

    #[test]
    fn a_streak_lasts_until_a_day_is_left_out() {
        for (days, today, expected) in [
            (vec![], 10, 0),
            (vec![(10, 11)], 10, 1),
            (vec![(8, 10)], 10, 2),
            (vec![(8, 9)], 10, 0),
            (vec![(1, 3), (7, 11)], 10, 4),
            // Another time zone was a day ahead.
            (vec![(9, 12)], 10, 2),
        ] {
            assert_eq!(streak(&Ranges::new(days.clone()), today), expected, "{days:?} on {today}");
        }
        let evening = DateTime::parse_from_rfc3339("2026-11-20T23:30:00Z").unwrap().to_utc();
        assert_eq!(day_of(evening, Tz::UTC) + 1, day_of(evening, Tz::Asia__Kolkata));
        assert_eq!(day_of(at(0), Tz::UTC), 0);
    }

    #[test]
    fn a_lesson_is_complete_when_enough_was_watched_and_that_was_possible() {
        let learner = |watched| Learner {
            since: at(0),
            last_activity_at: None,
            completed_at: None,
            watched_seconds: watched,
            days: Ranges::default(),
        };
        for (watched, in_all, seconds, passed, kept_open, expected) in [
            (90, 90, Some(90), 500, false, true),
            (89, 89, Some(90), 500, false, false),
            (90, 501, Some(90), 500, false, false),
            (90, 90, Some(90), 500, true, false),
            (90, 90, None, 500, false, false),
        ] {
            let position = Some((at(400), 5));
            let mut lesson = Watched { watched_seconds: watched, kept_open, position, ..Watched::default() };
            learner(in_all).complete(&mut lesson, seconds, at(passed));
            assert_eq!(lesson.completed_at, expected.then(|| at(400)), "{watched} of {seconds:?} in {passed}");
        }
        for (duration, percent, expected) in
            [(100, 90, Some(90)), (101, 90, Some(91)), (1, 1, Some(1)), (7, 100, Some(7)), (0, 90, None)]
        {
            assert_eq!(enough(duration, percent), expected, "{percent} % of {duration}");
        }
    }
}
