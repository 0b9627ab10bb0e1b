//! Listing users for administrators.

use crate::accounts::model::{User, UserFilter, UserId, UserOrder, UserOrderField, UserPlace};
use crate::accounts::policy;
use crate::accounts::query::directory::{self as query, Which};
use crate::graphql::page::{OrderDirection, Page, instant};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;

/// A page of the users whom `filter` lets through, in the page's direction.
///
/// # Errors
/// Only administrators list users; a cursor is none of this list.
pub(crate) async fn users(
    app: &App,
    actor: &Actor,
    filter: &UserFilter,
    order: UserOrder,
    page: Page<UserPlace>,
) -> Result<Vec<User>> {
    let Some(which) = check(app, actor, filter)? else { return Ok(Vec::new()) };
    let (list, ascending) = (order.list(), order.direction == OrderDirection::Asc);
    match order.field {
        UserOrderField::CreatedAt => {
            let page = page.try_map(|place| created_at(list, place))?;
            Ok(query::by_created_at(&mut *app.db.read().await?, &which, ascending, &page).await?)
        }
        UserOrderField::Name => {
            let page = page.try_map(|place| text(list, place))?;
            Ok(query::by_name(&mut *app.db.read().await?, &which, ascending, &page).await?)
        }
        UserOrderField::Email => {
            let page = page.try_map(|place| text(list, place))?;
            Ok(query::by_email(&mut *app.db.read().await?, &which, ascending, &page).await?)
        }
    }
}

/// How many there are on all pages.
///
/// # Errors
/// Only administrators count users.
pub(crate) async fn count_users(app: &App, actor: &Actor, filter: &UserFilter) -> Result<i64> {
    let Some(which) = check(app, actor, filter)? else { return Ok(0) };
    Ok(query::count(&mut *app.db.read().await?, &which).await?)
}

/// What to ask the database for; `None` when nobody can be found.
fn check<'a>(app: &App, actor: &Actor, filter: &'a UserFilter) -> Result<Option<Which<'a>>> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators list users.".into()));
    }
    // PostgreSQL refuses a statement with a NUL in a text; nobody has one in their name.
    let impossible = filter.query.as_ref().is_some_and(|query| query.contains('\0'));
    Ok((!impossible).then(|| Which { filter, now: app.clock.now() }))
}

fn created_at(list: &str, (micros, id): UserPlace) -> Result<(chrono::DateTime<chrono::Utc>, UserId)> {
    // No number: before all there is.
    Ok((instant(list, micros.parse().unwrap_or(-1))?, id))
}

/// Cursors are not signed.
fn text(list: &str, (text, id): UserPlace) -> Result<UserPlace> {
    match text.contains('\0') {
        false => Ok((text, id)),
        true => Err(Error::BadInput(format!("The cursor is not one that {list} returned."))),
    }
}
