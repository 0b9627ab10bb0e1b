//! Commands for orders.
//!
//! What changes an order locks its courses (by id), its users (by id), its coupon, the order and its payment, in this sequence
//! ([`hold::lock`]). No provider is called within a transaction.

mod cancel;
mod checkout;
mod choice;
mod coupon;
mod create;
mod dispute;
mod donation;
mod earnings;
mod end;
mod export;
mod follow_up;
mod gift;
mod hold;
mod hours;
mod import;
mod inbox;
mod insert;
mod invoice;
mod invoice_pdf;
mod ledger;
mod membership;
mod pay;
mod play_event;
mod price;
mod receive;
mod reconcile;
mod refund;
mod sales_table;
mod table;
mod tax;
mod tax_records;
mod unread;

pub(super) use cancel::{cancel_order, expire_orders, forget_user, remind};
pub(super) use checkout::{CLOSE, close};
pub(super) use coupon::{archive_coupon, create_coupon, update_coupon};
pub(super) use create::create_order;
pub(super) use donation::{cancel_donation, donate, settle_donation};
pub use earnings::earnings_file;
pub(super) use earnings::{earnings_url, record_payout, set_channel_share};
pub use export::{courses_of, my_data, receipt_of};
pub(super) use gift::{GiftToMail, MAIL, claim_gift, expire_gifts, gift_mailed, gift_to_mail, resend_gift};
pub use import::{import, import_membership};
pub(super) use inbox::{process, replay};
pub use invoice::invoice_file;
pub(super) use invoice::{invoice_url, issue_credit_note, issue_invoice};
pub use membership::{MembershipQuote, cancel_membership, change_membership, quote_membership_change};
pub(super) use membership::{follow_subscriptions, renew};
pub(super) use pay::restore_paid;
pub(super) use price::{Line, Quote, quote_order};
pub(super) use receive::PROCESS;
pub use receive::{receive, receive_play};
pub(super) use reconcile::reconcile;
pub(super) use refund::{REFUND, refund_order, send_refund};
pub use sales_table::sales_file;
pub(super) use sales_table::sales_url;
pub use table::orders_file;
pub(super) use table::orders_url;
pub(super) use tax_records::{record_refunded_tax, record_tax};
pub use unread::receive_unread;
