//! SQL that filters, orders and searches the public catalog.
//!
//! With 20,000 courses, a page in any order takes PostgreSQL 0.2 ms, also after a cursor or by tag. A page of a
//! selective filter takes up to 5 ms. A search takes one millisecond per hundred courses that it ranks, of which there
//! are at most [`MOST_FOUND`] with a match in the title and as many others (`docs/measurements.md`).

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use futures_util::future::try_join;
use uuid::Uuid;

use super::facet;
use crate::catalog::model::{
    Counted, Course, CourseId, CoursePlace, CourseSort, CourseSortField, FacetQuery, PublicationStatus, Search, Which,
};
use crate::graphql::page::{Page, SortDirection};
use crate::platform::db::schema::{course_texts, courses};
use crate::platform::db::{RunQueryDsl, sql_query};

/// The position of a search result: its rank and its id.
pub(crate) type FoundPlace = (i32, Uuid);

type Rows<'a> = courses::BoxedQuery<'a, Pg>;

/// The maximum number of matches of one kind that a search ranks, and of matches that are counted.
///
/// A word that half of 100,000 courses contain would otherwise take a quarter of a second.
const MOST_FOUND: i64 = 1000;
/// The maximum number of matches of a search that facets count.
const MOST_FACETED: i64 = 10_000;
/// The maximum number of courses that are suggested.
const MOST_SUGGESTED: usize = 20;

/// The rank of a course for `$search`, in millionths. An integer survives the round trip in a cursor unchanged.
///
/// Courses with all words in the title come first. A query as a subselect is parsed once, not for each row.
macro_rules! rank {
    ($search:expr) => {
        sql::<Integer>("(1000000 * (ts_rank('{0.05, 0.2, 0.5, 1}', words, (SELECT ")
            .bind::<Text, _>($search.needed())
            .sql("::tsquery)) + ts_rank('{0.05, 0.2, 0.5, 1}', words, (SELECT ")
            .bind::<Text, _>($search.wished())
            .sql("::tsquery)) + (ts_filter(words, '{a}') @@ (SELECT ")
            .bind::<Text, _>($search.needed())
            .sql("::tsquery))::integer))::integer")
    };
}

/// Filters `$rows` to the courses that match `$which`, public ones unless it has statuses, whatever else they are
/// joined with.
macro_rules! public {
    ($rows:expr, $which:expr) => {{
        let which: &Which = $which;
        let mut rows = $rows.filter(sql::<Bool>(&with_status(which.statuses.as_deref()))).into_boxed();
        if let Some(search) = &which.search {
            // As a subselect of each course, so that a walk along the order ends with the page.
            let each = sql::<Bool>("(SELECT words @@ (SELECT ").bind::<Text, _>(search.needed());
            rows = rows.filter(each.sql("::tsquery) FROM course_texts WHERE course_id = courses.id)"));
        }
        if let Some(categories) = &which.categories {
            rows = rows.filter(courses::category_id.eq_any(categories));
        }
        if let Some(levels) = &which.levels {
            rows = rows.filter(courses::level.eq_any(levels));
        }
        if let Some(languages) = &which.languages {
            let spoken = sql::<Bool>("(lower(courses.language) = ANY (").bind::<Array<Text>, _>(languages);
            let spoken = spoken.sql(") OR lower(split_part(courses.language, '-', 1)) = ANY (");
            rows = rows.filter(spoken.bind::<Array<Text>, _>(languages).sql("))"));
        }
        if !which.tags.is_empty() {
            rows = rows.filter(courses::tags.contains(&which.tags));
        }
        if let Some((currency, least, most)) = which.price {
            let priced = courses::currency.eq(currency).and(courses::price_minor.between(least, most));
            // Free courses are free in every currency.
            let free = courses::price_minor.between(least, 0);
            rows = rows.filter(priced.or(free));
        }
        match which.free {
            None => {}
            Some(true) => rows = rows.filter(courses::price_minor.eq(0)),
            Some(false) => rows = rows.filter(courses::price_minor.gt(0)),
        }
        if let Some(rating) = which.least_rating {
            rows = rows.filter(courses::rating_hundredths.ge(rating));
        }
        if let Some(instructor) = which.instructor {
            rows = rows.filter(courses::instructor_id.eq(instructor));
        }
        if let Some(course) = which.other_than {
            rows = rows.filter(courses::id.ne(course));
        }
        if let Some(seconds) = which.shortest {
            rows = rows.filter(courses::duration_seconds.ge(seconds));
        }
        if let Some(seconds) = which.longest {
            rows = rows.filter(courses::duration_seconds.le(seconds));
        }
        if let Some(channel) = which.channel {
            rows = rows.filter(courses::channel_id.eq(channel));
        }
        rows
    }};
}

