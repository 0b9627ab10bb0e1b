//! Google Play: what has become of purchases in an app, and the notifications about them.
//!
//! The token of a purchase is its key. A notification is a hint that may be repeated: what is true is what Google
//! answers when it is asked. A purchase that is not acknowledged within three days is refunded by Google.
//!
//! Source: <https://developers.google.com/android-publisher/api-ref/rest>,
//! <https://developer.android.com/google/play/billing/rtdn-reference>.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{HeaderMap, Request, StatusCode};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::google_keys::Keys;
use super::{GatewayError, Unverified, timed};
use crate::config::gateways::GooglePlaySettings;
use crate::platform::clock::Clock;
use crate::platform::google::Account;
use crate::platform::internal_error::InternalError;

const SCOPE: &str = "https://www.googleapis.com/auth/androidpublisher";
/// The longest token of a purchase, in bytes. They have some 150.
const LONGEST_TOKEN: usize = 1000;
/// The type of a product that is bought once, as it is told of what was voided.
const ONE_TIME: u32 = 2;

/// An app on Google Play.
pub struct GooglePlay {
    settings: GooglePlaySettings,
    client: Client,
    account: Account,
    keys: Keys,
    clock: Clock,
}

/// A subscription, as Google knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The state.
    pub state: SubscriptionState,
    /// The id of the product.
    pub product: String,
    /// The id of the base plan; `None` for subscriptions from before base plans.
    pub base_plan: Option<String>,
    /// The id of the latest order that was paid; `None` if none was.
    pub order: Option<String>,
    /// When the access ends, unless it is renewed.
    pub expires_at: Option<DateTime<Utc>>,
    /// The country of its owner (ISO 3166-1, two letters).
    pub country: Option<String>,
    /// Whether it renews by itself.
    pub renews: bool,
    /// The token of the purchase that this one replaces: after an upgrade, a downgrade or a new start.
    pub linked_token: Option<String>,
    /// Whether the purchase was acknowledged.
    pub is_acknowledged: bool,
    /// The account that the app has named.
    pub app_account: Option<String>,
    /// Whether it was bought by a tester, who pays nothing.
    pub is_test: bool,
}

