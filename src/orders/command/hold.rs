//! Locks what an order is about.

use std::collections::HashMap;

use crate::accounts;
use crate::catalog::{self, Course, CourseId};
use crate::memberships;
use crate::orders::model::{Order, OrderId, OrderItem, OrderItemKind};
use crate::orders::query::{coupon, order as query};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// An order that is locked, with what belongs to it.
pub(super) struct Held {
    pub(super) order: Order,
    pub(super) items: Vec<OrderItem>,
    /// The courses of the items, and of memberships, that exist.
    pub(super) courses: HashMap<CourseId, Course>,
    /// Whether the buyer's account exists.
    pub(super) has_buyer: bool,
}

impl Held {
    /// Whether all that was ordered exists, and the buyer, too.
    pub(super) fn is_complete(&self) -> bool {
        let exists = |item: &OrderItem| match item.kind {
            OrderItemKind::Course => item.course_id.is_some_and(|id| self.courses.contains_key(&id)),
            // Asked when it is paid: `memberships::may_be_paid`.
            OrderItemKind::Membership => true,
        };
        self.has_buyer && self.items.iter().all(exists)
    }
}

/// Locks the courses of an order, its buyer, and the order; `None` if there is no such order.
pub(super) async fn lock(tx: &mut Tx, id: OrderId) -> Result<Option<Held>, InternalError> {
    let items = query::items_of(tx.conn(), &[id]).await?;
    let Some(order) = query::by_id(tx.conn(), id).await? else { return Ok(None) };
    let mut wanted: Vec<CourseId> = items.iter().filter_map(|item| item.course_id).collect();
    for membership in items.iter().filter_map(|item| item.membership_id) {
        wanted.extend(memberships::target_course(tx, membership).await?);
    }
    let courses = courses(tx, wanted.into_iter()).await?;
    let has_buyer = accounts::lock_user(tx, order.buyer_id).await?;
    if let Some(coupon) = order.coupon_id {
        coupon::lock(tx, coupon).await?;
    }
    let Some(order) = query::lock(tx, id).await? else { return Ok(None) };
    // Read again: they may have changed before the lock.
    let items = query::items_of(tx.conn(), &[id]).await?;
    Ok(Some(Held { order, items, courses, has_buyer }))
}

/// Prevents the deletion of courses; returns those that exist.
pub(super) async fn courses(
    tx: &mut Tx,
    ids: impl Iterator<Item = CourseId>,
) -> Result<HashMap<CourseId, Course>, InternalError> {
    let mut ids: Vec<CourseId> = ids.collect();
    ids.sort_unstable_by_key(|id| id.uuid());
    ids.dedup();
    let mut found = HashMap::new();
    for id in ids {
        if let Some(course) = catalog::hold_course(tx, id).await? {
            found.insert(id, course);
        }
    }
    Ok(found)
}
