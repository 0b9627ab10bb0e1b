//! Commands that list users for administrators.

use crate::accounts::model::{User, UserFilter, UserId, UserPlace, UserSort, UserSortField};
use crate::accounts::policy;
use crate::accounts::query::directory::{self as query, Which};
use crate::graphql::page::{Page, SortDirection, instant};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;

/// Returns a page of the users who match `filter`, in the page's direction.
///
/// # Errors
/// The actor is not an administrator; a cursor does not belong to this list.
pub(crate) async fn users(
    app: &App,
    actor: &Actor,
    filter: &UserFilter,
    sort: UserSort,
    page: Page<UserPlace>,
) -> Result<Vec<User>> {
    let Some(which) = check(app, actor, filter)? else { return Ok(Vec::new()) };
    let (list, ascending) = (sort.list(), sort.direction == SortDirection::Asc);
    match sort.field {
        UserSortField::CreatedAt => {
            let page = page.try_map(|place| created_at(list, place))?;
            Ok(query::by_created_at(&mut *app.db.read().await?, &which, ascending, &page).await?)
        }
        UserSortField::Name => {
            let page = page.try_map(|place| text(list, place))?;
            Ok(query::by_name(&mut *app.db.read().await?, &which, ascending, &page).await?)
        }
        UserSortField::Email => {
            let page = page.try_map(|place| text(list, place))?;
            Ok(query::by_email(&mut *app.db.read().await?, &which, ascending, &page).await?)
        }
    }
}

/// Returns the number of matching users on all pages.
///
/// # Errors
/// The actor is not an administrator.
pub(crate) async fn count_users(app: &App, actor: &Actor, filter: &UserFilter) -> Result<i64> {
    let Some(which) = check(app, actor, filter)? else { return Ok(0) };
    Ok(query::count(&mut *app.db.read().await?, &which).await?)
}

/// Returns what to query; `None` if no user can match.
fn check<'a>(app: &App, actor: &Actor, filter: &'a UserFilter) -> Result<Option<Which<'a>>> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators list users.".into()));
    }
    // PostgreSQL rejects text with a NUL character; no name contains one.
    let impossible = filter.query.as_ref().is_some_and(|query| query.contains('\0'));
    Ok((!impossible).then(|| Which { filter, now: app.clock.now() }))
}

fn created_at(list: &str, (micros, id): UserPlace) -> Result<(chrono::DateTime<chrono::Utc>, UserId)> {
    // Not a number: `instant` rejects -1.
    Ok((instant(list, micros.parse().unwrap_or(-1))?, id))
}

/// Rejects text with a NUL character, which PostgreSQL does not accept. Cursors are not signed.
fn text(list: &str, (text, id): UserPlace) -> Result<UserPlace> {
    match text.contains('\0') {
        false => Ok((text, id)),
        true => Err(Error::BadInput(format!("The cursor is not one that {list} returned."))),
    }
}
