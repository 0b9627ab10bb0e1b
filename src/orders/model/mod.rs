//! Rows, ids, enums and inputs of orders, and their pure transitions.

mod amount;
mod coupon;
mod event;
mod input;
mod invoice;
mod list;
mod order;
mod payment;
mod refund;

pub(super) use amount::{Amounts, Discount, amounts};
pub(super) use coupon::{
    ArchiveCouponInput, CouponScope, CouponTerms, CreateCouponInput, NewCoupon, UpdateCouponInput,
};
pub use coupon::{Coupon, CouponId};
pub use event::PaymentEventState;
pub(super) use event::{PaymentEvent, PaymentEventFilter, PaymentEventId, PaymentEventWhich};
pub(super) use input::{
    BillingInput, CancelOrderInput, CreateOrderInput, OrderItemInput, QuoteOrderInput, RefundOrderInput,
    ReplayPaymentEventInput,
};
pub(super) use invoice::{Invoice, InvoiceContent, Party, part_of};
pub(super) use list::{OrderFilter, OrderWhich};
pub(super) use order::{NewItem, NewOrder, OrderItem, OrderItemId, Step};
pub use order::{Order, OrderId, OrderItemKind, OrderStatus};
pub use payment::PaymentState;
pub(super) use payment::{NewPayment, Payment};
pub(super) use refund::{Dispute, DisputeId, Refund, RefundId, RefundItem, left_of, parts_of};
pub use refund::{DisputeStatus, RefundState};
