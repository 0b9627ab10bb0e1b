//! Loads plans and memberships in batches. They are not cached across requests.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

use super::model::{
    Family, FamilyInvitation, LiveAllowance, Membership, MembershipId, MembershipWhich, PeriodId, Plan, PlanGateway,
    PlanId, PlanKind, PlanPrice, PlanPriceId, PlanWhich, PlayProduct,
};
use super::query::{family, membership, period, plan, play};
use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::entitlements::EntitlementId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// One plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanById(pub PlanId);

impl Load for PlanById {
    type Value = Arc<Plan>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Plan>>, InternalError> {
        let ids: Vec<PlanId> = keys.iter().map(|key| key.0).collect();
        let rows = plan::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (PlanById(row.id), Arc::new(row))).collect())
    }
}

/// One price of a plan, current or retired.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PriceById(pub PlanPriceId);

impl Load for PriceById {
    type Value = Arc<PlanPrice>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<PlanPrice>>, InternalError> {
        let ids: Vec<PlanPriceId> = keys.iter().map(|key| key.0).collect();
        let rows = plan::prices_by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(row, _)| (PriceById(row.id), Arc::new(row))).collect())
    }
}

/// All prices of a plan, current ones first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PricesOf(pub PlanId);

impl Load for PricesOf {
    type Value = Arc<Vec<Arc<PlanPrice>>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<PlanId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<PricesOf, Vec<Arc<PlanPrice>>> = HashMap::new();
        for row in plan::prices_of(&mut *app.db.read().await?, &ids).await? {
            found.entry(PricesOf(row.plan_id)).or_default().push(Arc::new(row));
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}

/// The prices of plans with more minutes of live classes a month than these, fewest first, at most 20.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UpgradesFrom(pub i32);

impl Load for UpgradesFrom {
    type Value = Arc<Vec<Arc<PlanPrice>>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, key| {
            plan::with_more_than(conn, key.0).map_ok(|rows| Arc::new(shared(rows))).boxed()
        });
        read.await
    }
}

/// The product on Google Play that a price is; missing if it is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlayProductOf(pub PlanPriceId);

impl Load for PlayProductOf {
    type Value = Arc<PlayProduct>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<PlayProduct>>, InternalError> {
        let ids: Vec<PlanPriceId> = keys.iter().map(|key| key.0).collect();
        let rows = play::products_of(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (PlayProductOf(row.plan_price_id), Arc::new(row))).collect())
    }
}

/// What the payment providers know of the prices of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GatewaysOf(pub PlanId);

impl Load for GatewaysOf {
    type Value = Arc<Vec<PlanGateway>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<PlanId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<GatewaysOf, Vec<PlanGateway>> = HashMap::new();
        for (id, row) in plan::gateways_of(&mut *app.db.read().await?, &ids).await? {
            found.entry(GatewaysOf(id)).or_default().push(row);
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}

/// The plans for a course that are sold, latest first; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlansOfCourse(pub CourseId);

impl Load for PlansOfCourse {
    type Value = Arc<Vec<Arc<Plan>>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<CourseId> = keys.iter().map(|key| key.0).collect();
        let rows = plan::sold_for_courses(&mut *app.db.read().await?, &ids).await?;
        Ok(grouped(rows, |row| row.course_id.map(PlansOfCourse)))
    }
}

/// The plans for a category that are sold, latest first; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlansOfCategory(pub CategoryId);

impl Load for PlansOfCategory {
    type Value = Arc<Vec<Arc<Plan>>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<CategoryId> = keys.iter().map(|key| key.0).collect();
        let rows = plan::sold_for_categories(&mut *app.db.read().await?, &ids).await?;
        Ok(grouped(rows, |row| row.category_id.map(PlansOfCategory)))
    }
}

/// Groups plans by their keys, in their order.
fn grouped<K: Eq + Hash>(rows: Vec<Plan>, key: impl Fn(&Plan) -> Option<K>) -> HashMap<K, Arc<Vec<Arc<Plan>>>> {
    let mut groups: HashMap<K, Vec<Arc<Plan>>> = HashMap::new();
    for row in rows {
        if let Some(key) = key(&row) {
            groups.entry(key).or_default().push(Arc::new(row));
        }
    }
    groups.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect()
}

