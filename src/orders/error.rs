//! The errors that a client can act on.

use super::model::Order;
use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;
use crate::graphql::money::{CurrencyCode, Money};

pub(super) fn no_such_order() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["orderId"], "There is no such order.")
}

pub(super) fn no_such_item() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["itemIds"], "There is no such item in this order.")
}

pub(super) fn no_such_event() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["paymentEventId"], "There is no such event.")
}

pub(super) fn only_administrators() -> Error {
    Error::Forbidden("Only administrators manage orders.".into())
}

pub(super) fn no_payments() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "This school takes no payments at the moment.")
}

pub(super) fn another_total(total: Money) -> Error {
    let message = format!("The total is {total} now. Show it to the buyer, and order again.");
    Error::invalid(UserErrorCode::NotAllowed, &["expectedTotal"], message)
}

pub(super) fn bought_already(other: &Order, place: usize) -> Error {
    let number = other.number;
    let message = match other.paid_at {
        Some(_) => format!("You have bought this course with order {number}."),
        None => format!("Order {number} has this course and waits for its payment. Pay or cancel it."),
    };
    Error::invalid(UserErrorCode::Taken, &["items", &place.to_string(), "courseId"], message)
}

pub(super) fn owned_already(place: usize) -> Error {
    let message = "You have this course already.";
    Error::invalid(UserErrorCode::Taken, &["items", &place.to_string(), "courseId"], message)
}

pub(super) fn no_such_course(place: usize) -> Error {
    let message = "There is no such course, or it cannot be bought.";
    Error::invalid(UserErrorCode::NotFound, &["items", &place.to_string(), "courseId"], message)
}

pub(super) fn no_such_membership() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["membershipId"], "There is no such membership.")
}

pub(super) fn another_currency(own: CurrencyCode) -> Error {
    let message = format!("This price is in {}.", own.code());
    Error::invalid(UserErrorCode::NotAllowed, &["billing", "currency"], message)
}

pub(super) fn not_pending(order: &Order) -> Error {
    let status = order.status.as_str().to_lowercase().replace('_', " ");
    let message = format!("Only an order that waits for its payment can be canceled; this one is {status}.");
    Error::invalid(UserErrorCode::NotAllowed, &["orderId"], message)
}

pub(super) fn not_refundable() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["orderId"], "There is nothing left of this order to refund.")
}

pub(super) fn processed_already() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["paymentEventId"], "This event is processed.")
}

pub(super) fn too_many_pending() -> Error {
    let message = "Too many of your orders wait for their payment. Pay or cancel some.";
    Error::invalid(UserErrorCode::TooOften, &[], message)
}

pub(super) fn no_such_coupon() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["couponCode"], "There is no such coupon.")
}

pub(super) fn bad_coupon(why: &'static str) -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["couponCode"], why)
}

pub(super) fn no_coupon_with_id() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["couponId"], "There is no such coupon, or it is archived.")
}

pub(super) fn code_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &["code"], "Another coupon has this code. Archive that one first.")
}

pub(super) fn no_such_course_of_coupon() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseIds"], "There is no such course.")
}

pub(super) fn no_such_category() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["categoryIds"], "There is no such category.")
}
