//! The queue as administrators see it.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::platform::db::RunQueryDsl;
use crate::platform::db::schema::jobs;

/// How many characters of an error are shown.
const LONGEST_ERROR: usize = 2000;

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(name = "JobState")]
pub enum State {
    /// It waits for a free worker, or for its time.
    Waiting,
    /// A worker runs it.
    Running,
    /// It has failed, and waits for its next attempt.
    Retrying,
    /// It has used up its attempts. It stays until it is replayed.
    Dead,
}

/// A job in the queue, without its payload. Finished jobs are deleted.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
pub struct Listed {
    /// The id.
    pub id: Uuid,
    /// The name of the handler.
    pub handler: String,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it is due.
    pub run_at: DateTime<Utc>,
    /// The number of runs that count as attempts, including the current one.
    pub attempts: i32,
    /// When the lease of its worker ends.
    pub leased_until: Option<DateTime<Utc>>,
    /// The error of the last failure.
    pub last_error: Option<String>,
    /// When it used up its attempts.
    pub dead_at: Option<DateTime<Utc>>,
}

impl Listed {
    /// Returns what the job is doing.
    pub fn state(&self, now: DateTime<Utc>) -> State {
        match self {
            Listed { dead_at: Some(_), .. } => State::Dead,
            Listed { leased_until: Some(until), .. } if *until > now => State::Running,
            Listed { attempts: 1.., .. } => State::Retrying,
            _ => State::Waiting,
        }
    }

    /// Returns the error of the last failure without what may be secret: user names, passwords and queries of URLs.
    pub fn shown_error(&self) -> Option<String> {
        let words = self.last_error.as_ref()?.split(' ').map(harmless).collect::<Vec<_>>();
        Some(words.join(" ").chars().take(LONGEST_ERROR).collect())
    }
}

/// Removes user, password and query from a word with a URL.
fn harmless(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (path, query) = path.split_once('?').map_or((path, ""), |(path, _)| (path, "?…"));
    format!("{scheme}://{authority}{path}{query}")
}

/// Which jobs to list; `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Which {
    /// Only jobs in one of these states.
    pub states: Option<Vec<State>>,
    /// Only jobs of one of these handlers.
    pub handlers: Option<Vec<String>>,
}

/// Part of a list that is sorted by id, which is the order of creation, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// Only jobs older than this one.
    pub after: Option<Uuid>,
    /// Only jobs newer than this one.
    pub before: Option<Uuid>,
    /// Whether to return the oldest ones first.
    pub backward: bool,
    /// The maximum number of jobs.
    pub limit: i64,
}

/// Returns jobs, in the direction of the part.
///
/// # Errors
/// The database failed.
pub async fn list(
    mut conn: &AsyncPgConnection,
    which: &Which,
    part: &Part,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Listed>> {
    let mut rows = filtered(which, now);
    if let Some(after) = part.after {
        rows = rows.filter(jobs::id.lt(after));
    }
    if let Some(before) = part.before {
        rows = rows.filter(jobs::id.gt(before));
    }
    rows = if part.backward { rows.order(jobs::id.asc()) } else { rows.order(jobs::id.desc()) };
    rows.limit(part.limit).select(Listed::as_select()).load(&mut conn).await
}

/// Counts jobs.
///
/// # Errors
/// The database failed.
pub async fn count(mut conn: &AsyncPgConnection, which: &Which, now: DateTime<Utc>) -> QueryResult<i64> {
    filtered(which, now).count().get_result(&mut conn).await
}

/// Returns the jobs with these ids, in any order.
///
/// # Errors
/// The database failed.
pub async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Listed>> {
    jobs::table.filter(jobs::id.eq_any(ids)).select(Listed::as_select()).load(conn).await
}

fn filtered(which: &Which, now: DateTime<Utc>) -> jobs::BoxedQuery<'_, Pg> {
    let mut rows = jobs::table.into_boxed();
    if let Some(handlers) = &which.handlers {
        rows = rows.filter(jobs::handler.eq_any(handlers));
    }
    if let Some(states) = &which.states {
        let none = Box::new(diesel::dsl::sql::<Nullable<Bool>>("FALSE"));
        let any = states.iter().fold(none as Condition, |any, state| Box::new(any.or(is(*state, now))));
        rows = rows.filter(any);
    }
    rows
}

type Condition = Box<dyn BoxableExpression<jobs::table, Pg, SqlType = Nullable<Bool>>>;

/// The condition of [`Listed::state`].
fn is(state: State, now: DateTime<Utc>) -> Condition {
    let idle = || jobs::leased_until.is_null().or(jobs::leased_until.le(now));
    let alive = || jobs::dead_at.is_null();
    match state {
        State::Waiting => Box::new(alive().and(idle()).and(jobs::attempts.eq(0))),
        State::Running => Box::new(alive().and(not(idle()))),
        State::Retrying => Box::new(alive().and(idle()).and(jobs::attempts.gt(0))),
        State::Dead => Box::new(jobs::dead_at.is_not_null().nullable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_shown_without_secrets() {
        for (error, shown) in [
            ("it is broken", "it is broken"),
            ("cannot reach smtps://post:hunter2@mail.example:465", "cannot reach smtps://mail.example:465"),
            ("GET https://s3.example/a/b?X-Amz-Signature=abc failed", "GET https://s3.example/a/b?… failed"),
            ("https://a.example/@ada is gone", "https://a.example/@ada is gone"),
        ] {
            assert_eq!(error.split(' ').map(harmless).collect::<Vec<_>>().join(" "), shown);
        }
    }
}