/// The condition for courses with one of these statuses; published ones by default. See
/// [`PublicationStatus::of_course`].
fn with_status(statuses: Option<&[PublicationStatus]>) -> String {
    let conditions = statuses.unwrap_or(&[PublicationStatus::Published]).iter().map(|status| match status {
        PublicationStatus::Draft => {
            "(courses.published_at IS NULL AND courses.archived_at IS NULL AND courses.publish_at IS NULL)"
        }
        PublicationStatus::Scheduled => {
            "(courses.published_at IS NULL AND courses.archived_at IS NULL AND courses.publish_at IS NOT NULL)"
        }
        PublicationStatus::Published => "(courses.published_at IS NOT NULL AND courses.archived_at IS NULL)",
        PublicationStatus::Archived => "courses.archived_at IS NOT NULL",
    });
    format!("({})", conditions.collect::<Vec<_>>().join(" OR "))
}

/// Returns a page of the public courses that match `which`, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub async fn matching(
    mut conn: &AsyncPgConnection,
    which: &Which,
    order: CourseSort,
    page: &Page<CoursePlace>,
) -> QueryResult<Vec<Course>> {
    let descending = order.direction == SortDirection::Desc;
    let mut rows = match few_matches(conn, which).await? {
        Some(ids) => courses::table.filter(courses::id.eq_any(ids)).into_boxed(),
        None => public!(courses::table, which),
    };
    if let Some(place) = &page.after {
        rows = beyond(rows, order.field, descending, place);
    }
    if let Some(place) = &page.before {
        rows = beyond(rows, order.field, !descending, place);
    }
    let direction = if descending != page.backward { "DESC" } else { "ASC" };
    let order: Vec<String> = columns(order.field).iter().map(|column| format!("{column} {direction}")).collect();
    rows.order(sql::<Bool>(&order.join(", "))).limit(page.fetch()).select(Course::as_select()).load(&mut conn).await
}

/// Counts the public courses that match `which`; with a search, at most [`MOST_FOUND`].
pub(crate) async fn count_matching(mut conn: &AsyncPgConnection, which: &Which) -> QueryResult<i64> {
    match (&which.search, few_matches(conn, which).await?) {
        (_, Some(ids)) => Ok(i64::try_from(ids.len()).unwrap_or(MOST_FOUND)),
        (Some(_), None) => Ok(MOST_FOUND),
        (None, None) => public!(courses::table, which).count().get_result(&mut conn).await,
    }
}

/// Selects the public courses that match `$which`, and whose `$words`, an SQL expression with an index, match `$search`.
macro_rules! with_words {
    ($search:expr, $which:expr, $words:literal) => {{
        let needed = sql::<Bool>(concat!($words, " @@ ")).bind::<Text, _>($search.needed()).sql("::tsquery");
        public!(courses::table.inner_join(course_texts::table).filter(needed), $which)
    }};
}

/// Returns the public courses that match `which` if it has a search, unless there are more than [`MOST_FOUND`].
async fn few_matches(mut conn: &AsyncPgConnection, which: &Which) -> QueryResult<Option<Vec<Uuid>>> {
    let Some(search) = &which.search else { return Ok(None) };
    let which = Which { search: None, ..which.clone() };
    let rows = with_words!(search, &which, "words").limit(MOST_FOUND + 1);
    let ids: Vec<Uuid> = rows.select(courses::id).load(&mut conn).await?;
    Ok(i64::try_from(ids.len()).is_ok_and(|count| count <= MOST_FOUND).then_some(ids))
}

/// Returns the public courses that match a search and `which`, best matches first.
///
/// If more than [`MOST_FOUND`] match, that many with a match in the title and that many others are returned.
pub async fn found(conn: &AsyncPgConnection, search: &Search, which: &Which) -> QueryResult<Vec<FoundPlace>> {
    let place = (rank!(search), courses::id);
    let titled = with_words!(search, which, "ts_filter(words, '{a}')").limit(MOST_FOUND).select(place.clone());
    let others = with_words!(search, which, "words").limit(MOST_FOUND).select(place);
    let (mut first, mut second) = (conn, conn);
    let (titled, others): (Vec<FoundPlace>, Vec<FoundPlace>) =
        try_join(titled.load(&mut first), others.load(&mut second)).await?;
    let mut found: Vec<FoundPlace> = titled.into_iter().chain(others).collect();
    found.sort_unstable_by(|first, second| second.cmp(first));
    found.dedup();
    Ok(found)
}

