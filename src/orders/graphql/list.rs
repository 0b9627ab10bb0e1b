//! Lists of orders.

use std::cmp::Reverse;

use async_graphql::{Context, Object};
use uuid::Uuid;

use super::order::OrderObject;
use crate::accounts::{UserId, viewer};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::money::CurrencyCode;
use crate::graphql::page::{SortDirection, encode_cursor, wants_total};
use crate::graphql::{Connection, Error, PageArgs, Result, Scoped, Sequential, page};
use crate::memberships::MembershipId;
use crate::orders::loader::{OrderCount, OrderPage, OrdersOf};
use crate::orders::model::{OrderFilter, OrderSort, OrderSortField, OrderWhich, SortedPage, TotalPlace};
use crate::orders::{command, error, policy};

const LIST: &str = "orders";
const BY_TOTAL: &str = "orders by total";

/// Returns which orders an administrator lists. By names and addresses, only who may see these.
fn all_which(ctx: &Context<'_>, filter: Option<OrderFilter>) -> Result<OrderWhich> {
    let which = filter.unwrap_or_default().which()?;
    if which.buyer_query.is_some() && !policy::can_manage(within(ctx, Scope::ReadUsers)) {
        return Err(error::buyers_forbidden());
    }
    Ok(which)
}

/// Returns the position of a cursor in the list by total. Cursors are not signed.
fn total_place((code, total, id): (String, i64, Uuid)) -> Result<TotalPlace> {
    match CurrencyCode::parse(&code) {
        Some(currency) => Ok((currency, total, id)),
        None => Err(Error::BadInput(format!("The cursor is not one that {BY_TOTAL} returned."))),
    }
}

async fn listed(
    ctx: &Context<'_>,
    which: OrderWhich,
    sort: OrderSort,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<OrderObject>>>> {
    let ascending = sort.direction == SortDirection::Asc;
    let key = |page| OrderPage { which: which.clone(), ascending, page };
    let connection = match sort.field {
        OrderSortField::CreatedAt => {
            let page = args.timed_page(LIST)?;
            let rows = loaders(ctx).load(key(SortedPage::CreatedAt(page.clone()))).await?.unwrap_or_default();
            page.connection(rows, OrderObject, |OrderObject(row)| {
                encode_cursor(LIST, &(row.created_at.timestamp_micros(), row.id.uuid()))
            })
        }
        OrderSortField::Total => {
            let page = args.page::<(String, i64, Uuid)>(BY_TOTAL)?.try_map(total_place)?;
            let rows = loaders(ctx).load(key(SortedPage::Total(page.clone()))).await?.unwrap_or_default();
            page.connection(rows, OrderObject, |OrderObject(row)| {
                encode_cursor(BY_TOTAL, &(row.currency.code(), row.total_minor, row.id.uuid()))
            })
        }
    };
    if !wants_total(ctx) {
        return Ok(Some(Sequential(connection)));
    }
    let total = loaders(ctx).load(OrderCount(which)).await?.unwrap_or_default();
    Ok(Some(Sequential(connection.with_total(total))))
}

/// Returns the orders of a user, latest first, to them and to administrators.
///
/// # Errors
/// The viewer is neither; the arguments are invalid.
pub(crate) async fn orders_of(
    ctx: &Context<'_>,
    user: UserId,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<OrderObject>>>> {
    if !policy::can_see(within(ctx, Scope::ReadOrders), user) {
        return Err(error::orders_forbidden());
    }
    listed(ctx, OrderWhich { buyer: Some(user), ..OrderWhich::default() }, OrderSort::default(), args).await
}

/// Returns a page of the orders of a membership, latest first. The caller has checked that the viewer may see it.
///
/// # Errors
/// An argument is invalid; the database failed.
pub(crate) async fn orders_of_membership(
    ctx: &Context<'_>,
    membership: MembershipId,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<OrderObject>>>> {
    let rows = loaders(ctx).load(OrdersOf(membership)).await?.unwrap_or_default();
    let rows = rows.iter().cloned().map(OrderObject).collect();
    let place = |OrderObject(row): &OrderObject| Reverse((row.created_at.timestamp_micros(), row.id.uuid()));
    Ok(Some(Sequential(page::slice(args, LIST, rows, place)?)))
}

/// The orders of the viewer.
#[derive(Default)]
pub(super) struct ViewerOrders;

#[Object]
impl ViewerOrders {
    /// The user's orders, latest first.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadOrders)",
        directive = scoped::apply(Role::Student, Scope::ReadOrders)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; defaults to all. Its `buyerId` and `buyerQuery` change nothing.")] filter: Option<
            OrderFilter,
        >,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<OrderObject>>>> {
        let buyer = Some(viewer(within(ctx, Scope::ReadOrders))?);
        let which = OrderWhich { buyer, buyer_query: None, ..filter.unwrap_or_default().which()? };
        listed(ctx, which, OrderSort::default(), PageArgs { first, after, last, before }).await
    }
}

/// The list of all orders.
#[derive(Default)]
pub(super) struct OrderQuery;

#[Object]
impl OrderQuery {
    /// All orders, latest first unless they are sorted otherwise.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadOrders)",
        directive = scoped::apply(Role::Admin, Scope::ReadOrders)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which orders to return; defaults to all.")] filter: Option<OrderFilter>,
        #[graphql(desc = "The sort order. A cursor is valid for one sort field only.")] sort: Option<OrderSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<OrderObject>>>> {
        let which = all_which(ctx, filter)?;
        listed(ctx, which, sort.unwrap_or_default(), PageArgs { first, after, last, before }).await
    }

    /// The URL of the list of orders as a table (CSV), latest first. It works for an hour, for all who have it, while the
    /// viewer is an administrator.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadOrders)",
        directive = scoped::apply(Role::Admin, Scope::ReadOrders)
    )]
    async fn orders_csv_url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which orders to return; defaults to all.")] filter: Option<OrderFilter>,
    ) -> Result<Option<String>> {
        command::orders_url(app(ctx), within(ctx, Scope::ReadOrders), &all_which(ctx, filter)?).map(Some)
    }
}
