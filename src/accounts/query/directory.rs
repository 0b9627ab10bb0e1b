//! SQL that lists users for administrators.
//!
//! A search scans names and email addresses sequentially: an index for substrings needs `pg_trgm`, an extension that
//! not every PostgreSQL server has. With 50,000 users, a search that fills its page after some hundred rows takes less
//! than a millisecond; one without matches takes 40 ms, and so does counting the matches.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{User, UserFilter, UserListPage};
use crate::graphql::Time;
use crate::platform::auth::Role;
use crate::platform::db::RunQueryDsl;
use crate::platform::db::schema::users;

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(text: Text) -> Text;
    /// Returns the position of `part` in `text`, 0 if it is absent. Unlike `LIKE`, it has no wildcards.
    fn strpos(text: Text, part: Text) -> Integer;
}

type Rows<'a> = users::BoxedQuery<'a, Pg>;

/// A filter, and the time at which bans are evaluated.
pub(crate) struct Which<'a> {
    pub filter: &'a UserFilter,
    pub now: DateTime<Utc>,
}

/// Builds a page ordered by `$key` and id, in the page's direction. `$bound` maps `$place`, the value in a cursor, to
/// the compared value. In the form `>= AND (> OR >)`, an index scan can start at the cursor.
macro_rules! paged {
    ($rows:expr, $key:expr, $ascending:expr, $page:expr, $place:ident => $bound:expr) => {{
        let (mut rows, page) = ($rows, $page);
        let (low, high) = if $ascending { (&page.after, &page.before) } else { (&page.before, &page.after) };
        if let Some(($place, id)) = low {
            rows = rows.filter($key.ge($bound)).filter($key.gt($bound).or(users::id.gt(*id)));
        }
        if let Some(($place, id)) = high {
            rows = rows.filter($key.le($bound)).filter($key.lt($bound).or(users::id.lt(*id)));
        }
        if $ascending == page.backward {
            rows.order(($key.desc(), users::id.desc())).limit(page.fetch())
        } else {
            rows.order(($key.asc(), users::id.asc())).limit(page.fetch())
        }
    }};
}

/// Returns a page of the users, in the direction of the page.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    which: Which<'_>,
    ascending: bool,
    page: &UserListPage,
) -> QueryResult<Vec<User>> {
    let rows = filtered(which);
    let rows = match page {
        UserListPage::CreatedAt(page) => paged!(rows, users::created_at, ascending, page, at => *at),
        UserListPage::Name(page) => paged!(rows, lower(users::name), ascending, page, name => lower(name)),
        UserListPage::Email(page) => paged!(rows, users::email, ascending, page, email => email),
    };
    rows.select(User::as_select()).load(&mut conn).await
}

pub(crate) async fn count(mut conn: &AsyncPgConnection, which: Which<'_>) -> QueryResult<i64> {
    filtered(which).count().get_result(&mut conn).await
}

/// Selects the ids of the users whose names or email addresses contain a text, for the conditions of other features'
/// lists.
pub fn ids_found(text: &str) -> users::BoxedQuery<'_, Pg, SqlUuid> {
    let found = strpos(lower(users::name), lower(text)).gt(0).or(strpos(users::email, lower(text)).gt(0));
    users::table.filter(users::deleted_at.is_null()).filter(found).select(users::id).into_boxed()
}

fn filtered(Which { filter, now }: Which<'_>) -> Rows<'_> {
    // Deleted users are not listed.
    let mut rows = users::table.filter(users::deleted_at.is_null()).into_boxed();
    if let Some(query) = filter.query.as_deref().map(str::trim).filter(|query| !query.is_empty()) {
        let named = strpos(lower(users::name), lower(query)).gt(0);
        rows = rows.filter(named.or(strpos(users::email, lower(query)).gt(0)));
    }
    if let Some(roles) = &filter.roles {
        let roles: Vec<Role> = roles.iter().map(|role| Role::from(*role)).collect();
        rows = rows.filter(users::role.eq_any(roles));
    }
    let over = users::banned_until.is_not_null().and(users::banned_until.le(now).assume_not_null());
    match filter.is_banned {
        None => {}
        Some(true) => rows = rows.filter(users::banned_at.is_not_null()).filter(not(over)),
        Some(false) => rows = rows.filter(users::banned_at.is_null().or(over)),
    }
    if let Some(Time(from)) = filter.created_from {
        rows = rows.filter(users::created_at.ge(from));
    }
    if let Some(Time(to)) = filter.created_to {
        rows = rows.filter(users::created_at.lt(to));
    }
    rows
}
