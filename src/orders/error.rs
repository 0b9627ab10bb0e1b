//! The errors that a client can act on.

use super::model::Order;
use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;
use crate::graphql::money::{CurrencyCode, Money};

/// There is no such order, or the viewer may not know of it.
pub fn no_such_order() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["orderId"], "There is no such order.")
}

pub(crate) fn no_such_item() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["itemIds"], "There is no such item in this order.")
}

pub(crate) fn no_such_event() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["paymentEventId"], "There is no such event.")
}

pub(crate) fn only_administrators() -> Error {
    Error::Forbidden("Only administrators manage orders.".into())
}

pub(crate) fn no_payments() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "This school takes no payments at the moment.")
}

pub(crate) fn which_provider() -> Error {
    let message = "Several payment providers are set up: say which one the buyer pays at.";
    Error::invalid(UserErrorCode::NotAllowed, &["provider"], message)
}

pub(crate) fn no_such_provider() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["provider"], "This school takes no payments with this provider.")
}

pub(crate) fn cannot_charge(total: Money) -> Error {
    let message = format!("The payment provider cannot charge {total}.");
    Error::invalid(UserErrorCode::NotAllowed, &["provider"], message)
}

pub(crate) fn another_total(total: Money) -> Error {
    let message = format!("The total is {total} now. Show it to the buyer, and order again.");
    Error::invalid(UserErrorCode::NotAllowed, &["expectedTotal"], message)
}

pub(crate) fn no_such_donation() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["donationId"], "There is no such repeated donation.")
}

pub(crate) fn donation_ended() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["donationId"], "This donation has ended.")
}

pub(crate) fn no_tax_now() -> Error {
    let message = "The tax cannot be determined at the moment. Try again in a minute.";
    Error::invalid(UserErrorCode::TryAgain, &[], message)
}

pub(crate) fn bad_tax_id() -> Error {
    let message = "This is not a valid VAT ID. Correct it, or leave it out.";
    Error::invalid(UserErrorCode::Invalid, &["billing", "taxId"], message)
}

pub(crate) fn untaxable_country() -> Error {
    let message = "The tax of this country cannot be determined, so nothing is sold there.";
    Error::invalid(UserErrorCode::NotAllowed, &["billing", "country"], message)
}

pub(crate) fn bought_already(other: &Order, path: &[&str]) -> Error {
    let number = other.number;
    let message = match other.paid_at {
        Some(_) => format!("You have bought this course with order {number}."),
        None if other.is_processing() => format!("Order {number} has this course, and its payment is on its way."),
        None => format!("Order {number} has this course and waits for its payment. Pay or cancel it."),
    };
    Error::invalid(UserErrorCode::Taken, path, message)
}

pub(crate) fn owned_already(path: &[&str]) -> Error {
    Error::invalid(UserErrorCode::Taken, path, "You have this course already.")
}

pub(crate) fn no_such_course(path: &[&str]) -> Error {
    Error::invalid(UserErrorCode::NotFound, path, "There is no such course, or it cannot be bought.")
}

pub(crate) fn free_gift(path: &[&str]) -> Error {
    Error::invalid(UserErrorCode::NotAllowed, path, "This course is free for all, so it needs no gift.")
}

pub(crate) fn no_extra_hours(path: &[&str]) -> Error {
    let message = "You have no membership in this month whose plan sells extra hours.";
    Error::invalid(UserErrorCode::NotAllowed, path, message)
}

pub(crate) fn too_many_hours(left: i64, path: &[&str]) -> Error {
    let message = format!("Your plan sells you at most {left} more for this month.");
    Error::invalid(UserErrorCode::OutOfRange, path, message)
}

pub(crate) fn no_such_gift() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["code"], "There is no such gift, or it was taken back.")
}

pub(crate) fn claimed_already() -> Error {
    Error::invalid(UserErrorCode::Taken, &["code"], "This gift has been claimed by another user.")
}

pub(crate) fn gift_is_owned() -> Error {
    let message = "You have this course already. Give the code to another person, or let the gift expire.";
    Error::invalid(UserErrorCode::Taken, &["code"], message)
}

pub(crate) fn no_gift_with_id() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["giftId"], "There is no such gift of yours.")
}

pub(crate) fn not_resendable() -> Error {
    let message = "Only a gift that is paid for and not claimed can be sent again.";
    Error::invalid(UserErrorCode::NotAllowed, &["giftId"], message)
}

pub(crate) fn mailed_too_often() -> Error {
    Error::invalid(
        UserErrorCode::TooOften,
        &["giftId"],
        "This gift has been sent too often. Pass on its code yourself.",
    )
}

pub(crate) fn no_such_membership() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["membershipId"], "There is no such membership.")
}

pub(crate) fn another_currency(own: CurrencyCode) -> Error {
    let message = format!("This price is in {}.", own.code());
    Error::invalid(UserErrorCode::NotAllowed, &["billing", "currency"], message)
}

pub(crate) fn not_pending(order: &Order) -> Error {
    let status = order.status.as_str().to_lowercase().replace('_', " ");
    let message = format!("Only an order that waits for its payment can be canceled; this one is {status}.");
    Error::invalid(UserErrorCode::NotAllowed, &["orderId"], message)
}

pub(crate) fn processing(path: &[&str]) -> Error {
    let message = "The payment is on its way. Wait until the provider says what has become of it.";
    Error::invalid(UserErrorCode::NotAllowed, path, message)
}

pub(crate) fn not_refundable() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["orderId"], "There is nothing left of this order to refund.")
}

pub(crate) fn processed_already() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["paymentEventId"], "This event is processed.")
}

pub(crate) fn too_many_pending() -> Error {
    let message = "Too many of your orders wait for their payment. Pay or cancel some.";
    Error::invalid(UserErrorCode::TooOften, &[], message)
}

pub(crate) fn no_such_coupon() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["couponCode"], "There is no such coupon.")
}

pub(crate) fn bad_coupon(why: &'static str) -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["couponCode"], why)
}

pub(crate) fn no_coupon_with_id() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["couponId"], "There is no such coupon, or it is archived.")
}

pub(crate) fn code_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &["code"], "Another coupon has this code. Archive that one first.")
}

pub(crate) fn no_such_course_of_coupon() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseIds"], "There is no such course.")
}

pub(crate) fn no_such_category() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["categoryIds"], "There is no such category.")
}

pub(crate) fn no_such_plan() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["planIds"], "There is no such plan.")
}

/// The viewer may not see coupons.
pub fn coupons_forbidden() -> Error {
    Error::Forbidden("Only administrators see coupons.".into())
}

/// The viewer may not see the earnings of the channel.
pub fn earnings_forbidden() -> Error {
    Error::Forbidden("Only the owner of the channel and administrators see what it earns.".into())
}

pub(crate) fn not_owed(owed: Money) -> Error {
    let message = format!("The amount is more than nothing, and at most what is owed to the channel: {owed}.");
    Error::invalid(UserErrorCode::OutOfRange, &["amount"], message)
}

pub(crate) fn paid_out_already() -> Error {
    let message = "A payout for this month and currency is recorded.";
    Error::invalid(UserErrorCode::Taken, &["month"], message)
}

/// The viewer may not see the orders of the user.
pub fn orders_forbidden() -> Error {
    Error::Forbidden("Only the user and administrators see these orders.".into())
}

/// The viewer may not find orders by their buyers.
pub fn buyers_forbidden() -> Error {
    Error::Forbidden("Only who may see email addresses finds orders by them.".into())
}
