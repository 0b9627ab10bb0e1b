//! The devices of a user that are sent push messages.

use std::cmp::Reverse;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::accounts::{Device, SessionById, viewer};
use crate::graphql::context::{actor, app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, public, requires, scoped};
use crate::graphql::page::slice;
use crate::graphql::{Connection, PageArgs, Requires, Result, Scoped, Sequential, UserError};
use crate::notifications::command;
use crate::notifications::loader::{DeviceById, DevicesOf};
use crate::notifications::model::{
    DeletePushSubscriptionInput, PushService, PushSubscription, PushSubscriptionId, RegisterPushSubscriptionInput,
};

const PUSH_SUBSCRIPTIONS: &str = "pushSubscriptions";

/// A device in the schema, as its user sees it.
#[derive(Clone)]
pub(super) struct PushSubscriptionObject(PushSubscription);

/// A device of the user, or a browser on it, that is sent push messages. It ends with the session that registered it,
/// and when its push service says that it has ended.
#[Object(name = "PushSubscription")]
impl PushSubscriptionObject {
    /// The id of the subscription.
    async fn id(&self) -> PushSubscriptionId {
        self.0.id
    }

    /// The service that delivers the messages.
    async fn service(&self) -> PushService {
        self.0.service
    }

    /// The device, as far as the user agent of its session identifies it.
    async fn device(&self, ctx: &Context<'_>) -> Result<Sequential<Device>> {
        let session = loaders(ctx).load(SessionById(self.0.session_id)).await?;
        let agent = session.as_ref().map(|session| session.user_agent.as_str()).unwrap_or_default();
        Ok(Sequential(Device::of(agent)))
    }

    /// Whether the session of this request has registered it.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        actor(ctx).session() == Some(self.0.session_id.uuid())
    }

    /// When it was registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When its push service last accepted a message; null if it never did.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }
}

/// The payload of `registerPushSubscription`.
#[derive(SimpleObject)]
pub(super) struct RegisterPushSubscriptionPayload {
    /// The subscription; null if there are `userErrors`.
    push_subscription: Option<Sequential<PushSubscriptionObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `deletePushSubscription`.
#[derive(SimpleObject)]
pub(super) struct DeletePushSubscriptionPayload {
    /// The id of the subscription that was deleted; null if there are `userErrors`.
    push_subscription_id: Option<PushSubscriptionId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The query of the key.
#[derive(Default)]
pub(super) struct PushQuery;

#[Object]
impl PushQuery {
    /// The `applicationServerKey` for `PushManager.subscribe` of browsers, in base64url; null if this server sends no
    /// messages to browsers.
    #[graphql(directive = public::apply())]
    async fn push_key(&self, ctx: &Context<'_>) -> Option<String> {
        app(ctx).pusher.web_key().map(str::to_owned)
    }
}

/// The viewer's devices.
#[derive(Default)]
pub(super) struct ViewerPushSubscriptions;

#[Object]
impl ViewerPushSubscriptions {
    /// The devices that are sent push messages, the one that was registered last first; at most 20.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadNotifications)",
        directive = scoped::apply(Role::Student, Scope::ReadNotifications)
    )]
    async fn push_subscriptions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<PushSubscriptionObject>>>> {
        let user = viewer(within(ctx, Scope::ReadNotifications))?;
        let devices = loaders(ctx).load(DevicesOf(user)).await?.unwrap_or_default();
        let objects = devices.iter().cloned().map(PushSubscriptionObject).collect();
        let args = PageArgs { first, after, last, before };
        slice(args, PUSH_SUBSCRIPTIONS, objects, |PushSubscriptionObject(device)| -> (Reverse<i64>, Reverse<Uuid>) {
            (Reverse(device.created_at.timestamp_micros()), Reverse(device.id.uuid()))
        })
        .map(|page| Some(Sequential(page)))
    }
}

/// The mutations of devices.
#[derive(Default)]
pub(super) struct PushSubscriptionMutation;

#[Object]
impl PushSubscriptionMutation {
    /// Registers the device of the current session for push messages. Registering it again keeps its id. Of more than
    /// 20 devices of a user, the oldest are removed.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn register_push_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address of the device at its push service.")] input: RegisterPushSubscriptionInput,
    ) -> Result<Option<Sequential<RegisterPushSubscriptionPayload>>> {
        let outcome = command::register_push_subscription(app(ctx), actor(ctx), input).await;
        let (device, user_errors) = payload(outcome)?;
        let push_subscription = device.map(|device| Sequential(PushSubscriptionObject(device)));
        Ok(Some(Sequential(RegisterPushSubscriptionPayload { push_subscription, user_errors })))
    }

    /// Ends push messages to one of the viewer's devices.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn delete_push_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The device.")] input: DeletePushSubscriptionInput,
    ) -> Result<Option<Sequential<DeletePushSubscriptionPayload>>> {
        let outcome = command::delete_push_subscription(app(ctx), actor(ctx), input).await;
        let (push_subscription_id, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(DeletePushSubscriptionPayload { push_subscription_id, user_errors })))
    }
}

/// Returns a device of the viewer.
pub(super) async fn push_subscription_node(
    ctx: &Context<'_>,
    id: PushSubscriptionId,
) -> Result<Option<PushSubscriptionObject>> {
    let device = loaders(ctx).load(DeviceById(id)).await?;
    Ok(device.filter(|device| actor(ctx).is(device.user_id)).map(PushSubscriptionObject))
}
