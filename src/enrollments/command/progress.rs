//! Commands that save progress.
//!
//! Players report every few seconds, so what they send is written in batches: while one batch is written, the next one
//! grows ([`Loaders`] have that device for reads, and it is the same for [`Save`]). A report is answered after the commit of
//! its batch, so that nothing that was acknowledged is lost, and every node reads it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use futures_util::future::try_join_all;

use super::certificate::issue;
use crate::accounts::{UserById, UserId, viewer};
use crate::catalog::{
    self, CompletionOf, Course, CourseById, CourseId, Lesson, LessonById, LessonId, LessonKind, LessonsOf, Showing,
};
use crate::enrollments::error;
use crate::enrollments::loader::EnrollmentIn;
use crate::enrollments::model::ranges::Ranges;
use crate::enrollments::model::watching::LATEST;
use crate::enrollments::model::{
    Change, Enrollment, EnrollmentId, Learner, LessonRow, ProgressInput, Save, SaveProgressInput,
    SetLessonCompletedInput, Watched, What, enough, is_complete, published,
};
use crate::enrollments::query::progress as query;
use crate::entitlements::{AccessReason, Held};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::loaders::{Load, Loaders};
use crate::graphql::{Error, Result, Time, UserError};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// The maximum number of reports in one call.
const MOST_ENTRIES: usize = 100;
/// The maximum number of parts in one report.
const MOST_PARTS: usize = 20;
/// The last second of the longest video.
const LONGEST_VIDEO: i32 = 1_000_000;

/// What was saved, and what was refused.
pub struct Saved {
    /// The enrollments in which something was saved, as they are now.
    pub enrollments: Vec<Arc<Enrollment>>,
    /// The errors of the reports that were refused. The others are saved.
    pub errors: Vec<UserError>,
}

/// Saves what players report. Each report is saved or refused by itself.
///
/// # Errors
/// There are no reports, or too many; the actor is not signed in; the database failed.
pub async fn save_progress(loaders: &Loaders, actor: &Actor, input: SaveProgressInput) -> Result<Saved> {
    let mut check = Check::new();
    if input.entries.is_empty() {
        check.error(UserErrorCode::Blank, "entries", "Entries must not be empty.");
    }
    if input.entries.len() > MOST_ENTRIES {
        let message = format!("Entries has {} entries; at most {MOST_ENTRIES} are allowed.", input.entries.len());
        check.error(UserErrorCode::TooLong, "entries", message);
    }
    check.finish()?;
    let place = |index: usize| vec!["entries".to_owned(), index.to_string()];
    save(loaders, actor, input.entries.into_iter().enumerate().map(|(index, entry)| (place(index), entry)).collect())
        .await
}

/// Saves reports, each with its place in the input.
pub(crate) async fn save(
    loaders: &Loaders,
    actor: &Actor,
    entries: Vec<(Vec<String>, ProgressInput)>,
) -> Result<Saved> {
    let now = loaders.app().clock.now();
    let learner = Learning::load(loaders, actor, entries.iter().map(|(_, entry)| entry.lesson_id)).await?;
    let (mut changes, mut errors) = (HashMap::<CourseId, Vec<Change>>::new(), Vec::new());
    for (path, entry) in entries {
        match learner.report(entry, now) {
            Ok((course, change)) => changes.entry(course).or_default().push(change),
            Err(mut wrong) => {
                wrong.field.splice(0..0, path);
                errors.push(wrong);
            }
        }
    }
    Ok(Saved { enrollments: learner.save(loaders, changes).await?, errors })
}

/// Completes a lesson by hand, or undoes that.
///
/// # Errors
/// There is no such lesson; the actor has no access to it, or is not signed in; the database failed.
pub async fn set_lesson_completed(
    loaders: &Loaders,
    actor: &Actor,
    input: SetLessonCompletedInput,
) -> Result<Arc<Enrollment>> {
    let learner = Learning::load(loaders, actor, [input.lesson_id].into_iter()).await?;
    let lesson = learner.lesson(input.lesson_id).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    let change = Change { lesson: lesson.id, enough: None, what: What::Mark(input.completed) };
    let saved = learner.save(loaders, HashMap::from([(lesson.course_id, vec![change])])).await?;
    saved.into_iter().next().ok_or_else(|| Error::Invalid(vec![error::no_such_lesson()]))
}

