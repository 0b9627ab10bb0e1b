//! Locks what an order is about.

use std::collections::{HashMap, HashSet};

use crate::accounts::{self, UserId};
use crate::catalog::{self, Course, CourseId};
use crate::memberships;
use crate::orders::model::{Gift, GiftId, Order, OrderId, OrderItem, OrderItemKind};
use crate::orders::query::{coupon, gift, order as query};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// An order that is locked, with what belongs to it.
pub(super) struct Held {
    pub(super) order: Order,
    pub(super) items: Vec<OrderItem>,
    /// The courses of the items, and of memberships, that exist.
    pub(super) courses: HashMap<CourseId, Course>,
    /// The gifts among the items.
    pub(super) gifts: Vec<Gift>,
    /// The buyer and those who have claimed gifts, as far as their accounts exist.
    pub(super) people: HashSet<UserId>,
}

impl Held {
    /// Whether all that was ordered exists, and the buyer, too.
    pub(super) fn is_complete(&self) -> bool {
        self.people.contains(&self.order.buyer_id) && self.items.iter().all(|item| self.exists(item))
    }

    /// Whether what an item gives access to exists; a donation gives none, and of a membership and extra hours it is
    /// asked when they are paid (`memberships::may_be_paid`, `hours_may_be_paid`).
    pub(super) fn exists(&self, item: &OrderItem) -> bool {
        match item.kind {
            OrderItemKind::Course | OrderItemKind::Gift => {
                item.course_id.is_some_and(|id| self.courses.contains_key(&id))
            }
            OrderItemKind::Donation | OrderItemKind::Membership | OrderItemKind::ExtraHours => true,
        }
    }

    /// Returns a gift with its item.
    pub(super) fn gift(&self, id: GiftId) -> Option<(&Gift, &OrderItem)> {
        let gift = self.gifts.iter().find(|gift| gift.id == id)?;
        Some((gift, self.items.iter().find(|item| item.id == gift.item_id)?))
    }

    /// Returns the gift that an item is.
    pub(super) fn gift_of(&self, item: &OrderItem) -> Option<&Gift> {
        self.gifts.iter().find(|gift| gift.item_id == item.id)
    }

    /// Returns who has the access that an item gives: the buyer, or who has claimed the gift.
    pub(super) fn owner_of(&self, item: &OrderItem) -> Option<UserId> {
        match item.kind {
            OrderItemKind::Course | OrderItemKind::Membership | OrderItemKind::ExtraHours => Some(self.order.buyer_id),
            OrderItemKind::Gift => self.gift_of(item)?.claimed_by,
            OrderItemKind::Donation => None,
        }
    }

    /// The courses that are for the buyer.
    pub(super) fn own_courses(&self) -> Vec<CourseId> {
        let own = self.items.iter().filter(|item| item.kind == OrderItemKind::Course);
        own.filter_map(|item| item.course_id).collect()
    }
}

/// Locks the courses of an order, its users, and the order; `None` if there is no such order.
pub(super) async fn lock(tx: &mut Tx, id: OrderId) -> Result<Option<Held>, InternalError> {
    lock_for(tx, id, None).await
}

/// Like [`lock`], with one more user, who does something with the order.
pub(super) async fn lock_for(tx: &mut Tx, id: OrderId, user: Option<UserId>) -> Result<Option<Held>, InternalError> {
    let items = query::items_of(tx.conn(), &[id]).await?;
    let Some(order) = query::by_id(tx.conn(), id).await? else { return Ok(None) };
    let mut wanted: Vec<CourseId> = items.iter().filter_map(|item| item.course_id).collect();
    for membership in items.iter().filter_map(|item| item.membership_id) {
        wanted.extend(memberships::target_course(tx, membership).await?);
    }
    let courses = courses(tx, wanted.into_iter()).await?;
    let claimers = gift::of_orders(tx.conn(), &[id]).await?.into_iter().filter_map(|gift| gift.claimed_by);
    let mut people = HashSet::new();
    lock_users(tx, claimers.chain([order.buyer_id]).chain(user), &mut people).await?;
    if let Some(coupon) = order.coupon_id {
        coupon::lock(tx, coupon).await?;
    }
    let Some(order) = query::lock(tx, id).await? else { return Ok(None) };
    // Read again: they may have changed before the lock.
    let items = query::items_of(tx.conn(), &[id]).await?;
    let gifts = gift::of_orders(tx.conn(), &[id]).await?;
    // A gift may have been claimed meanwhile. If this ends in a deadlock, the transaction is repeated.
    lock_users(tx, gifts.iter().filter_map(|gift| gift.claimed_by), &mut people).await?;
    Ok(Some(Held { order, items, courses, gifts, people }))
}

/// Locks users, by id, who are not locked yet; adds those who exist to `people`.
async fn lock_users(
    tx: &mut Tx,
    ids: impl Iterator<Item = UserId>,
    people: &mut HashSet<UserId>,
) -> Result<(), InternalError> {
    let mut ids: Vec<UserId> = ids.filter(|id| !people.contains(id)).collect();
    ids.sort_unstable_by_key(|id| id.uuid());
    ids.dedup();
    for id in ids {
        if accounts::lock_user(tx, id).await? {
            people.insert(id);
        }
    }
    Ok(())
}

/// Returns a locked order as this transaction has left it.
pub(super) async fn reread(tx: &mut Tx, held: &Held) -> Result<Held, InternalError> {
    let order = query::by_id(tx.conn(), held.order.id).await?.unwrap_or_else(|| held.order.clone());
    let items = query::items_of(tx.conn(), &[order.id]).await?;
    let gifts = gift::of_orders(tx.conn(), &[order.id]).await?;
    Ok(Held { order, items, courses: held.courses.clone(), gifts, people: held.people.clone() })
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
