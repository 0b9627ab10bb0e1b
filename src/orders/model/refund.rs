//! Refunds and disputes.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{OrderId, OrderItem, OrderItemId};
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{disputes, refund_items, refunds};
use crate::platform::db::stored_as_text;

/// A refund's id: `refund_01j…`.
pub(in crate::orders) type RefundId = Id<Refund>;

/// Money that goes back to the buyer.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = refunds, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Refund {
    /// The id, which the provider knows the refund by.
    pub(in crate::orders) id: RefundId,
    /// The order.
    pub(in crate::orders) order_id: OrderId,
    /// The amount in minor units.
    pub(in crate::orders) amount_minor: i64,
    /// Why.
    pub(in crate::orders) reason: String,
    /// Whether the provider has done it.
    pub(in crate::orders) state: RefundState,
    /// The administrator; `None` if the server did it by itself, or if it was made at the provider.
    pub(in crate::orders) requested_by: Option<UserId>,
    /// The provider's id.
    pub(in crate::orders) external_id: Option<String>,
    /// When it was decided.
    pub(in crate::orders) created_at: DateTime<Utc>,
    /// When the provider did it.
    pub(in crate::orders) done_at: Option<DateTime<Utc>>,
}

impl Entity for Refund {
    const PREFIX: &'static str = "refund";
}

/// The state of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum RefundState {
    /// The provider is to be told.
    Pending,
    /// The provider has sent the money.
    Done,
}

stored_as_text!(RefundState { Pending = "PENDING", Done = "DONE" });

/// The part of a refund that belongs to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = refund_items, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct RefundItem {
    pub(in crate::orders) refund_id: RefundId,
    pub(in crate::orders) item_id: OrderItemId,
    /// The amount in minor units.
    pub(in crate::orders) amount_minor: i64,
}

/// A dispute's id: `dispute_01j…`.
pub(in crate::orders) type DisputeId = Id<Dispute>;

/// A payment that the buyer's bank has taken back.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = disputes, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Dispute {
    /// The id.
    pub(in crate::orders) id: DisputeId,
    /// The order.
    pub(in crate::orders) order_id: OrderId,
    /// The amount in minor units.
    pub(in crate::orders) amount_minor: i64,
    /// The state.
    pub(in crate::orders) status: DisputeStatus,
    /// When it began.
    pub(in crate::orders) opened_at: DateTime<Utc>,
}

impl Entity for Dispute {
    const PREFIX: &'static str = "dispute";
}

/// The state of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum DisputeStatus {
    /// It is not decided.
    Open,
    /// The school has won, and has the money.
    Won,
    /// The buyer has won, and has the money.
    Lost,
}

stored_as_text!(DisputeStatus { Open = "OPEN", Won = "WON", Lost = "LOST" });

/// Returns what is left of the items to refund, in minor units.
pub(in crate::orders) fn left_of(items: &[OrderItem]) -> i64 {
    items.iter().map(|item| item.amount_minor - item.refunded_minor).sum()
}

/// Spreads an amount over the items, in proportion to what is left of each; the parts have exactly that sum.
///
/// `amount` is at most what is left of all of them. Items that get nothing are left out.
pub(in crate::orders) fn spread(amount: i64, items: &[OrderItem]) -> Vec<(OrderItemId, i64)> {
    let (mut amount, mut whole) = (i128::from(amount), i128::from(left_of(items)));
    let mut parts = Vec::new();
    for item in items {
        let left = i128::from(item.amount_minor - item.refunded_minor);
        if left == 0 || whole == 0 {
            continue;
        }
        // The rest is spread over the rest, so that rounding never loses a minor unit.
        let part = (amount * left + whole / 2) / whole;
        amount -= part;
        whole -= left;
        if part > 0 {
            parts.push((item.id, i64::try_from(part).unwrap_or(i64::MAX)));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::orders::model::OrderItemKind;

    fn item(number: u128, amount_minor: i64, refunded_minor: i64) -> OrderItem {
        OrderItem {
            id: Id::new(Uuid::from_u128(number)),
            order_id: Id::new(Uuid::nil()),
            kind: OrderItemKind::Course,
            title: String::new(),
            course_id: None,
            amount_minor,
            refunded_minor,
            is_live: true,
            entitlement_id: None,
        }
    }

    #[test]
    fn a_refund_is_spread_to_the_minor_unit_and_never_beyond_what_is_left() {
        for (amount, items, parts) in [
            (100, vec![(100, 0)], vec![100]),
            (1, vec![(100, 0), (100, 0)], vec![1]),
            (100, vec![(100, 0), (100, 0), (100, 0)], vec![33, 34, 33]),
            (150, vec![(100, 50), (100, 0)], vec![50, 100]),
            (10, vec![(100, 100), (10, 0), (0, 0)], vec![10]),
            (i64::MAX - 1, vec![(i64::MAX - 1, 0)], vec![i64::MAX - 1]),
        ] {
            let rows: Vec<OrderItem> = (1..).zip(&items).map(|(id, (all, gone))| item(id, *all, *gone)).collect();
            let spread = spread(amount, &rows);
            assert_eq!(spread.iter().map(|(_, part)| *part).collect::<Vec<_>>(), parts, "{amount} of {items:?}");
        }
    }

    #[test]
    fn all_amounts_are_spread_without_a_rest() {
        let items: Vec<OrderItem> = [7, 11, 1, 0, 400].into_iter().zip(1..).map(|(all, id)| item(id, all, 0)).collect();
        for amount in 1..=left_of(&items) {
            let parts = spread(amount, &items);
            assert_eq!(parts.iter().map(|(_, part)| part).sum::<i64>(), amount);
            for (id, part) in parts {
                assert!(items.iter().any(|item| item.id == id && part <= item.amount_minor), "{amount}");
            }
        }
    }
}
