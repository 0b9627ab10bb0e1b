//! Lists of orders: what is in them.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::OrderStatus;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::Time;
use crate::graphql::money::CurrencyCode;
use crate::graphql::page::{Page, SortDirection};

/// A filter for orders; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub(in crate::orders) struct OrderFilter {
    /// Orders in one of these states.
    pub(in crate::orders) statuses: Option<Vec<OrderStatus>>,
    /// A number: the order with it. Another text: orders with an item whose title contains it; case is ignored. At most 100
    /// characters.
    pub(in crate::orders) query: Option<String>,
    /// Orders of users whose name or email address contains this text; case is ignored. At most 100 characters. A token
    /// needs the scope READ_USERS, too.
    pub(in crate::orders) buyer_query: Option<String>,
    /// Orders of this user.
    pub(in crate::orders) buyer_id: Option<UserId>,
    /// Orders with this course.
    pub(in crate::orders) course_id: Option<CourseId>,
    /// Orders from this time on.
    pub(in crate::orders) created_from: Option<Time>,
    /// Orders before this time.
    pub(in crate::orders) created_to: Option<Time>,
}

/// The field to sort orders by. Ties are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(in crate::orders) enum OrderSortField {
    /// When the order was placed.
    CreatedAt,
    /// The total. Orders in the same currency are together, in the order of the codes of the currencies.
    Total,
}

/// How to sort orders.
#[derive(Clone, Copy, Debug, InputObject)]
pub(in crate::orders) struct OrderSort {
    /// The field to sort by.
    pub(in crate::orders) field: OrderSortField,
    /// The direction.
    pub(in crate::orders) direction: SortDirection,
}

impl Default for OrderSort {
    fn default() -> OrderSort {
        OrderSort { field: OrderSortField::CreatedAt, direction: SortDirection::Desc }
    }
}

/// The position of an order in the list by total: the currency, the total in minor units, and the id.
pub(in crate::orders) type TotalPlace = (CurrencyCode, i64, Uuid);

/// A page of orders, in one of their orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::orders) enum SortedPage {
    /// By the time at which they were placed.
    CreatedAt(Page<(DateTime<Utc>, Uuid)>),
    /// By the total.
    Total(Page<TotalPlace>),
}

/// The orders in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::orders) struct OrderWhich {
    /// The states; `None` for any.
    pub(in crate::orders) statuses: Option<Vec<OrderStatus>>,
    /// The number of the order, or a part of the title of an item.
    pub(in crate::orders) query: Option<String>,
    /// A part of the name or the email address of the buyer.
    pub(in crate::orders) buyer_query: Option<String>,
    /// The buyer.
    pub(in crate::orders) buyer: Option<UserId>,
    /// A course.
    pub(in crate::orders) course: Option<CourseId>,
    /// From this time on, in microseconds since 1970.
    pub(in crate::orders) from: Option<i64>,
    /// Before this time, in microseconds since 1970.
    pub(in crate::orders) to: Option<i64>,
}
