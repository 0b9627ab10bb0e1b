//! Lists of orders: what is in them.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::OrderStatus;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::money::CurrencyCode;
use crate::graphql::page::{Page, SortDirection};
use crate::graphql::{Error, Result, Time};

const LONGEST_QUERY: usize = 100;

/// A filter for orders; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub struct OrderFilter {
    /// Orders in one of these states.
    pub statuses: Option<Vec<OrderStatus>>,
    /// A number: the order with it. Another text: orders with an item whose title contains it; case is ignored. At most 100
    /// characters.
    pub query: Option<String>,
    /// Orders of users whose name or email address contains this text; case is ignored. At most 100 characters. A token
    /// needs the scope READ_USERS, too.
    pub buyer_query: Option<String>,
    /// Orders of this user.
    pub buyer_id: Option<UserId>,
    /// Orders with this course.
    pub course_id: Option<CourseId>,
    /// Orders from this time on.
    pub created_from: Option<Time>,
    /// Orders before this time.
    pub created_to: Option<Time>,
}

impl OrderFilter {
    /// Returns what is listed.
    ///
    /// # Errors
    /// A text is too long.
    pub fn which(self) -> Result<OrderWhich> {
        Ok(OrderWhich {
            statuses: self.statuses,
            query: searched("query", self.query)?,
            buyer_query: searched("buyerQuery", self.buyer_query)?,
            buyer: self.buyer_id,
            course: self.course_id,
            from: self.created_from.map(|Time(at)| at.timestamp_micros()),
            to: self.created_to.map(|Time(at)| at.timestamp_micros()),
        })
    }
}

/// The field to sort orders by. Ties are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OrderSortField {
    /// When the order was placed.
    CreatedAt,
    /// The total. Orders in the same currency are together, in the order of the codes of the currencies.
    Total,
}

/// How to sort orders.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct OrderSort {
    /// The field to sort by.
    pub field: OrderSortField,
    /// The direction.
    pub direction: SortDirection,
}

impl Default for OrderSort {
    fn default() -> OrderSort {
        OrderSort { field: OrderSortField::CreatedAt, direction: SortDirection::Desc }
    }
}

/// The position of an order in the list by total: the currency, the total in minor units, and the id.
pub type TotalPlace = (CurrencyCode, i64, Uuid);

/// A page of orders, in one of their orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SortedPage {
    /// By the time at which they were placed.
    CreatedAt(Page<(DateTime<Utc>, Uuid)>),
    /// By the total.
    Total(Page<TotalPlace>),
}

/// The orders in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderWhich {
    /// The states; `None` for any.
    pub statuses: Option<Vec<OrderStatus>>,
    /// The number of the order, or a part of the title of an item.
    pub query: Option<String>,
    /// A part of the name or the email address of the buyer.
    pub buyer_query: Option<String>,
    /// The buyer.
    pub buyer: Option<UserId>,
    /// A course.
    pub course: Option<CourseId>,
    /// From this time on, in microseconds since 1970.
    pub from: Option<i64>,
    /// Before this time, in microseconds since 1970.
    pub to: Option<i64>,
}

/// Returns what is searched for; `None` if that is nothing.
pub(super) fn searched(field: &str, text: Option<String>) -> Result<Option<String>> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_QUERY || text.contains('\0')) {
        return Err(Error::BadInput(format!("{field} has at most {LONGEST_QUERY} characters.")));
    }
    Ok(text)
}
