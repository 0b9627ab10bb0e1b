//! What a provider knows of the tax of orders.

use diesel::prelude::*;

use super::{OrderId, RefundId};
use crate::platform::db::schema::{order_taxes, tax_reversals};

/// An order whose tax a provider has calculated, to insert.
#[derive(Insertable)]
#[diesel(table_name = order_taxes)]
pub(crate) struct NewTax<'a> {
    pub order_id: OrderId,
    pub(crate) calculation_id: &'a str,
}

/// An order whose tax a provider has calculated.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = order_taxes, check_for_backend(diesel::pg::Pg))]
pub(crate) struct TaxRecord {
    /// The provider's id of what it has calculated.
    pub(crate) calculation_id: String,
    /// The provider's id of the record that the tax was collected; `None` until it has one.
    pub(crate) transaction_id: Option<String>,
}

/// A refund whose part of the tax a provider has recorded as given back.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = tax_reversals, check_for_backend(diesel::pg::Pg))]
pub struct TaxReversal {
    /// The refund.
    pub(crate) refund_id: RefundId,
    /// The provider's id.
    pub(crate) reversal_id: String,
    /// The provider's id of the record that this was undone; `None` unless it was.
    pub(crate) undone_id: Option<String>,
}