/// A page of plans, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PlanPage(pub PlanWhich, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for PlanPage {
    type Value = Vec<Arc<Plan>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read =
            app.db.read_each(keys, |conn, PlanPage(which, page)| plan::page(conn, which, page).map_ok(shared).boxed());
        read.await
    }
}

/// The number of plans in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PlanCount(pub PlanWhich);

impl Load for PlanCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| plan::count(conn, &key.0).boxed()).await
    }
}

/// One membership.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MembershipById(pub MembershipId);

impl Load for MembershipById {
    type Value = Arc<Membership>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Membership>>, InternalError> {
        let ids: Vec<MembershipId> = keys.iter().map(|key| key.0).collect();
        let rows = membership::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (MembershipById(row.id), Arc::new(row))).collect())
    }
}

/// The membership that an access is a part of; missing if there is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MembershipOf(pub EntitlementId);

impl Load for MembershipOf {
    type Value = MembershipId;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, MembershipId>, InternalError> {
        let ids: Vec<EntitlementId> = keys.iter().map(|key| key.0).collect();
        let rows = membership::of_entitlements(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().filter_map(|(entitlement, id)| Some((MembershipOf(entitlement?), id))).collect())
    }
}

/// The period of a membership that is ordered and not paid; missing if there is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpenPeriodOf(pub MembershipId);

impl Load for OpenPeriodOf {
    type Value = PeriodId;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, PeriodId>, InternalError> {
        let ids: Vec<MembershipId> = keys.iter().map(|key| key.0).collect();
        let rows = period::open_of_all(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, period)| (OpenPeriodOf(id), period)).collect())
    }
}

/// The price that a period of a membership is charged at.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PriceOfPeriod(pub PeriodId);

impl Load for PriceOfPeriod {
    type Value = PlanPriceId;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, PlanPriceId>, InternalError> {
        let ids: Vec<PeriodId> = keys.iter().map(|key| key.0).collect();
        let rows = period::prices_of(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(period, price)| (PriceOfPeriod(period), price)).collect())
    }
}

/// A page of a user's memberships, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MembershipPage(pub MembershipWhich, pub Page<(DateTime<Utc>, Uuid)>);

impl Load for MembershipPage {
    type Value = Vec<Arc<Membership>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, MembershipPage(which, page)| {
            membership::page(conn, which, page).map_ok(shared).boxed()
        });
        read.await
    }
}

/// The number of a user's memberships in a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MembershipCount(pub MembershipWhich);

impl Load for MembershipCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| membership::count(conn, &key.0).boxed()).await
    }
}

/// The family of which a user is a member or the owner; missing if there is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FamilyOf(pub UserId);

impl Load for FamilyOf {
    type Value = Arc<Family>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Family>>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut conn = app.db.read().await?;
        let mut rows = membership::unexpired_of(&mut conn, &users).await?;
        rows.retain(|(_, plan, _)| plan.kind == PlanKind::LiveClass);
        let ids: Vec<MembershipId> = rows.iter().map(|(row, ..)| row.id).collect();
        let members = family::members_of(&mut conn, &ids).await?;
        let invitations = family::invitations_of(&mut conn, &ids, app.clock.now()).await?;
        drop(conn);
        let mut found = HashMap::new();
        for (membership, plan, user) in rows {
            let members: Vec<_> = members.iter().filter(|row| row.membership_id == membership.id).cloned().collect();
            if members.is_empty() && plan.family_size.is_none() {
                continue;
            }
            let of = |row: &&FamilyInvitation| row.membership_id == membership.id;
            let invitations = invitations.iter().filter(of).cloned().collect();
            found.insert(FamilyOf(user), Arc::new(Family { membership, plan, members, invitations }));
        }
        Ok(found)
    }
}

/// What a user's membership allows of live classes at a time, of several the one that allows most; missing if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LiveAllowanceOf {
    /// The user.
    pub user: UserId,
    /// The time.
    pub at: DateTime<Utc>,
}

impl Load for LiveAllowanceOf {
    type Value = LiveAllowance;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, LiveAllowance>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.user).collect();
        let rows = membership::unexpired_of(&mut *app.db.read().await?, &users).await?;
        Ok(keys.iter().filter_map(|key| Some((*key, LiveAllowance::most(&rows, key.user, key.at)?))).collect())
    }
}