/// The state of a subscription at Google.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum SubscriptionState {
    /// It waits for its first payment.
    #[serde(rename = "SUBSCRIPTION_STATE_PENDING")]
    Pending,
    /// It is paid, and renews unless `renews` says otherwise.
    #[serde(rename = "SUBSCRIPTION_STATE_ACTIVE")]
    Active,
    /// It is paused by its owner.
    #[serde(rename = "SUBSCRIPTION_STATE_PAUSED")]
    Paused,
    /// A renewal has failed; the access goes on.
    #[serde(rename = "SUBSCRIPTION_STATE_IN_GRACE_PERIOD")]
    InGracePeriod,
    /// A renewal has failed; there is no access until it is paid.
    #[serde(rename = "SUBSCRIPTION_STATE_ON_HOLD")]
    OnHold,
    /// Canceled by its owner; the access goes on until it expires.
    #[serde(rename = "SUBSCRIPTION_STATE_CANCELED")]
    Canceled,
    /// It has ended, or was revoked.
    #[serde(rename = "SUBSCRIPTION_STATE_EXPIRED")]
    Expired,
    /// The first payment never came.
    #[serde(rename = "SUBSCRIPTION_STATE_PENDING_PURCHASE_CANCELED")]
    PendingCanceled,
    /// A state that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A notification that something has become of a purchase. The state is to be read anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The id of the message, which is the same when it is sent again.
    pub id: String,
    /// What has happened, such as `subscription.renewed`.
    pub kind: String,
    /// The token of the subscription that has changed, or was refunded or charged back. `None` if it is about a product
    /// that is bought once, or the owner of the app tries whether notifications arrive.
    pub token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionAnswer {
    subscription_state: SubscriptionState,
    region_code: Option<String>,
    #[serde(default)]
    line_items: Vec<LineItem>,
    linked_purchase_token: Option<String>,
    acknowledgement_state: Option<String>,
    external_account_identifiers: Option<ExternalAccount>,
    test_purchase: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LineItem {
    product_id: String,
    expiry_time: Option<DateTime<Utc>>,
    auto_renewing_plan: Option<AutoRenewing>,
    offer_details: Option<Offer>,
    latest_successful_order_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AutoRenewing {
    #[serde(default)]
    auto_renew_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    base_plan_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalAccount {
    obfuscated_external_account_id: Option<String>,
}

/// A message of Pub/Sub: <https://cloud.google.com/pubsub/docs/push>.
#[derive(Deserialize)]
struct Push {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    data: String,
    message_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Developer {
    package_name: String,
    subscription_notification: Option<OfSubscription>,
    voided_purchase_notification: Option<Voided>,
    one_time_product_notification: Option<IgnoredAny>,
    test_notification: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfSubscription {
    purchase_token: String,
    notification_type: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Voided {
    purchase_token: String,
    product_type: Option<u32>,
}

impl GooglePlay {
    /// Creates the client of an app.
    ///
    /// # Errors
    /// The key of the service account is malformed, or no root certificates are installed on this machine.
    pub fn new(settings: GooglePlaySettings, clock: Clock) -> Result<GooglePlay, InternalError> {
        let client = Client::new("Google Play")?;
        let account = Account::new(&settings.account, SCOPE, clock.clone())?;
        let keys = Keys::new(settings.keys_url.clone(), client.fetcher().clone());
        Ok(GooglePlay { settings, client, account, keys, clock })
    }

    /// Reads a subscription by the token of its purchase; `None` if there is none, or if it ended more than 60 days
    /// ago.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn read_subscription(&self, token: &str) -> Result<Option<Subscription>, GatewayError> {
        let Some(token) = in_path(token) else { return Ok(None) };
        let path = format!("purchases/subscriptionsv2/tokens/{token}");
        let Some(answer) = found(timed(self.get::<SubscriptionAnswer>(&path)).await)? else { return Ok(None) };
        let item = answer.line_items.into_iter().next();
        let item = item.ok_or_else(|| InternalError::new("a subscription of Google Play has no product"))?;
        Ok(Some(Subscription {
            state: answer.subscription_state,
            product: item.product_id,
            base_plan: item.offer_details.and_then(|offer| offer.base_plan_id),
            order: item.latest_successful_order_id,
            expires_at: item.expiry_time,
            country: answer.region_code,
            renews: item.auto_renewing_plan.is_some_and(|plan| plan.auto_renew_enabled),
            linked_token: answer.linked_purchase_token,
            is_acknowledged: answer.acknowledgement_state.as_deref() == Some("ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"),
            app_account: answer.external_account_identifiers.and_then(|ids| ids.obfuscated_external_account_id),
            is_test: answer.test_purchase.is_some(),
        }))
    }

    /// Acknowledges a subscription. Doing it again does nothing.
    ///
    /// # Errors
    /// See [`GatewayError`].
    pub async fn acknowledge(&self, product: &str, token: &str) -> Result<(), GatewayError> {
        let parts = in_path(product).zip(in_path(token));
        let (product, token) = parts.ok_or_else(|| GatewayError::Refused("no such purchase".into()))?;
        let path = format!("purchases/subscriptions/{product}/tokens/{token}:acknowledge");
        let request = Request::post(self.url(&path)).header(CONTENT_TYPE, "application/json");
        let response = timed(self.send(request, "{}")).await?;
        if response.status().is_success() {
            return Ok(());
        }
        let why = format!("Google Play answers {}", response.status());
        if response.status() == StatusCode::UNAUTHORIZED {
            self.account.forget().await;
        } else if response.status().is_client_error() {
            return Err(GatewayError::Refused(why));
        }
        Err(GatewayError::Failed(InternalError::new(why)))
    }

    /// Checks that a notification comes from our subscription of Pub/Sub, and reads it.
    ///
    /// # Errors
    /// See [`Unverified`].
    pub async fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notification, Unverified> {
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Unverified::Forged)?;
        let (audience, sender) = (&self.settings.push_audience, &self.settings.push_account);
        self.keys.verify(token, (audience, sender), self.clock.now()).await?;
        self.read(body).ok_or(Unverified::Malformed)
    }

    /// Reads a notification about our app; `None` if it is malformed or of another app.
    pub fn read(&self, body: &[u8]) -> Option<Notification> {
        read(&self.settings.package, body)
    }

    async fn get<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, GatewayError> {
        let access = self.account.access(self.client.fetcher()).await?;
        let request = Request::get(self.url(path)).header(AUTHORIZATION, format!("Bearer {access}"));
        let outcome = self.client.call(request.body(String::new()), self.clock.now()).await;
        if let Err(GatewayError::Failed(_)) = &outcome {
            // It may be the token; the next call has a new one.
            self.account.forget().await;
        }
        outcome
    }

    async fn send(
        &self,
        request: hyper::http::request::Builder,
        body: &str,
    ) -> Result<hyper::Response<bytes::Bytes>, GatewayError> {
        let access = self.account.access(self.client.fetcher()).await?;
        let request = request.header(AUTHORIZATION, format!("Bearer {access}")).body(body.to_owned());
        self.client.send(request.map_err(InternalError::from)?, self.clock.now()).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/androidpublisher/v3/applications/{}/{path}", self.settings.url, self.settings.package)
    }
}

/// Returns what may be a part of a path: clients name tokens and products.
fn in_path(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_fine = !text.is_empty() && text.len() <= LONGEST_TOKEN && text != "." && text != "..";
    (is_fine && text.bytes().all(is_plain)).then_some(text)
}

/// Tells what does not exist from what cannot be asked.
fn found<T>(outcome: Result<T, GatewayError>) -> Result<Option<T>, GatewayError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(GatewayError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(package: &str, body: &[u8]) -> Option<Notification> {
    let Push { message } = serde_json::from_slice(body).ok()?;
    let told: Developer = serde_json::from_slice(&BASE64_STANDARD.decode(message.data).ok()?).ok()?;
    if told.package_name != package {
        return None;
    }
    let (kind, token) = match told {
        Developer { voided_purchase_notification: Some(Voided { purchase_token, product_type }), .. } => {
            ("purchase.voided", Some(purchase_token).filter(|_| product_type != Some(ONE_TIME)))
        }
        Developer { subscription_notification: Some(about), .. } => {
            (kind_of(about.notification_type), Some(about.purchase_token))
        }
        Developer { one_time_product_notification: Some(_), .. } => ("product.changed", None),
        Developer { test_notification: Some(_), .. } => ("test", None),
        _ => ("other", None),
    };
    Some(Notification { id: message.message_id, kind: kind.to_owned(), token })
}

/// What a number of Google's says that has happened to a subscription.
fn kind_of(number: Option<u32>) -> &'static str {
    match number {
        Some(1) => "subscription.recovered",
        Some(2) => "subscription.renewed",
        Some(3) => "subscription.canceled",
        Some(4) => "subscription.purchased",
        Some(5) => "subscription.on_hold",
        Some(6) => "subscription.in_grace_period",
        Some(7) => "subscription.restarted",
        Some(8) => "subscription.price_change_confirmed",
        Some(9) => "subscription.deferred",
        Some(10) => "subscription.paused",
        Some(11) => "subscription.pause_schedule_changed",
        Some(12) => "subscription.revoked",
        Some(13) => "subscription.expired",
        Some(17) => "subscription.items_changed",
        Some(18) => "subscription.cancellation_scheduled",
        Some(19) => "subscription.price_change_updated",
        Some(20) => "subscription.pending_purchase_canceled",
        Some(22) => "subscription.price_step_up_consent_updated",
        // One that is newer than this version.
        _ => "subscription.changed",
    }
}
