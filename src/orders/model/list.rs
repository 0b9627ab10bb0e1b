//! Lists of orders: what is in them.

use async_graphql::InputObject;
use serde::{Deserialize, Serialize};

use super::OrderStatus;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::Time;

/// A filter for orders; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub(in crate::orders) struct OrderFilter {
    /// Orders in one of these states.
    pub(in crate::orders) statuses: Option<Vec<OrderStatus>>,
    /// Orders with this number, or with an item whose title contains this text; case is ignored. At most 100
    /// characters.
    pub(in crate::orders) query: Option<String>,
    /// Orders of this user.
    pub(in crate::orders) buyer_id: Option<UserId>,
    /// Orders with this course.
    pub(in crate::orders) course_id: Option<CourseId>,
    /// Orders from this time on.
    pub(in crate::orders) created_from: Option<Time>,
    /// Orders before this time.
    pub(in crate::orders) created_to: Option<Time>,
}

/// The orders in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::orders) struct OrderWhich {
    /// The states; `None` for any.
    pub(in crate::orders) statuses: Option<Vec<OrderStatus>>,
    /// The number of the order, or a part of the title of an item.
    pub(in crate::orders) query: Option<String>,
    /// The buyer.
    pub(in crate::orders) buyer: Option<UserId>,
    /// A course.
    pub(in crate::orders) course: Option<CourseId>,
    /// From this time on, in microseconds since 1970.
    pub(in crate::orders) from: Option<i64>,
    /// Before this time, in microseconds since 1970.
    pub(in crate::orders) to: Option<i64>,
}
