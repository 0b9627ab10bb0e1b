//! What users learn.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;

use super::certificate::{CertificateObject, certificate_of};
use super::progress::{CourseProgress, course_progress, sum_of};
use crate::accounts::{UserId, UserObject, can_see_private, user_node, viewer};
use crate::catalog::{Course, CourseById, CourseId, CourseObject, category_path, course_for_enrolled};
use crate::enrollments::loader::{AllOf, CountOf, EnrollmentById, EnrollmentIn, PageByTime};
use crate::enrollments::model::{
    Enrollment, EnrollmentFilter, EnrollmentId, EnrollmentPlace, EnrollmentSort, EnrollmentSortField, EnrollmentState,
    Sum,
};
use crate::entitlements::{ActiveOf, Entitlement, EntitlementObject, Ledger, connection_of};
use crate::graphql::context::{loaders, viewer_loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{Page, wants_total};
use crate::graphql::{Connection, Error, PageArgs, Result, Scoped, Sequential};

/// An enrollment in the schema.
#[derive(Clone)]
pub struct EnrollmentObject {
    row: Arc<Enrollment>,
    /// The place in the list that it is an item of.
    place: EnrollmentPlace,
}

/// What a user learns: there is one enrollment for each course to which they got access, whatever the source. It stays
/// when the access ends, and gives none.
#[Object(name = "Enrollment")]
impl EnrollmentObject {
    /// The id of the enrollment, unique per user and course.
    async fn id(&self) -> EnrollmentId {
        self.row.id
    }

    /// The user; null if the account was deleted.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.row.user_id).await?.map(Sequential))
    }

    /// The course. If it is not published, those with access to it still see what it is called and what its page says,
    /// but no lessons; for others it is null.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        Ok(course_for_enrolled(ctx, self.row.course_id).await?.map(Sequential))
    }

    /// When the user's access to the course began for the first time.
    async fn enrolled_at(&self) -> DateTime<Utc> {
        self.row.since
    }

    /// When the user last learned something in the course, at most a minute late; null if they have not begun.
    async fn last_activity_at(&self) -> Option<DateTime<Utc>> {
        self.row.last_activity_at
    }

    /// The user's progress in the course.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Sequential<CourseProgress>> {
        course_progress(ctx, &self.row).await
    }

    /// The certificate of the course; null if it was not issued.
    async fn certificate(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CertificateObject>>> {
        certificate_of(ctx, &self.row).await
    }

    /// The entitlements that give or gave the user access to the course, latest first.
    async fn entitlements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<EntitlementObject>>> {
        let (user, course) = (self.row.user_id, self.row.course_id);
        let ledger = loaders(ctx).load(Ledger { user, course: course.uuid() }).await?.unwrap_or_default();
        let path = match ledger.iter().any(|row| row.category_id.is_some()) {
            true => match loaders(ctx).load(CourseById(course)).await? {
                Some(course) => category_path(loaders(ctx), course.category_id).await?,
                None => Vec::new(),
            },
            false => Vec::new(),
        };
        let covering = |row: &&Arc<Entitlement>| row.covers(course.uuid(), &path);
        let rows = ledger.iter().filter(covering).cloned().collect();
        Ok(Sequential(connection_of(rows, PageArgs { first, after, last, before })?))
    }
}

/// The enrollments of the viewer.
#[derive(Default)]
pub(super) struct ViewerEnrollments;

#[Object]
impl ViewerEnrollments {
    /// What the user learns: the courses to which they have or had access, each once, latest activity first unless they
    /// are sorted otherwise.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadLearning)",
        directive = scoped::apply(Role::Student, Scope::ReadLearning)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn enrollments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which enrollments to return; defaults to all.")] filter: Option<EnrollmentFilter>,
        #[graphql(desc = "The sort order. A cursor is valid for one sort field only.")] sort: Option<EnrollmentSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<EnrollmentObject>>>> {
        let viewer = viewer(within(ctx, Scope::ReadLearning))?;
        enrollments_of(ctx, viewer, filter, sort, PageArgs { first, after, last, before }).await
    }
}

