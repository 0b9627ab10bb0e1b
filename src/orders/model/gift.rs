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
pub type GiftId = Id<Gift>;

/// A gift. The course is that of its item, and the giver is the buyer of its order.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = gifts, check_for_backend(diesel::pg::Pg))]
pub struct Gift {
    /// The id.
    pub id: GiftId,
    /// The item of the order.
    pub item_id: OrderItemId,
    /// The order.
    pub order_id: OrderId,
    /// What it is claimed with.
    pub code: String,
    /// The recipient; empty once the giver's account is deleted.
    pub recipient_email: String,
    /// What the giver says; may be empty.
    pub message: String,
    /// When it is mailed; `None` for as soon as it is paid.
    pub send_at: Option<DateTime<Utc>>,
    /// How often it was to be mailed.
    pub(crate) mails_asked: i32,
    /// When the latest mail was sent.
    pub mailed_at: Option<DateTime<Utc>>,
    /// Who has claimed it.
    pub claimed_by: Option<UserId>,
    /// When it was claimed.
    pub claimed_at: Option<DateTime<Utc>>,
    /// When it is refunded unless it is claimed; `None` unless it can be claimed.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Entity for Gift {
    const PREFIX: &'static str = "gift";
}

/// A gift to insert.
#[derive(Insertable)]
#[diesel(table_name = gifts)]
pub(crate) struct NewGift<'a> {
    pub id: GiftId,
    pub item_id: OrderItemId,
    pub order_id: OrderId,
    pub code: String,
    pub recipient_email: &'a str,
    pub message: &'a str,
    pub send_at: Option<DateTime<Utc>>,
}

/// Returns the code of 80 random bits.
pub(crate) fn gift_code(random: [u8; 16]) -> String {
    random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32))).map(|letter| char::from(*letter)).collect()
}

/// Returns a code as it is stored, of how a recipient has typed it.
pub(crate) fn normal_gift_code(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Returns a code as people write it, in groups of four.
pub fn written(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// A course to give to another person.
#[derive(Clone, Debug, InputObject)]
pub struct GiftInput {
    /// The course, which is not free.
    pub course_id: CourseId,
    /// The email address to which the gift is sent. All who have the code can claim it, once.
    pub recipient_email: String,
    /// What you say with it, at most 1,000 characters.
    #[graphql(default)]
    pub message: String,
    /// When it is sent, at most a year from now; omit for as soon as it is paid.
    pub send_at: Option<Time>,
}

/// The input of `claimGift`.
#[derive(Clone, Debug, InputObject)]
pub struct ClaimGiftInput {
    /// The code of the gift. Case, spaces and hyphens do not matter.
    pub code: String,
}

/// The input of `resendGift`.
#[derive(Clone, Debug, InputObject)]
pub struct ResendGiftInput {
    /// The gift, which you have paid for, and which is not claimed.
    pub(crate) gift_id: GiftId,
    /// Another email address, to correct it: the earlier code is not valid anymore then. Omit for the same.
    pub recipient_email: Option<String>,
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