/// Returns the courses to suggest for a search: those with all words in the title.
///
/// Courses whose title begins with the words come first, then the most popular ones.
pub(crate) async fn suggested(mut conn: &AsyncPgConnection, search: &Search) -> QueryResult<Vec<CourseId>> {
    let which = Which::default();
    let rows = with_words!(search, &which, "ts_filter(words, '{a}')").limit(MOST_FOUND);
    let columns = (courses::id, courses::title, courses::popularity);
    let mut rows: Vec<(CourseId, String, i32)> = rows.select(columns).load(&mut conn).await?;
    rows.sort_by_cached_key(|(id, title, popularity)| (!search.begins(title), Reverse(*popularity), id.uuid()));
    Ok(rows.into_iter().take(MOST_SUGGESTED).map(|(id, ..)| id).collect())
}

/// Counts courses for facets; with a search, at most [`MOST_FACETED`] that match it.
pub(crate) async fn facet_counts(conn: &AsyncPgConnection, query: &FacetQuery) -> QueryResult<Vec<(Counted, i64)>> {
    let columns = (
        courses::category_id,
        courses::level,
        courses::language,
        courses::currency,
        courses::price_minor,
        courses::rating_hundredths,
    );
    let Some(search) = &query.which.search else {
        return facet::counts(conn, public!(courses::table, &query.which).select(columns), query).await;
    };
    let which = Which { search: None, ..query.which.clone() };
    let found = with_words!(search, &which, "words").limit(MOST_FACETED).select(columns);
    facet::counts(conn, found, query).await
}

/// Returns similar known words for those of `words` that no public course contains.
///
/// A word that starts with it also counts as contained. Similar words differ by about one letter.
pub(crate) async fn near_words(
    mut conn: &AsyncPgConnection,
    words: &[&str],
) -> QueryResult<HashMap<String, Vec<String>>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        typed: String,
        #[diesel(sql_type = Text)]
        word: String,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT typed, course_words.word FROM unnest($1) AS typed
        JOIN course_words ON typo_keys(course_words.word) && typo_keys(typed)
        WHERE char_length(typed) BETWEEN 4 AND 24 AND (
            SELECT true FROM course_texts JOIN courses ON courses.id = course_texts.course_id
            WHERE words @@ (quote_literal(typed) || ':*')::tsquery AND published_at IS NOT NULL AND archived_at IS NULL
            LIMIT 1) IS NULL",
    )
    .bind::<Array<Text>, _>(words)
    .load(&mut conn)
    .await?;
    let mut near: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        near.entry(row.typed).or_default().push(row.word);
    }
    Ok(near)
}

/// The columns to compare and order by, most significant first.
fn columns(field: CourseSortField) -> &'static [&'static str] {
    match field {
        CourseSortField::CreatedAt => &["courses.created_at", "courses.id"],
        CourseSortField::PublishedAt => &["courses.published_at", "courses.id"],
        CourseSortField::Popularity => &["courses.popularity", "courses.id"],
        CourseSortField::Rating => &["courses.rating_hundredths", "courses.id"],
        CourseSortField::Price => &["courses.currency", "courses.price_minor", "courses.id"],
    }
}

/// Filters to the rows after `place`.
///
/// Rows are compared as tuples, so that an index scan can start at the place.
fn beyond<'a>(rows: Rows<'a>, field: CourseSortField, descending: bool, place: &CoursePlace) -> Rows<'a> {
    let (currency, number, id) = *place;
    let than = if descending { "<" } else { ">" };
    let row = sql::<Bool>(&format!("({}) {than} (", columns(field).join(", ")));
    match (field, currency) {
        (CourseSortField::CreatedAt | CourseSortField::PublishedAt, _) => {
            let at = DateTime::<Utc>::from_timestamp_micros(number).unwrap_or_default();
            rows.filter(row.bind::<Timestamptz, _>(at).sql(", ").bind::<SqlUuid, _>(id).sql(")"))
        }
        (_, None) => rows.filter(row.bind::<BigInt, _>(number).sql(", ").bind::<SqlUuid, _>(id).sql(")")),
        (_, Some(currency)) => {
            let row = row.bind::<Text, _>(currency).sql(", ").bind::<BigInt, _>(number);
            rows.filter(row.sql(", ").bind::<SqlUuid, _>(id).sql(")"))
        }
    }
}