/// Completes the first `count` published lessons of a course. For the command line.
///
/// # Errors
/// The actor has no access to the course; the database failed.
pub async fn import_progress(app: &App, actor: &Actor, course: CourseId, count: usize) -> Result<()> {
    let loaders = Loaders::new(app.clone());
    let lessons = loaders.load(LessonsOf(course)).await?.unwrap_or_default();
    let ids: Vec<LessonId> = published(&lessons).take(count).collect();
    let learner = Learning::load(&loaders, actor, ids.iter().copied()).await?;
    for id in &ids {
        learner.lesson(*id).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    }
    let changes = ids.into_iter().map(|lesson| Change { lesson, enough: None, what: What::Mark(true) }).collect();
    learner.save(&loaders, HashMap::from([(course, changes)])).await.map(drop)
}

/// What has to be known of a user to save their progress in some lessons.
struct Learning {
    user: UserId,
    zone: Tz,
    name: Arc<str>,
    lessons: HashMap<LessonId, (Arc<Lesson>, AccessReason)>,
    courses: HashMap<CourseId, OfCourse>,
}

/// What has to be known of a user's course.
struct OfCourse {
    title: Arc<str>,
    outline: Arc<[LessonId]>,
    /// When the user's access began.
    since: DateTime<Utc>,
    is_enrolled: bool,
    /// The share of a video that completes its lesson.
    percent: i32,
}

impl Learning {
    /// Loads it in batches, with what other requests need.
    async fn load(loaders: &Loaders, actor: &Actor, ids: impl Iterator<Item = LessonId>) -> Result<Learning> {
        let user = viewer(actor)?;
        let ids: HashSet<LessonId> = ids.collect();
        let (account, rows) = tokio::try_join!(
            loaders.load(UserById(user)),
            try_join_all(ids.into_iter().map(|id| loaders.load(LessonById(id))))
        )?;
        let rows: Vec<Arc<Lesson>> = rows.into_iter().flatten().collect();
        let course_ids: HashSet<CourseId> = rows.iter().map(|lesson| lesson.course_id).collect();
        let found = try_join_all(course_ids.iter().map(|id| loaders.load(CourseById(*id)))).await?;
        let found: HashMap<CourseId, Arc<Course>> =
            found.into_iter().flatten().map(|course| (course.id, course)).collect();
        let access = rows.into_iter().filter_map(|lesson| Some((found.get(&lesson.course_id)?.clone(), lesson)));
        let access = access.map(async |(course, lesson)| {
            let access = catalog::access_to(loaders, actor, &Showing::Lesson(course, lesson.clone())).await?;
            Ok::<_, Error>((lesson.id, (lesson, access.reason)))
        });
        let of_course = found.values().map(async |course| {
            let of_course = OfCourse::load(loaders, user, course).await?;
            Ok::<_, Error>(of_course.map(|of_course| (course.id, of_course)))
        });
        let (lessons, courses) = tokio::try_join!(try_join_all(access), try_join_all(of_course))?;
        let name = account.as_ref().map(|account| account.name.as_str()).unwrap_or_default().into();
        let zone = account.map(|account| account.zone()).unwrap_or_default();
        Ok(Learning {
            user,
            zone,
            name,
            lessons: lessons.into_iter().collect(),
            courses: courses.into_iter().flatten().collect(),
        })
    }

    /// Returns the lesson if the user may save progress in it.
    ///
    /// Only those who are entitled to it may: not staff, and not who watches a preview.
    fn lesson(&self, id: LessonId) -> std::result::Result<&Lesson, UserError> {
        match self.lessons.get(&id) {
            None | Some((_, AccessReason::NotPublished | AccessReason::Archived)) => Err(error::no_such_lesson()),
            Some((lesson, AccessReason::Entitled)) if self.courses.contains_key(&lesson.course_id) => Ok(lesson),
            Some(_) => Err(error::not_enrolled()),
        }
    }

