//! Progress in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::enrollment::{EnrollmentObject, alone};
use super::mutation::{LEARNER, learner};
use crate::accounts::{UserById, UserId};
use crate::catalog::{CourseId, LessonId, LessonObject, LessonsOf, lesson_node};
use crate::enrollments::command;
use crate::enrollments::loader::{EnrollmentIn, StatesOf};
use crate::enrollments::model::{
    Enrollment, LessonState, LessonStates, SaveProgressInput, SetLessonCompletedInput, Sum, day_of, published,
    ranges::Ranges, streak,
};
use crate::graphql::context::{app, loaders, viewer_loaders, within};
use crate::graphql::cost::cost;
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Sequential, UserError};

/// A user's progress in a course, in the schema.
#[derive(Clone)]
pub(super) struct CourseProgress {
    row: Arc<Enrollment>,
    sum: Sum,
}

/// A user's progress in a course. It is of the lessons that are published now.
#[Object(directive = cost::apply(Some(0), None, None))]
impl CourseProgress {
    /// The number of published lessons that the user has completed.
    async fn completed_lesson_count(&self) -> i32 {
        self.sum.completed
    }

    /// The share of the published lessons that the user has completed, in percent, rounded down; 0 if there are none.
    async fn percent(&self) -> i32 {
        self.sum.percent
    }

    /// The length of what the user has watched, in seconds, each second of a lesson once; at most the time since their
    /// access began.
    async fn watched_seconds(&self, ctx: &Context<'_>) -> i64 {
        i64::from(self.row.watched_seconds).min((app(ctx).clock.now() - self.row.since).num_seconds()).max(0)
    }

    /// The lesson to go on with: the one where the user was last, or the next one that is not completed. Null if all are
    /// completed, or if the course is not visible to the viewer.
    async fn resume_lesson(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonObject>>> {
        let Some(id) = self.sum.resume else { return Ok(None) };
        Ok(lesson_node(ctx, id).await?.map(Sequential))
    }

    /// On how many days in a row the user has learned in this course, up to today, or up to yesterday if they have not
    /// today; in the user's time zone.
    async fn streak_days(&self, ctx: &Context<'_>) -> Result<i32> {
        let user = loaders(ctx).load(UserById(self.row.user_id)).await?;
        let zone = user.map(|user| user.zone()).unwrap_or_default();
        let today = day_of(app(ctx).clock.now(), zone);
        Ok(streak(&Ranges::of_column(&self.row.active_days), today))
    }

    /// When the user had completed all lessons for the first time, even if there are more now; null if they have not. To
    /// undo the completion of a lesson by hand undoes this as well.
    async fn completed_at(&self) -> Option<DateTime<Utc>> {
        self.row.completed_at.or(self.sum.completed_at)
    }
}

/// Returns the sum of a user's progress in a course.
pub(super) async fn sum_of(ctx: &Context<'_>, row: &Enrollment) -> Result<Sum> {
    let (lessons, states) =
        tokio::try_join!(loaders(ctx).load(LessonsOf(row.course_id)), viewer_loaders(ctx).load(StatesOf(row.id)))?;
    let outline: Vec<LessonId> = published(&lessons.unwrap_or_default()).collect();
    Ok(Sum::of(&outline, &states.unwrap_or_default()))
}

/// Returns a user's progress in a course.
pub(super) async fn course_progress(ctx: &Context<'_>, row: &Arc<Enrollment>) -> Result<Sequential<CourseProgress>> {
    Ok(Sequential(CourseProgress { row: row.clone(), sum: sum_of(ctx, row).await? }))
}

/// A user's progress in a lesson, in the schema.
#[derive(Clone)]
pub struct LessonProgress(LessonState);

/// A user's progress in a lesson.
#[Object(directive = cost::apply(Some(0), None, None))]
impl LessonProgress {
    /// Where to resume, in seconds from the start; 0 if nothing was played.
    async fn position_seconds(&self) -> i32 {
        self.0.position_seconds
    }

    /// The length of what the user has watched, in seconds, each second once.
    async fn watched_seconds(&self) -> i32 {
        self.0.watched_seconds
    }

    /// When the lesson was completed: by watching enough of it, or by hand. Null if it is not.
    async fn completed_at(&self) -> Option<DateTime<Utc>> {
        self.0.completed_at
    }

    /// When the player has last reported, or the user has completed the lesson by hand.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Returns the viewer's progress in a lesson; `None` if there is none.
///
/// # Errors
/// The database failed.
pub async fn viewer_progress(
    ctx: &Context<'_>,
    course: CourseId,
    lesson: LessonId,
) -> Result<Option<Sequential<LessonProgress>>> {
    let Some(user) = within(ctx, Scope::ReadLearning).id() else { return Ok(None) };
    let Some(row) = viewer_loaders(ctx).load(EnrollmentIn(UserId::new(user), course)).await? else { return Ok(None) };
    let states: Option<Arc<LessonStates>> = viewer_loaders(ctx).load(StatesOf(row.id)).await?;
    let state = states.and_then(|states| states.get(&lesson).copied());
    Ok(state.map(|state| Sequential(LessonProgress(state))))
}

/// The payload of `saveProgress`.
#[derive(SimpleObject)]
pub(super) struct SaveProgressPayload {
    /// The enrollments in which something was saved; null if the input as a whole is wrong.
    enrollments: Option<Vec<Sequential<EnrollmentObject>>>,
    /// Errors in the input; empty on success. Each is of one entry: the others were saved, and an entry with an error is
    /// not worth sending again.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `setLessonCompleted`.
#[derive(SimpleObject)]
pub(super) struct SetLessonCompletedPayload {
    /// The enrollment; null if there are `userErrors`.
    enrollment: Option<Sequential<EnrollmentObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The progress mutations.
#[derive(Default)]
pub(super) struct ProgressMutation;

#[Object]
impl ProgressMutation {
    /// Saves what players report, of lessons of any course to which the viewer is entitled. Reports may come late, again
    /// and in any order: the result is the same. A lesson is completed when enough of its video was watched, which is a
    /// setting of the course; not before as much time has passed since the access began as was watched in all.
    #[graphql(guard = "LEARNER", directive = scoped::apply(Role::Student, Scope::WriteLearning))]
    async fn save_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reports.")] input: SaveProgressInput,
    ) -> Result<Option<Sequential<SaveProgressPayload>>> {
        let (saved, mut user_errors) = payload(command::save_progress(loaders(ctx), learner(ctx), input).await)?;
        let (enrollments, errors) = saved.map(|saved| (saved.enrollments, saved.errors)).unzip();
        user_errors.extend(errors.into_iter().flatten().map(Sequential));
        let enrollments = enrollments.map(|rows| rows.into_iter().map(|row| Sequential(alone(row))).collect());
        Ok(Some(Sequential(SaveProgressPayload { enrollments, user_errors })))
    }

    /// Completes a lesson by hand, or undoes its completion. Articles are completed by hand only.
    #[graphql(guard = "LEARNER", directive = scoped::apply(Role::Student, Scope::WriteLearning))]
    async fn set_lesson_completed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The lesson, and whether it is completed.")] input: SetLessonCompletedInput,
    ) -> Result<Option<Sequential<SetLessonCompletedPayload>>> {
        let (row, user_errors) = payload(command::set_lesson_completed(loaders(ctx), learner(ctx), input).await)?;
        let enrollment = row.map(|row| Sequential(alone(row)));
        Ok(Some(Sequential(SetLessonCompletedPayload { enrollment, user_errors })))
    }
}
