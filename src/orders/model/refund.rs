//! Refunds and disputes.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::amount::spread;
use super::{OrderId, OrderItem, OrderItemId};
use crate::accounts::UserId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::{disputes, refund_items, refunds};
use crate::platform::db::stored_as_text;

/// A refund's id: `refund_01j…`.
pub type RefundId = Id<Refund>;

/// Money that goes back to the buyer.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = refunds, check_for_backend(diesel::pg::Pg))]
pub struct Refund {
    /// The id, which the provider knows the refund by.
    pub id: RefundId,
    /// The order.
    pub order_id: OrderId,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// Whether the provider has done it.
    pub state: RefundState,
    /// The administrator; `None` if the server did it by itself, or if it was made at the provider.
    pub(crate) requested_by: Option<UserId>,
    /// The provider's id.
    pub external_id: Option<String>,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// When the provider did it.
    pub(crate) done_at: Option<DateTime<Utc>>,
    /// Why it has failed.
    pub failure: Option<String>,
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
    /// The provider has refused, or the money came back to it. Nothing is refunded by this, and the access is back.
    Failed,
}

stored_as_text!(RefundState { Pending = "PENDING", Done = "DONE", Failed = "FAILED" });

/// The part of a refund that belongs to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = refund_items, check_for_backend(diesel::pg::Pg))]
pub struct RefundItem {
    pub(crate) refund_id: RefundId,
    pub item_id: OrderItemId,
    /// The amount in minor units.
    pub amount_minor: i64,
}

/// A dispute's id: `dispute_01j…`.
pub type DisputeId = Id<Dispute>;

/// A payment that the buyer's bank has taken back.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = disputes, check_for_backend(diesel::pg::Pg))]
pub struct Dispute {
    /// The id.
    pub id: DisputeId,
    /// The order.
    pub order_id: OrderId,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The state.
    pub status: DisputeStatus,
    /// When it began.
    pub opened_at: DateTime<Utc>,
}

/// A dispute about which the provider is asked.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = disputes, check_for_backend(diesel::pg::Pg))]
pub(crate) struct OpenDispute {
    /// The id.
    pub id: DisputeId,
    /// The order.
    pub order_id: OrderId,
    /// The provider's id.
    pub external_id: String,
    /// The provider's id of the reversal that has taken its money.
    pub(crate) reversal_id: Option<String>,
    /// The amount in minor units.
    pub amount_minor: i64,
}

impl OpenDispute {
    /// Whether nothing was told of it but the reversal.
    pub(crate) fn is_unnamed(&self) -> bool {
        self.reversal_id.as_ref() == Some(&self.external_id)
    }
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
pub(crate) fn left_of(items: &[OrderItem]) -> i64 {
    items.iter().map(|item| item.amount_minor - item.refunded_minor).sum()
}

/// Spreads an amount over the items, in proportion to what is left of each. Items that get nothing are left out.
///
/// `amount` is at most what is left of all of them.
pub(crate) fn parts_of(amount: i64, items: &[OrderItem]) -> Vec<(OrderItemId, i64)> {
    let left: Vec<i64> = items.iter().map(|item| item.amount_minor - item.refunded_minor).collect();
    let parts = items.iter().map(|item| item.id).zip(spread(amount, &left));
    parts.filter(|(_, part)| *part > 0).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::orders::model::OrderItemKind;

    #[test]
    fn a_refund_is_of_what_is_left() {
        let item = |number: u128, amount_minor: i64, refunded_minor: i64| OrderItem {
            id: Id::new(Uuid::from_u128(number)),
            order_id: Id::new(Uuid::nil()),
            kind: OrderItemKind::Course,
            title: String::new(),
            course_id: None,
            amount_minor,
            refunded_minor,
            is_live: true,
            entitlement_id: None,
            discount_minor: 0,
            tax_minor: 0,
            membership_id: None,
            membership_period_id: None,
            extra_hours_id: None,
        };
        let items = [item(1, 100, 50), item(2, 0, 0), item(3, 70, 70), item(4, 100, 0)];
        assert_eq!(left_of(&items), 150);
        let parts = parts_of(75, &items);
        assert_eq!(parts, [(items[0].id, 25), (items[3].id, 50)]);
    }
}
