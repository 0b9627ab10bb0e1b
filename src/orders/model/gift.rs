//! Gifts: courses that a buyer gives to another person.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{OrderId, OrderItemId};
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::{Entity, Id, Time};
use crate::platform::db::schema::gifts;

/// The letters and digits of codes: none that looks like another one.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A gift's id: `gift_01j…`.
pub(in crate::orders) type GiftId = Id<Gift>;

/// A gift. The course is that of its item, and the giver is the buyer of its order.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = gifts, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Gift {
    /// The id.
    pub(in crate::orders) id: GiftId,
    /// The item of the order.
    pub(in crate::orders) item_id: OrderItemId,
    /// The order.
    pub(in crate::orders) order_id: OrderId,
    /// What it is claimed with.
    pub(in crate::orders) code: String,
    /// The recipient; empty once the giver's account is deleted.
    pub(in crate::orders) recipient_email: String,
    /// What the giver says; may be empty.
    pub(in crate::orders) message: String,
    /// When it is mailed; `None` for as soon as it is paid.
    pub(in crate::orders) send_at: Option<DateTime<Utc>>,
    /// How often it was to be mailed.
    pub(in crate::orders) mails_asked: i32,
    /// When the latest mail was sent.
    pub(in crate::orders) mailed_at: Option<DateTime<Utc>>,
    /// Who has claimed it.
    pub(in crate::orders) claimed_by: Option<UserId>,
    /// When it was claimed.
    pub(in crate::orders) claimed_at: Option<DateTime<Utc>>,
    /// When it is refunded unless it is claimed; `None` unless it can be claimed.
    pub(in crate::orders) expires_at: Option<DateTime<Utc>>,
}

impl Entity for Gift {
    const PREFIX: &'static str = "gift";
}

/// A gift to insert.
#[derive(Insertable)]
#[diesel(table_name = gifts)]
pub(in crate::orders) struct NewGift<'a> {
    pub(in crate::orders) id: GiftId,
    pub(in crate::orders) item_id: OrderItemId,
    pub(in crate::orders) order_id: OrderId,
    pub(in crate::orders) code: String,
    pub(in crate::orders) recipient_email: &'a str,
    pub(in crate::orders) message: &'a str,
    pub(in crate::orders) send_at: Option<DateTime<Utc>>,
}

/// Returns the code of 80 random bits.
pub(in crate::orders) fn gift_code(random: [u8; 16]) -> String {
    random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32))).map(|letter| char::from(*letter)).collect()
}

/// Returns a code as it is stored, of how a recipient has typed it.
pub(in crate::orders) fn normal_gift_code(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Returns a code as people write it, in groups of four.
pub(in crate::orders) fn written(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// A course to give to another person.
#[derive(Clone, Debug, InputObject)]
pub(in crate::orders) struct GiftInput {
    /// The course, which is not free.
    pub(in crate::orders) course_id: CourseId,
    /// The email address to which the gift is sent. All who have the code can claim it, once.
    pub(in crate::orders) recipient_email: String,
    /// What you say with it, at most 1,000 characters.
    #[graphql(default)]
    pub(in crate::orders) message: String,
    /// When it is sent, at most a year from now; omit for as soon as it is paid.
    pub(in crate::orders) send_at: Option<Time>,
}

/// The input of `claimGift`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::orders) struct ClaimGiftInput {
    /// The code of the gift. Case, spaces and hyphens do not matter.
    pub(in crate::orders) code: String,
}

/// The input of `resendGift`.
#[derive(Clone, Debug, InputObject)]
pub(in crate::orders) struct ResendGiftInput {
    /// The gift, which you have paid for, and which is not claimed.
    pub(in crate::orders) gift_id: GiftId,
    /// Another email address, to correct it: the earlier code is not valid anymore then. Omit for the same.
    pub(in crate::orders) recipient_email: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        let code = gift_code([0, 31, 32, 63, 255, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
        assert_eq!(code, "A9A99HJKLMNPQRST");
        assert_eq!(written(&code), "A9A9-9HJK-LMNP-QRST");
        assert_eq!(normal_gift_code(" a9a9-9hjk lmnp-qrst\n"), code);
    }
}