/// Returns a page of a user's enrollments.
///
/// The caller has checked that the viewer may see them.
///
/// # Errors
/// An argument is invalid; the database failed.
pub(crate) async fn enrollments_of(
    ctx: &Context<'_>,
    user: UserId,
    filter: Option<EnrollmentFilter>,
    sort: Option<EnrollmentSort>,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<EnrollmentObject>>>> {
    let (filter, sort) = (filter.unwrap_or_default(), sort.unwrap_or_default());
    let page = sort.page(args)?;
    let (rows, total) = if filter == EnrollmentFilter::default() && sort.field.is_by_time() {
        let rows = loaders(ctx).load(PageByTime(user, sort, page.clone())).await?.unwrap_or_default();
        let rows = rows.into_iter().map(|row| (sort.place(&row, None, 0), row)).collect();
        let total = if wants_total(ctx) { loaders(ctx).load(CountOf(user)).await? } else { None };
        (rows, total.unwrap_or_default())
    } else {
        selected(ctx, user, filter, sort, &page).await?
    };
    let object = |(place, row)| EnrollmentObject { row, place };
    let connection = page.connection(rows, object, move |object| sort.cursor(&object.place));
    Ok(Some(Sequential(connection.with_total(total))))
}

type Placed = (EnrollmentPlace, Arc<Enrollment>);

/// Returns a page of the enrollments that a filter selects, and the number of them.
///
/// Other features know what is asked for. A user has at most some thousand enrollments, so all are read.
async fn selected(
    ctx: &Context<'_>,
    user: UserId,
    filter: EnrollmentFilter,
    sort: EnrollmentSort,
    page: &Page<EnrollmentPlace>,
) -> Result<(Vec<Placed>, i64)> {
    let all = loaders(ctx).load(AllOf(user)).await?.unwrap_or_default();
    let mut rows: Vec<Arc<Enrollment>> = all.iter().cloned().collect();
    let active = match filter.state {
        Some(EnrollmentState::Active | EnrollmentState::Ended) => {
            loaders(ctx).load(ActiveOf(user)).await?.unwrap_or_default()
        }
        Some(EnrollmentState::Completed) | None => Arc::default(),
    };
    // Only an entitlement to a category depends on where the course is.
    let by_category = active.has_categories();
    let courses = match sort.field == EnrollmentSortField::Title || filter.channel_id.is_some() || by_category {
        true => courses_of(ctx, &rows).await?,
        false => HashMap::new(),
    };
    let sums = match sort.field == EnrollmentSortField::Progress || filter.state == Some(EnrollmentState::Completed) {
        true => sums_of(ctx, &rows).await?,
        false => HashMap::new(),
    };
    let course = |row: &Enrollment| courses.get(&row.course_id).map(Arc::as_ref);
    if filter.channel_id.is_some() {
        rows.retain(|row| course(row).is_some_and(|course| course.channel_id == filter.channel_id));
    }
    let sum = |row: &Enrollment| sums.get(&row.id).copied().unwrap_or_default();
    if filter.state == Some(EnrollmentState::Completed) {
        rows.retain(|row| row.completed_at.or(sum(row).completed_at).is_some());
    } else if let Some(state) = filter.state {
        let mut selected = Vec::new();
        for row in rows {
            let category = course(&row).and_then(|course| course.category_id).filter(|_| by_category);
            let path = category_path(loaders(ctx), category).await?;
            if active.covers(row.course_id.uuid(), &path) == (state == EnrollmentState::Active) {
                selected.push(row);
            }
        }
        rows = selected;
    }
    let total = i64::try_from(rows.len())?;
    let placed = rows.into_iter().map(|row| (sort.place(&row, course(&row), sum(&row).percent), row)).collect();
    Ok((sort.select(page, placed), total))
}

async fn sums_of(ctx: &Context<'_>, rows: &[Arc<Enrollment>]) -> Result<HashMap<EnrollmentId, Sum>> {
    let sums = rows.iter().map(async |row| Ok::<_, Error>((row.id, sum_of(ctx, row).await?)));
    Ok(try_join_all(sums).await?.into_iter().collect())
}

async fn courses_of(ctx: &Context<'_>, rows: &[Arc<Enrollment>]) -> Result<HashMap<CourseId, Arc<Course>>> {
    let courses = try_join_all(rows.iter().map(|row| loaders(ctx).load(CourseById(row.course_id)))).await?;
    Ok(courses.into_iter().flatten().map(|course| (course.id, course)).collect())
}

/// Returns an enrollment to its user and to administrators.
pub(super) async fn enrollment_node(ctx: &Context<'_>, id: EnrollmentId) -> Result<Option<EnrollmentObject>> {
    let viewer = within(ctx, Scope::ReadLearning);
    let row = loaders(ctx).load(EnrollmentById(id)).await?;
    Ok(row.filter(|row| can_see_private(viewer, row.user_id)).map(alone))
}

/// Returns the viewer's enrollment in a course.
///
/// # Errors
/// The database failed.
pub async fn viewer_enrollment(ctx: &Context<'_>, course: CourseId) -> Result<Option<Sequential<EnrollmentObject>>> {
    let Some(user) = within(ctx, Scope::ReadLearning).id() else { return Ok(None) };
    let row = viewer_loaders(ctx).load(EnrollmentIn(UserId::new(user), course)).await?;
    Ok(row.map(|row| Sequential(alone(row))))
}

/// An enrollment that is not an item of a list.
pub(super) fn alone(row: Arc<Enrollment>) -> EnrollmentObject {
    EnrollmentObject { row, place: EnrollmentPlace::default() }
}
