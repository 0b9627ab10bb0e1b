//! Rows, ids, enums and inputs of orders, and their pure transitions.

mod amount;
mod coupon;
mod donation;
mod earnings;
mod event;
mod gift;
mod input;
mod invoice;
mod ledger;
mod list;
mod order;
mod payment;
mod refund;
mod tax;

pub(super) use amount::{Amounts, Discount, Priced, amounts};
pub(super) use coupon::{
    ArchiveCouponInput, CouponScope, CouponTerms, CreateCouponInput, NewCoupon, UpdateCouponInput,
};
pub use coupon::{Coupon, CouponId};
pub(super) use donation::{CancelDonationInput, Donated, DonationStatus, NewDonationOrder};
pub use donation::{Donation, DonationId};
pub use earnings::SaleFilter;
pub(super) use earnings::{
    Earned, Earner, EarningsLine, ItemEarned, Owed, Payout, RecordPayoutInput, Sale, SaleWhich, SetChannelShareInput,
};
pub(super) use event::{PaymentEvent, PaymentEventFilter, PaymentEventId, PaymentEventWhich, ToldEvent};
pub use event::{PaymentEventProvider, PaymentEventState};
pub(super) use gift::{
    ClaimGiftInput, Gift, GiftId, GiftInput, NewGift, ResendGiftInput, gift_code, normal_gift_code, written,
};
pub(super) use input::{
    BillingInput, CancelOrderInput, CreateOrderInput, ExtraHoursInput, OrderItemInput, QuoteOrderInput,
    RefundOrderInput, ReplayPaymentEventInput,
};
#[cfg(test)]
pub(super) use invoice::InvoiceLine;
pub use invoice::Receipt;
pub(super) use invoice::{Invoice, InvoiceContent, Party, part_of};
pub use ledger::{Account, Movement};
pub(super) use ledger::{NewEntry, NewTransaction, Posting, Sold, negated, return_postings, sale_postings};
pub(super) use list::{OrderFilter, OrderSort, OrderSortField, OrderWhich, SortedPage, TotalPlace};
pub(super) use order::{NewItem, NewOrder, OrderItem, OrderItemId, Step};
pub use order::{Order, OrderId, OrderItemKind, OrderStatus};
pub use payment::PaymentState;
pub(super) use payment::{LONGEST_WAIT, NewPayment, Payment};
pub(super) use refund::{Dispute, DisputeId, OpenDispute, Refund, RefundId, RefundItem, left_of, parts_of};
pub use refund::{DisputeStatus, RefundState};
pub(super) use tax::{NewTax, TaxRecord, TaxReversal};
