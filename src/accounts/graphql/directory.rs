//! The user list for administrators.

use async_graphql::{Context, Object};

use super::user::{UserObject, object};
use crate::accounts::loader::{UserCount, UsersPage};
use crate::accounts::model::{UserFilter, UserPlace, UserSort};
use crate::graphql::context::loaders;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{SortDirection, encode_cursor, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Scoped, Sequential};

/// The user list queries.
#[derive(Default)]
pub(super) struct DirectoryQuery;

#[Object]
impl DirectoryQuery {
    /// All users; by default ordered by registration, newest first.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadUsers)",
        directive = scoped::apply(Role::Admin, Scope::ReadUsers)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which users to return; defaults to all.")] filter: Option<UserFilter>,
        #[graphql(desc = "The sort order. A cursor is valid for one sort field only.")] sort: Option<UserSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<UserObject>>>> {
        let (filter, sort) = (filter.unwrap_or_default(), sort.unwrap_or_default());
        let page = PageArgs { first, after, last, before }.page::<UserPlace>(sort.list())?;
        let key = UsersPage {
            filter: filter.clone(),
            ascending: sort.direction == SortDirection::Asc,
            page: sort.page(page.clone())?,
        };
        let rows = loaders(ctx).load(key).await?.unwrap_or_default();
        let cursor = move |object: &UserObject| encode_cursor(sort.list(), &sort.place(&object.user));
        let connection = page.connection(rows, |user| object(user).0, cursor);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(UserCount(filter)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}
