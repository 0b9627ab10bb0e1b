//! Devices that are sent push messages.

use async_graphql::{InputObject, OneofObject};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};

use crate::accounts::{SessionId, UserId};
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::push_subscriptions;
use crate::platform::db::stored_as_text;
use crate::platform::push::Target;

/// The id of a push subscription: `push_subscription_01j…`.
pub type PushSubscriptionId = Id<PushSubscription>;

/// A device, or a browser on it, that is sent push messages.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = push_subscriptions, check_for_backend(diesel::pg::Pg))]
pub struct PushSubscription {
    /// The id.
    pub id: PushSubscriptionId,
    /// The user who is told.
    pub user_id: UserId,
    /// The session that registered it. It ends with the session.
    pub session_id: SessionId,
    /// The service that delivers the messages.
    pub service: PushService,
    /// The URL of a browser's push service, or the token of a device.
    pub address: String,
    /// The browser's public key.
    pub p256dh: Option<Vec<u8>>,
    /// The browser's secret.
    pub auth: Option<Vec<u8>>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When a push service last accepted a message for it.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl Entity for PushSubscription {
    const PREFIX: &'static str = "push_subscription";
}

impl PushSubscription {
    /// Where its messages are sent to.
    pub(crate) fn target(&self) -> Target {
        let address = self.address.clone();
        match self.service {
            PushService::Web => Target::Web {
                endpoint: address,
                p256dh: self.p256dh.clone().unwrap_or_default(),
                auth: self.auth.clone().unwrap_or_default(),
            },
            PushService::Fcm => Target::Fcm(address),
            PushService::Apns => Target::Apns(address),
        }
    }
}

/// The service that delivers push messages to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PushService {
    /// The push service of a browser (RFC 8030).
    Web,
    /// Firebase Cloud Messaging.
    Fcm,
    /// The Apple Push Notification service.
    Apns,
}

stored_as_text!(PushService { Web = "WEB", Fcm = "FCM", Apns = "APNS" });

/// The input of `registerPushSubscription`.
#[derive(Clone, Debug, OneofObject)]
pub enum RegisterPushSubscriptionInput {
    /// A subscription of a browser.
    Web(WebPushInput),
    /// The registration token of an app that uses Firebase Cloud Messaging.
    FcmToken(String),
    /// The device token of an app on an Apple device, in hexadecimal.
    ApnsToken(String),
}

/// A subscription of a browser, as `PushSubscription.toJSON()` returns it.
#[derive(Clone, Debug, InputObject)]
pub struct WebPushInput {
    /// The URL of the push service, which must be https and public; at most 2,000 characters.
    pub endpoint: String,
    /// The key `p256dh`, in base64url.
    #[graphql(name = "p256dh")]
    pub p256dh: String,
    /// The key `auth`, in base64url.
    pub auth: String,
}

/// The input of `deletePushSubscription`.
#[derive(Clone, Debug, InputObject)]
pub struct DeletePushSubscriptionInput {
    /// The subscription.
    pub push_subscription_id: PushSubscriptionId,
}