    /// Checks a report.
    fn report(&self, entry: ProgressInput, now: DateTime<Utc>) -> std::result::Result<(CourseId, Change), UserError> {
        let lesson = self.lesson(entry.lesson_id)?;
        let Time(at) = entry.at;
        let course = self.courses.get(&lesson.course_id).ok_or_else(error::not_enrolled)?;
        if at > now || at < now - LATEST || at < course.since {
            return Err(error::wrong_time());
        }
        if entry.watched.len() > MOST_PARTS {
            return Err(error::too_many_parts(entry.watched.len(), MOST_PARTS));
        }
        let seconds = 0..=LONGEST_VIDEO;
        if !seconds.contains(&entry.position_seconds) {
            return Err(error::wrong_second(&["positionSeconds"]));
        }
        let longest = lesson.duration_seconds.unwrap_or(LONGEST_VIDEO);
        let mut watched = Vec::with_capacity(entry.watched.len());
        for (index, part) in entry.watched.iter().enumerate() {
            if !seconds.contains(&part.from) || !seconds.contains(&part.to) || part.from > part.to {
                return Err(error::wrong_second(&["watched", &index.to_string()]));
            }
            watched.push((part.from, part.to.min(longest)));
        }
        let position = entry.position_seconds.min(longest);
        let what = What::Report { at, position, watched: Ranges::new(watched) };
        let duration = lesson.duration_seconds.filter(|_| lesson.kind == LessonKind::Video);
        let enough = duration.and_then(|seconds| enough(seconds, course.percent));
        Ok((lesson.course_id, Change { lesson: lesson.id, enough, what }))
    }

    /// Saves changes; returns the enrollments as they are now.
    async fn save(&self, loaders: &Loaders, changes: HashMap<CourseId, Vec<Change>>) -> Result<Vec<Arc<Enrollment>>> {
        let save = |(course, changes): (CourseId, Vec<Change>)| {
            let of_course = self.courses.get(&course)?;
            Some(Save {
                id: loaders.app().clock.uuid(),
                user: self.user,
                course,
                since: (!of_course.is_enrolled).then_some(of_course.since),
                zone: self.zone,
                holder_name: self.name.clone(),
                course_title: of_course.title.clone(),
                outline: of_course.outline.clone(),
                changes: changes.into(),
            })
        };
        let saves = changes.into_iter().filter_map(save).map(|save| loaders.load(save));
        let mut saved: Vec<Arc<Enrollment>> = try_join_all(saves).await?.into_iter().flatten().collect();
        saved.sort_unstable_by_key(|row| row.id.uuid());
        Ok(saved)
    }
}

impl OfCourse {
    /// Loads what has to be known of a course; `None` if the user has no access to it.
    async fn load(loaders: &Loaders, user: UserId, course: &Course) -> Result<Option<OfCourse>> {
        let (enrollment, lessons, percent) = tokio::try_join!(
            loaders.load(EnrollmentIn(user, course.id)),
            loaders.load(LessonsOf(course.id)),
            loaders.load(CompletionOf(course.id))
        )?;
        let percent = percent.unwrap_or(loaders.app().config.video.completion_percent);
        let outline: Arc<[LessonId]> = published(&lessons.unwrap_or_default()).collect();
        let title: Arc<str> = course.title.as_str().into();
        if let Some(row) = enrollment {
            return Ok(Some(OfCourse { title, outline, since: row.since, is_enrolled: true, percent }));
        }
        // Entitled to the category or to everything.
        let held = loaders.load(Held { user, course: course.id.uuid() }).await?.unwrap_or_default();
        let path = catalog::category_path(loaders, course.category_id).await?;
        let now = loaders.app().clock.now();
        let active = held.iter().filter(|row| row.is_active(now) && row.covers(course.id.uuid(), &path));
        let since = active.map(|row| row.starts_at).min();
        Ok(since.map(|since| OfCourse { title, outline, since, is_enrolled: false, percent }))
    }
}

/// A batch of changes, loaded as what it leads to: the enrollment; missing if the course was deleted.
impl Load for Save {
    type Value = Arc<Enrollment>;

    async fn load(app: &App, keys: &[Save]) -> std::result::Result<HashMap<Save, Arc<Enrollment>>, InternalError> {
        app.db.transaction(async |tx| write(tx, app, keys).await).await
    }
}

