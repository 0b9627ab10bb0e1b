//! What is sent to whom by email and to devices.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use super::notification::hashed;
use super::{AnnouncementId, Facts, NotificationId, NotificationKind, PushSubscriptionId};
use crate::accounts::UserId;
use crate::platform::db::stored_as_text;

/// How a notification is sent, besides the list and its pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum DeliveryChannel {
    /// By email.
    Email,
    /// To a device.
    Push,
}

stored_as_text!(DeliveryChannel { Email = "EMAIL", Push = "PUSH" });

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was sent.
    Sent,
    /// The user may not or does not want to be told anymore, or cannot be reached.
    Skipped,
    /// The address is known not to work, or its owner has called such a mail spam.
    Suppressed,
    /// It was rejected, or could not be sent in many attempts.
    Failed,
}

impl Outcome {
    /// The stored text.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Outcome::Sent => "SENT",
            Outcome::Skipped => "SKIPPED",
            Outcome::Suppressed => "SUPPRESSED",
            Outcome::Failed => "FAILED",
        }
    }
}

/// When something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// When to send it.
    pub(crate) due_at: DateTime<Utc>,
    /// The digest that it is part of, by the time for which that is planned.
    pub(crate) digest_at: Option<DateTime<Utc>>,
}

/// Something to be sent to a user.
#[derive(Clone, Debug)]
pub(crate) struct NewDelivery {
    pub user_id: UserId,
    pub channel: DeliveryChannel,
    /// The device, if it is sent to one.
    pub subscription: Option<PushSubscriptionId>,
    pub(crate) slot: Slot,
}

/// A delivery that this node has leased.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Delivery {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    #[diesel(sql_type = SqlUuid)]
    pub(crate) notification_id: NotificationId,
    #[diesel(sql_type = Text)]
    pub channel: DeliveryChannel,
    /// The device; `None` if it is sent by email, or if the device has ended.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub push_subscription_id: Option<PushSubscriptionId>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) digest_at: Option<DateTime<Utc>>,
    /// The number of attempts, including the current one.
    #[diesel(sql_type = Integer)]
    pub(crate) attempts: i32,
}

/// The deliveries that are sent as one message.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Identifies the message; a repetition has the same id.
    pub id: Uuid,
    pub user_id: UserId,
    pub(crate) is_digest: bool,
    /// At least one; several only in a digest.
    pub(crate) deliveries: Vec<Delivery>,
}

impl Parcel {
    /// Groups deliveries: those of a user for the same digest together, each other one on its own.
    pub(crate) fn group(deliveries: Vec<Delivery>) -> Vec<Parcel> {
        let mut parcels: Vec<Parcel> = Vec::new();
        for delivery in deliveries {
            let user_id = delivery.user_id;
            let (id, is_digest) = match delivery.digest_at {
                Some(at) => (digest_id(user_id, at), true),
                None => (delivery.id, false),
            };
            match parcels.iter_mut().find(|parcel| parcel.id == id) {
                Some(parcel) => parcel.deliveries.push(delivery),
                None => parcels.push(Parcel { id, user_id, is_digest, deliveries: vec![delivery] }),
            }
        }
        parcels
    }
}

/// The id of a user's digest, the same for each attempt.
fn digest_id(user: UserId, at: DateTime<Utc>) -> Uuid {
    hashed(&format!("digest\0{}\0{}", user.uuid(), at.timestamp()))
}

/// An event whose audience is walked, and how far.
#[derive(Clone, Debug, QueryableByName)]
pub(crate) struct Walk {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) event_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(crate) notification_id: NotificationId,
    /// The key of the audience.
    #[diesel(sql_type = Text)]
    pub audience: String,
    #[diesel(sql_type = Text)]
    pub kind: NotificationKind,
    #[diesel(sql_type = Array<Text>)]
    pub(crate) mute_keys: Vec<String>,
    /// Who caused the event, who is not told.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub actor_id: Option<UserId>,
    /// Users up to this id have been seen.
    #[diesel(sql_type = SqlUuid)]
    pub position: UserId,
    #[diesel(sql_type = Jsonb)]
    facts: Value,
}

impl Walk {
    /// The announcement, if the event is one.
    pub(crate) fn announcement(&self) -> Option<AnnouncementId> {
        serde_json::from_value::<Facts>(self.facts.clone()).ok()?.announcement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_one_parcel_with_a_stable_id() {
        let user = UserId::new(Uuid::from_u128(1));
        let delivery = |id, user_id, digest_at| Delivery {
            id: Uuid::from_u128(id),
            user_id,
            notification_id: NotificationId::new(Uuid::from_u128(id)),
            channel: DeliveryChannel::Email,
            push_subscription_id: None,
            digest_at,
            attempts: 1,
        };
        let (morning, next) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(86_400, 0).unwrap());
        let other = UserId::new(Uuid::from_u128(2));
        let all = vec![
            delivery(1, user, Some(morning)),
            delivery(2, user, None),
            delivery(3, user, Some(next)),
            delivery(4, other, Some(morning)),
            delivery(5, user, Some(morning)),
        ];
        let parcels = Parcel::group(all.clone());
        let sizes: Vec<usize> = parcels.iter().map(|parcel| parcel.deliveries.len()).collect();
        assert_eq!(sizes, [2, 1, 1, 1]);
        assert_eq!(parcels[1].id, Uuid::from_u128(2));
        assert_eq!(Parcel::group(all[4..].to_vec())[0].id, parcels[0].id, "whatever it contains");
    }
}
