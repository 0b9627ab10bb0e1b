//! The errors that a client can act on.

use super::model::MembershipStatus;
use crate::graphql::Error;
use crate::graphql::error::UserErrorCode;

const PRICE: &str = "planPriceId";
const TOKEN: &str = "purchaseToken";

pub(crate) fn no_such_plan() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["planId"], "There is no such plan.")
}

pub(crate) fn archived_plan() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["planId"], "This plan is archived.")
}

pub(crate) fn no_such_course() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["courseId"], "There is no such course that you may edit.")
}

pub(crate) fn no_such_category() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["categoryId"], "There is no such category.")
}

pub(crate) fn archived_category() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["categoryId"], "The category is archived; bring it back first.")
}

pub(crate) fn slug_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &["slug"], "Another plan has this slug.")
}

pub(crate) fn only_administrators() -> Error {
    Error::Forbidden("Only administrators manage plans, and instructors those for their courses.".into())
}

pub(crate) fn no_such_membership() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["membershipId"], "There is no such membership.")
}

pub(crate) fn no_such_price() -> Error {
    Error::invalid(UserErrorCode::NotFound, &[PRICE], "There is no such price, or it is not sold anymore.")
}

pub(crate) fn not_ready() -> Error {
    let message = "This plan is not ready at the payment provider yet. Try again in a few minutes.";
    Error::invalid(UserErrorCode::NotAllowed, &[PRICE], message)
}

pub(crate) fn live_already(status: MembershipStatus) -> Error {
    let message = match status {
        MembershipStatus::Pending => "You have ordered such a membership. Pay, change or cancel it.",
        _ => "You have such a membership already. Change it instead.",
    };
    Error::invalid(UserErrorCode::Taken, &[PRICE], message)
}

pub(crate) fn payment_in_flight() -> Error {
    let message = "A payment of this membership is in flight. Wait until it is done, or cancel its order.";
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
}

pub(crate) fn same_price() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[PRICE], "The membership has this price already.")
}

pub(crate) fn another_scope() -> Error {
    let message = "This plan is for something else. Order it as a membership of its own.";
    Error::invalid(UserErrorCode::NotAllowed, &[PRICE], message)
}

pub(crate) fn another_currency() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[PRICE], "The membership is paid in another currency.")
}

pub(crate) fn not_possible(status: MembershipStatus, what: &str) -> Error {
    let status = status.as_str().to_lowercase().replace('_', " ");
    let message = format!("A membership that is {status} cannot be {what}.");
    Error::invalid(UserErrorCode::NotAllowed, &["membershipId"], message)
}

pub(crate) fn managed_by_play() -> Error {
    let message = "This membership is paid on Google Play. Change, pause or cancel it there.";
    Error::invalid(UserErrorCode::NotAllowed, &["membershipId"], message)
}

pub(crate) fn play_product_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &["productId"], "Another price is this product on Google Play.")
}

pub(crate) fn no_such_plan_slug() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["planSlug"], "There is no such plan.")
}

pub(crate) fn play_is_off() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[], "Nothing is sold on Google Play here.")
}

pub(crate) fn play_is_away() -> Error {
    Error::invalid(UserErrorCode::TryAgain, &[], "Google Play does not answer. Try again in a moment.")
}

pub(crate) fn no_such_purchase() -> Error {
    Error::invalid(UserErrorCode::NotFound, &[TOKEN], "Google Play knows no such purchase.")
}

pub(crate) fn purchase_taken() -> Error {
    Error::invalid(UserErrorCode::Taken, &[TOKEN], "This purchase belongs to another account.")
}

pub(crate) fn purchase_not_paid() -> Error {
    let message = "This purchase is not paid yet. Confirm it again when it is.";
    Error::invalid(UserErrorCode::NotAllowed, &[TOKEN], message)
}

pub(crate) fn purchase_over() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[TOKEN], "This purchase has ended.")
}

pub(crate) fn test_purchase() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[TOKEN], "This is a purchase of a tester, who pays nothing.")
}

pub(crate) fn another_product() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &[TOKEN], "What was bought is not a price of this plan.")
}

pub(crate) fn another_play_order() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["orderId"], "Google Play knows the purchase by another order.")
}

pub(crate) fn no_family_plan() -> Error {
    let message = "The plan of this membership is for one user.";
    Error::invalid(UserErrorCode::NotAllowed, &["membershipId"], message)
}

pub(crate) fn own_address() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["email"], "This is your own address.")
}

pub(crate) fn family_full(field: &str) -> Error {
    Error::invalid(UserErrorCode::OutOfRange, &[field], "There is no room for one more in this family.")
}

pub(crate) fn too_many_invitations() -> Error {
    Error::invalid(UserErrorCode::TooOften, &["email"], "At most 20 invitations are mailed in a day.")
}

pub(crate) fn no_such_invitation() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["email"], "There is no such invitation.")
}

pub(crate) fn family_invitation_over() -> Error {
    Error::invalid(UserErrorCode::Expired, &["token"], "This invitation is not valid, or no longer.")
}

pub(crate) fn own_family() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["token"], "This is your own family.")
}

pub(crate) fn has_own_hours() -> Error {
    let message = "You have a membership for live classes of your own. It has to end first.";
    Error::invalid(UserErrorCode::NotAllowed, &["token"], message)
}

pub(crate) fn in_family() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, &["token"], "You are in a family already. Leave it first.")
}

pub(crate) fn not_in_family() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["ownerId"], "You are not in a family of this user.")
}

pub(crate) fn no_such_family_member() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["userId"], "There is no such member of this family.")
}

pub(crate) fn live_elsewhere() -> Error {
    let message = "You have such a membership already, which has to end first. Google Play refunds this purchase \
                   within three days.";
    Error::invalid(UserErrorCode::Taken, &[], message)
}
