//! Registers and removes devices that are sent push messages.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use url::Url;

use crate::accounts::{SessionId, lock_user, viewer};
use crate::graphql::{Error, Result};
use crate::notifications::error;
use crate::notifications::model::{
    DeletePushSubscriptionInput, PushService, PushSubscription, PushSubscriptionId, RegisterPushSubscriptionInput,
    WebPushInput,
};
use crate::notifications::query::push_subscription as query;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::push::is_valid_web_target;

/// The number of devices of a user; a new one replaces the oldest.
const MOST: i64 = 20;
/// The longest address in characters.
const LONGEST: usize = 2000;

/// Browsers send base64url without padding; libraries may pad it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A device before it is registered.
struct Device {
    service: PushService,
    address: String,
    p256dh: Option<Vec<u8>>,
    auth: Option<Vec<u8>>,
}

/// Registers a device of the viewer's session. Registering it again changes nothing but its session and keys.
///
/// # Errors
/// The caller has no session; the device's service is not configured; the input is malformed.
pub async fn register_push_subscription(
    app: &App,
    actor: &Actor,
    input: RegisterPushSubscriptionInput,
) -> Result<PushSubscription> {
    let user = viewer(actor)?;
    let session = actor.session().map(SessionId::new).ok_or_else(error::needs_session)?;
    let device = match input {
        RegisterPushSubscriptionInput::Web(web) => browser(app, web)?,
        RegisterPushSubscriptionInput::FcmToken(token) => {
            let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_:.".contains(letter);
            native(PushService::Fcm, token, &["fcmToken"], allowed)?
        }
        RegisterPushSubscriptionInput::ApnsToken(token) => {
            native(PushService::Apns, token, &["apnsToken"], |letter| letter.is_ascii_hexdigit())?
        }
    };
    let new = PushSubscription {
        id: PushSubscriptionId::new(app.clock.uuid()),
        user_id: user,
        session_id: session,
        service: device.service,
        address: device.address,
        p256dh: device.p256dh,
        auth: device.auth,
        created_at: app.clock.now(),
        last_used_at: None,
    };
    if !app.pusher.reaches(&new.target()) {
        return Err(error::push_is_off());
    }
    app.db
        .transaction(async |tx| {
            lock_user(tx, user).await?;
            let registered = query::register(tx, &new).await?;
            query::delete_oldest(tx, user, MOST).await?;
            Ok::<_, Error>(registered)
        })
        .await
}

fn browser(app: &App, input: WebPushInput) -> Result<Device> {
    let WebPushInput { endpoint, p256dh, auth } = input;
    let url = Url::parse(&endpoint).ok().filter(|url| endpoint.len() <= LONGEST && app.pusher.may_call(url));
    let url = url.ok_or_else(error::no_endpoint)?;
    let keys = BASE64.decode(p256dh.trim()).ok().zip(BASE64.decode(auth.trim()).ok());
    let (p256dh, auth) = keys.filter(|(key, auth)| is_valid_web_target(key, auth)).ok_or_else(error::no_push_keys)?;
    Ok(Device { service: PushService::Web, address: url.into(), p256dh: Some(p256dh), auth: Some(auth) })
}

fn native(service: PushService, token: String, field: &[&str], allowed: impl Fn(char) -> bool) -> Result<Device> {
    let address = token.trim().to_owned();
    if address.is_empty() || address.len() > LONGEST || !address.chars().all(allowed) {
        return Err(error::no_device_token(field));
    }
    Ok(Device { service, address, p256dh: None, auth: None })
}

/// Removes one of the viewer's devices.
///
/// # Errors
/// It is not one of the viewer's.
pub async fn delete_push_subscription(
    app: &App,
    actor: &Actor,
    input: DeletePushSubscriptionInput,
) -> Result<PushSubscriptionId> {
    let (user, id) = (viewer(actor)?, input.push_subscription_id);
    let deleted = app.db.transaction(async |tx| Ok::<_, Error>(query::delete(tx, user, id).await?)).await?;
    if deleted { Ok(id) } else { Err(error::no_such_push_subscription()) }
}
