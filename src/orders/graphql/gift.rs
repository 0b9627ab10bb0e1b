//! Gifts in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::accounts::{UserId, UserObject, user_node};
use crate::catalog::{CourseId, CourseObject, course_for_enrolled};
use crate::enrollments::{EnrollmentObject, viewer_enrollment};
use crate::graphql::context::{actor, app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::orders::loader::{GiftById, ItemById, OrderById};
use crate::orders::model::{ClaimGiftInput, Gift, GiftId, ResendGiftInput, written};
use crate::orders::{command, policy};

/// A gift in the schema.
#[derive(Clone)]
pub(super) struct GiftObject {
    row: Arc<Gift>,
    /// `None` once the course is deleted.
    course: Option<CourseId>,
}

impl GiftObject {
    pub(super) fn new(row: Arc<Gift>, course: Option<CourseId>) -> GiftObject {
        GiftObject { row, course }
    }

    /// Whether the viewer gives it.
    async fn is_given_by_viewer(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = within(ctx, Scope::ReadOrders).id();
        let order = loaders(ctx).load(OrderById(self.row.order_id)).await?;
        Ok(order.is_some_and(|order| viewer == Some(order.buyer_id.uuid())))
    }

    /// Whether the viewer may see whom it was sent to: who gives it and administrators may.
    async fn shows_recipient(&self, ctx: &Context<'_>) -> Result<bool> {
        let order = loaders(ctx).load(OrderById(self.row.order_id)).await?;
        Ok(order.is_some_and(|order| policy::can_see(within(ctx, Scope::ReadOrders), order.buyer_id)))
    }
}

/// A course that a user gives to another person. Who gives it, who has claimed it, and administrators see it.
#[Object(name = "Gift")]
impl GiftObject {
    /// The id of the gift.
    async fn id(&self) -> GiftId {
        self.row.id
    }

    /// The course; null if the viewer may not see it, or if it was deleted.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(course) = self.course else { return Ok(None) };
        Ok(course_for_enrolled(ctx, course).await?.map(Sequential))
    }

    /// The email address to which it is sent; null to who has claimed it.
    async fn recipient_email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.shows_recipient(ctx).await?.then_some(self.row.recipient_email.as_str()))
    }

    /// What is said with it; may be empty.
    async fn message(&self) -> &str {
        &self.row.message
    }

    /// What it is claimed with, in groups of four letters and digits: for who gives it only, while it can be claimed.
    async fn code(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let is_shown = self.row.expires_at.is_some() && self.is_given_by_viewer(ctx).await?;
        Ok(is_shown.then(|| written(&self.row.code)))
    }

    /// When it is sent; null for as soon as it is paid.
    async fn send_at(&self) -> Option<DateTime<Utc>> {
        self.row.send_at
    }

    /// When it was last sent; null if it was not.
    async fn sent_at(&self) -> Option<DateTime<Utc>> {
        self.row.mailed_at
    }

    /// When it was claimed; null if it was not.
    async fn claimed_at(&self) -> Option<DateTime<Utc>> {
        self.row.claimed_at
    }

    /// Who has claimed it; null if it is unclaimed, or if the account was deleted.
    async fn claimed_by(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        let Some(user) = self.row.claimed_by else { return Ok(None) };
        Ok(user_node(ctx, user).await?.map(Sequential))
    }

    /// When it expires, and is refunded, unless it is claimed; null if it cannot be claimed, or not yet.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.row.expires_at
    }
}

/// Returns a gift to who gives it, to who has claimed it, and to administrators.
pub(super) async fn gift_node(ctx: &Context<'_>, id: GiftId) -> Result<Option<GiftObject>> {
    let Some(row) = loaders(ctx).load(GiftById(id)).await? else { return Ok(None) };
    let viewer = within(ctx, Scope::ReadOrders);
    let order = loaders(ctx).load(OrderById(row.order_id)).await?;
    let sees = |user: UserId| policy::can_see(viewer, user);
    if !order.is_some_and(|order| sees(order.buyer_id)) && !row.claimed_by.is_some_and(sees) {
        return Ok(None);
    }
    let item = loaders(ctx).load(ItemById(row.item_id)).await?;
    Ok(Some(GiftObject::new(row, item.and_then(|item| item.course_id))))
}

/// The payload of `claimGift`.
#[derive(SimpleObject)]
struct ClaimGiftPayload {
    /// The gift; null if there are `userErrors`.
    gift: Option<Sequential<GiftObject>>,
    /// The enrollment of the viewer in the course; null if there are `userErrors`.
    enrollment: Option<Sequential<EnrollmentObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `resendGift`.
#[derive(SimpleObject)]
struct ResendGiftPayload {
    /// The gift; null if there are `userErrors`.
    gift: Option<Sequential<GiftObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of gifts.
#[derive(Default)]
pub(super) struct GiftMutation;

#[Object]
impl GiftMutation {
    /// Claims a gift: the viewer gets the course. Claiming it again does nothing. It is refused to who has the course.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn claim_gift(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code of the gift.")] input: ClaimGiftInput,
    ) -> Result<Option<Sequential<ClaimGiftPayload>>> {
        let (claimed, user_errors) = payload(command::claim_gift(app(ctx), actor(ctx), input).await)?;
        let Some((gift, course)) = claimed else {
            return Ok(Some(Sequential(ClaimGiftPayload { gift: None, enrollment: None, user_errors })));
        };
        let enrollment = viewer_enrollment(ctx, course).await?;
        let gift = Some(Sequential(GiftObject::new(Arc::new(gift), Some(course))));
        Ok(Some(Sequential(ClaimGiftPayload { gift, enrollment, user_errors })))
    }

    /// Sends a gift of the viewer once more, at most ten times, or to a corrected address.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn resend_gift(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The gift, and its new recipient.")] input: ResendGiftInput,
    ) -> Result<Option<Sequential<ResendGiftPayload>>> {
        let (row, user_errors) = payload(command::resend_gift(app(ctx), actor(ctx), input).await)?;
        let gift = match row {
            Some(row) => gift_node(ctx, row.id).await?.map(Sequential),
            None => None,
        };
        Ok(Some(Sequential(ResendGiftPayload { gift, user_errors })))
    }
}