/// Writes a batch: some statements, whatever its size.
async fn write(
    tx: &mut Tx,
    app: &App,
    saves: &[Save],
) -> std::result::Result<HashMap<Save, Arc<Enrollment>>, InternalError> {
    let now = app.clock.now();
    let missing: BTreeSet<_> =
        saves.iter().filter_map(|save| Some(((save.course.uuid(), save.user.uuid()), save.since?))).collect();
    for ((course, user), since) in missing {
        let (course, user) = (CourseId::new(course), UserId::new(user));
        if catalog::hold_course(tx, course).await?.is_some() {
            query::enroll(tx, &app.clock, (user, course), since).await?;
        }
    }
    let (users, courses) = saves.iter().map(|save| (save.user, save.course)).unzip();
    let mut learners = query::lock(tx, users, courses).await?;
    let pairs = saves.iter().filter_map(|save| Some((learners.get(&(save.user, save.course))?.0, save)));
    let pairs = pairs.flat_map(|(id, save)| save.changes.iter().map(move |change| (id, change.lesson)));
    let (ids, lessons) = pairs.unzip();
    let mut watched = query::watched(tx, ids, lessons).await?;
    let mut enough: HashMap<(EnrollmentId, LessonId), i32> = HashMap::new();
    for save in saves {
        let Some((id, learner)) = learners.get_mut(&(save.user, save.course)) else { continue };
        for change in save.changes.iter() {
            let lesson = watched.entry((*id, change.lesson)).or_default();
            learner.apply(lesson, &change.what, save.zone, now);
            enough.extend(change.enough.map(|seconds| ((*id, change.lesson), seconds)));
        }
    }
    let rows = settle(&mut learners, &mut watched, &enough, now);
    query::write_lessons(tx, serde_json::to_value(&rows)?).await?;
    complete(tx, app, saves, &mut learners, &rows).await?;
    query::write_learners(tx, learners.values().map(|(id, learner)| (*id, learner))).await?;
    let saved = |save: &Save| {
        let (id, learner) = learners.get(&(save.user, save.course))?;
        let row = Enrollment {
            id: *id,
            user_id: save.user,
            course_id: save.course,
            since: learner.since,
            last_activity_at: learner.last_activity_at,
            completed_at: learner.completed_at,
            watched_seconds: learner.watched_seconds,
            active_days: learner.days.to_column(),
        };
        Some((save.clone(), Arc::new(row)))
    };
    Ok(saves.iter().filter_map(saved).collect())
}

type Learners = HashMap<(UserId, CourseId), (EnrollmentId, Learner)>;

/// Counts what was watched, completes the lessons of which that is enough, and returns the rows to write.
fn settle(
    learners: &mut Learners,
    watched: &mut HashMap<(EnrollmentId, LessonId), Watched>,
    enough: &HashMap<(EnrollmentId, LessonId), i32>,
    now: DateTime<Utc>,
) -> Vec<LessonRow> {
    let mut by_id: HashMap<EnrollmentId, &mut Learner> =
        learners.values_mut().map(|(id, learner)| (*id, learner)).collect();
    for ((id, _), lesson) in watched.iter_mut() {
        if let Some(learner) = by_id.get_mut(id) {
            learner.count(lesson, now);
        }
    }
    // After all were counted, because the sum matters.
    for ((id, lesson_id), lesson) in watched.iter_mut() {
        if let Some(learner) = by_id.get_mut(id) {
            learner.complete(lesson, enough.get(&(*id, *lesson_id)).copied(), now);
        }
    }
    watched.iter().map(|((id, lesson_id), lesson)| LessonRow::of(id.uuid(), *lesson_id, lesson)).collect()
}

/// Notes which enrollments are complete now, and issues the certificates; the rows of their lessons are written.
async fn complete(
    tx: &mut Tx,
    app: &App,
    saves: &[Save],
    learners: &mut Learners,
    rows: &[LessonRow],
) -> std::result::Result<(), InternalError> {
    let closed: HashSet<EnrollmentId> =
        rows.iter().filter(|row| row.completed_at.is_some()).map(|row| EnrollmentId::new(row.enrollment_id)).collect();
    let open = learners.values().filter(|(id, learner)| learner.completed_at.is_none() && closed.contains(id));
    let open: Vec<EnrollmentId> = open.map(|(id, _)| *id).collect();
    if open.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    let completed = query::completed(tx, &open).await?;
    for save in saves {
        let Some((id, learner)) = learners.get_mut(&(save.user, save.course)) else { continue };
        let is_new = learner.completed_at.is_none();
        if is_new && completed.get(id).is_some_and(|lessons| is_complete(&save.outline, lessons)) {
            learner.completed_at = Some(now);
            issue(tx, app, save, now).await?;
        }
    }
    Ok(())
}
