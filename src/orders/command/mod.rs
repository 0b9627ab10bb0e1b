//! Commands for orders.
//!
//! What changes an order locks its courses (by id), its buyer, its coupon, the order and its payment, in this sequence
//! ([`hold::lock`]). No provider is called within a transaction.

mod cancel;
mod checkout;
mod coupon;
mod create;
mod dispute;
mod end;
mod export;
mod hold;
mod import;
mod inbox;
mod invoice;
mod invoice_pdf;
mod pay;
mod price;
mod reconcile;
mod refund;

pub(super) use cancel::{cancel_order, expire_orders, forget_user, remind};
pub(super) use checkout::{CLOSE, close};
pub(super) use coupon::{archive_coupon, create_coupon, update_coupon};
pub(super) use create::create_order;
pub use export::{courses_of, my_data};
pub use import::import;
pub use inbox::receive;
pub(super) use inbox::{PROCESS, process, replay};
pub use invoice::invoice_file;
pub(super) use invoice::{invoice_url, issue_credit_note, issue_invoice};
pub(super) use price::{Quote, quote_order};
pub(super) use reconcile::reconcile;
pub(super) use refund::{REFUND, refund_order, send_refund};
