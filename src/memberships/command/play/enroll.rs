//! Makes purchases memberships, and has these follow what Google says.

use chrono::{DateTime, Utc};

use crate::accounts::{self, UserId};
use crate::catalog::{self, CourseId};
use crate::entitlements::EndReason;
use crate::graphql::{Error, Result};
use crate::memberships::command::access::{end, end_access, give, given, tell_of};
use crate::memberships::command::family;
use crate::memberships::command::member::scope_of;
use crate::memberships::error;
use crate::memberships::model::{
    DAILY, Membership, MembershipId, MembershipStatus, NewMembership, Plan, PlanId, PlanPrice, PlayPurchase, PlayState,
    Standing, change_between,
};
use crate::memberships::policy;
use crate::memberships::port::{self, Held, Students};
use crate::memberships::query::{membership as rows, plan as plans, play as query};
use crate::platform::App;
use crate::platform::db::{Tx, is_taken};
use crate::platform::internal_error::InternalError;
use crate::platform::payments::google_play::Subscription;

/// The country of a member of whom Google does not tell it: a code that ISO 3166 leaves to its users.
const NO_COUNTRY: &str = "ZZ";

/// A purchase that Google knows.
pub(super) struct Found<'a> {
    /// Whose it is.
    pub(super) user: UserId,
    /// Its token.
    pub(super) token: &'a str,
    /// What Google has said.
    pub(super) read: &'a Subscription,
    /// When it was asked.
    pub(super) asked_at: DateTime<Utc>,
    /// The plan that its app has named; `None` if it was not the app.
    pub(super) plan: Option<PlanId>,
}

impl Found<'_> {
    fn base_plan(&self) -> &str {
        self.read.base_plan.as_deref().unwrap_or_default()
    }
}

/// Makes a purchase a membership; of one that is known, does what follows from what Google says.
///
/// # Errors
/// It belongs to another user, is not paid or has ended, is of another plan or of none; the user has such a membership
/// in another way.
pub(super) async fn enroll(tx: &mut Tx, app: &App, found: &Found<'_>) -> Result<Membership> {
    if let Some(known) = query::by_token(tx.conn(), found.token).await? {
        return again(tx, app, found, &known).await;
    }
    if let Some(refused) = policy::refusal(found.user, found.read, app.config.is_production()) {
        return Err(refused);
    }
    let standing = Standing::of(found.read, app.clock.now()).ok_or_else(error::purchase_not_paid)?;
    if standing.status == MembershipStatus::Expired {
        return Err(error::purchase_over());
    }
    let (price, plan) = bought(tx, found).await?;
    let old = replaced(tx, app, found).await?;
    hold_courses(tx, &plan, old.as_ref()).await?;
    if !accounts::lock_user(tx, found.user).await? {
        return Err(Error::Unauthenticated("Sign in first.".into()));
    }
    // Another request of the user may have been first.
    if let Some(known) = query::by_token(tx.conn(), found.token).await? {
        return again(tx, app, found, &known).await;
    }
    let (before, mut held, ended) = member(tx, app, found, (price, plan), old.as_ref()).await?;
    let mut purchase = purchase_of(app, found, held.row.id, &standing);
    let inserted = query::insert(tx, &purchase).await;
    inserted.map_err(|failed| match is_taken(&failed, "play_purchases_pkey") {
        true => error::purchase_taken(),
        false => failed.into(),
    })?;
    let students = follow(tx, app, (&before, &mut held), (&mut purchase, found.read), found.asked_at).await?;
    count(tx, [ended, students]).await?;
    Ok(held.row)
}

/// Does what follows for a purchase that is a membership.
async fn again(tx: &mut Tx, app: &App, found: &Found<'_>, known: &PlayPurchase) -> Result<Membership> {
    if known.user_id != found.user {
        return Err(error::purchase_taken());
    }
    let followed = settle(tx, app, found.token, found.read, found.asked_at).await?;
    let (row, _) = followed.ok_or_else(error::no_such_purchase)?;
    if found.plan.is_some_and(|plan| plan != row.plan_id) {
        return Err(error::another_product());
    }
    Ok(row)
}

/// Does what follows from what Google says of a purchase that is a membership; returns that, and whether Google is to
/// be told that the purchase was received. `None` if there is no such purchase, or its user is gone.
pub(super) async fn settle(
    tx: &mut Tx,
    app: &App,
    token: &str,
    read: &Subscription,
    asked_at: DateTime<Utc>,
) -> std::result::Result<Option<(Membership, bool)>, InternalError> {
    let Some((mut held, mut purchase)) = hold(tx, token).await? else { return Ok(None) };
    if !held.has_member {
        // Its membership ends by another job.
        purchase.check_at = None;
        query::update(tx, &purchase).await?;
        return Ok(None);
    }
    // An answer that came late says nothing new, nor does one about a purchase that was replaced.
    if purchase.state != PlayState::Replaced && purchase.checked_at <= asked_at {
        let before = held.row.clone();
        let students = follow(tx, app, (&before, &mut held), (&mut purchase, read), asked_at).await?;
        count(tx, [students, None]).await?;
    }
    Ok(Some((held.row, purchase.lacks_acknowledgement())))
}

/// Locks what a purchase is about, and the purchase; `None` if there is no such purchase.
pub(super) async fn hold(tx: &mut Tx, token: &str) -> std::result::Result<Option<(Held, PlayPurchase)>, InternalError> {
    let Some(known) = query::by_token(tx.conn(), token).await? else { return Ok(None) };
    let Some(held) = port::hold(tx, known.membership_id).await? else { return Ok(None) };
    Ok(query::lock(tx, token).await?.map(|purchase| (held, purchase)))
}

/// Has a locked membership, which was `before`, and its purchase follow what Google says.
async fn follow(
    tx: &mut Tx,
    app: &App,
    (before, held): (&Membership, &mut Held),
    (purchase, read): (&mut PlayPurchase, &Subscription),
    asked_at: DateTime<Utc>,
) -> std::result::Result<Students, InternalError> {
    let now = app.clock.now();
    let standing = Standing::of(read, now);
    let is_back = |standing: &Standing| {
        before.status == MembershipStatus::Expired && standing.status != MembershipStatus::Expired
    };
    let Some(standing) = standing else {
        let (state, membership) = (read.state, before.id.uuid());
        tracing::warn!(?state, %membership, "a purchase on Google Play is in a state that is not known");
        purchase.checked_at = asked_at;
        purchase.check_at = Some(now + DAILY);
        query::update(tx, purchase).await?;
        return Ok(None);
    };
    purchase.keep(read, &standing, (asked_at, now));
    query::update(tx, purchase).await?;
    if is_back(&standing) && has_live(tx, held.row.user_id, &held.plan).await? {
        tracing::warn!(membership = %before.id.uuid(), "a purchase on Google Play is back beside another membership");
        return Ok(None);
    }
    standing.apply(&mut held.row, read, now);
    let students = match standing.access_until {
        Some(until) if until > now => give(tx, app, held, until).await?,
        Some(_) => None,
        None => {
            let is_over = standing.status == MembershipStatus::Expired;
            let reason = if is_over { EndReason::Expired } else { EndReason::MembershipChanged };
            end_access(tx, app, held, reason).await?
        }
    };
    let gave = given(tx, held.row.id).await?;
    rows::update(tx, &held.row, now).await?;
    family::follow(tx, app, &held.row).await?;
    if let Some(change) = change_between(before, &held.row) {
        tell_of(tx, app, &held.row, (change, gave)).await?;
    }
    Ok(students)
}

/// Returns the price that was bought, with its plan. Only prices that are sold are products.
async fn bought(tx: &mut Tx, found: &Found<'_>) -> Result<(PlanPrice, Plan)> {
    let price = query::price_of(tx.conn(), &found.read.product, found.base_plan()).await?;
    let price = price.ok_or_else(error::another_product)?;
    let bought = plans::prices_by_ids(tx.conn(), &[price]).await?.pop();
    let is_named =
        |(_, plan): &(PlanPrice, Plan)| plan.target().is_some() && found.plan.is_none_or(|named| named == plan.id);
    bought.filter(is_named).ok_or_else(error::another_product)
}

/// Returns the purchase of the same user that this one has replaced. One of another user is asked about, as it has
/// ended.
async fn replaced(
    tx: &mut Tx,
    app: &App,
    found: &Found<'_>,
) -> std::result::Result<Option<PlayPurchase>, InternalError> {
    let Some(token) = found.read.linked_token.as_deref() else { return Ok(None) };
    let Some(old) = query::by_token(tx.conn(), token).await? else { return Ok(None) };
    if old.user_id == found.user {
        return Ok(Some(old));
    }
    query::set_check(tx, token, app.clock.now()).await?;
    Ok(None)
}

/// Prevents the deletion of the courses of a plan and of the purchase that is replaced.
async fn hold_courses(tx: &mut Tx, plan: &Plan, old: Option<&PlayPurchase>) -> std::result::Result<(), InternalError> {
    let mut courses: Vec<CourseId> = plan.course_id.into_iter().collect();
    if let Some(old) = old {
        courses.extend(port::target_course(tx, old.membership_id).await?);
    }
    courses.sort_unstable_by_key(|id| id.uuid());
    courses.dedup();
    for course in courses {
        catalog::hold_course(tx, course).await?;
    }
    Ok(())
}

/// Returns the membership that a new purchase is for, as it was before and with its new price, and what the end of
/// another one has changed: the one of the purchase that is replaced if that is for the same, or a new one.
async fn member(
    tx: &mut Tx,
    app: &App,
    found: &Found<'_>,
    (price, plan): (PlanPrice, Plan),
    old: Option<&PlayPurchase>,
) -> Result<(Membership, Held, Students)> {
    let now = app.clock.now();
    let mut ended = None;
    let old = match old {
        Some(old) => query::lock(tx, &old.token).await?.filter(|old| old.state != PlayState::Replaced),
        None => None,
    };
    if let Some(old) = old {
        query::set_replaced(tx, &old.token).await?;
        let held = port::held(tx, old.membership_id).await?;
        let live = held.filter(|held| held.row.status != MembershipStatus::Expired);
        if let Some(mut held) = live {
            if scope_of(&held.plan) == scope_of(&plan) {
                let before = held.row.clone();
                held.row.move_to(&price, &plan, now);
                // Its period begins now.
                (held.row.period_starts_at, held.row.period_ends_at) = (None, None);
                (held.price, held.plan) = (price, plan);
                return Ok((before, held, None));
            }
            ended = end(tx, app, &mut held, EndReason::MembershipChanged).await?;
        }
    }
    if has_live(tx, found.user, &plan).await? {
        return Err(error::live_elsewhere());
    }
    let (kind, course_id, category_id) = scope_of(&plan);
    let new = NewMembership {
        id: MembershipId::new(app.clock.uuid()),
        user_id: found.user,
        plan_id: plan.id,
        plan_price_id: price.id,
        kind,
        course_id,
        category_id,
        status: MembershipStatus::Pending,
        country: country_of(found.read),
        is_play: true,
        created_at: now,
        updated_at: now,
    };
    let row = rows::insert(tx, &new).await.map_err(|failed| match is_taken(&failed, "memberships_live") {
        true => error::live_elsewhere(),
        false => failed.into(),
    })?;
    Ok((row.clone(), Held { row, price, plan, has_member: true }, ended))
}

async fn has_live(tx: &mut Tx, user: UserId, plan: &Plan) -> std::result::Result<bool, InternalError> {
    let rows = rows::of_scope(tx.conn(), user, scope_of(plan)).await?;
    Ok(rows.iter().any(|row| row.status != MembershipStatus::Expired))
}

fn country_of(read: &Subscription) -> &str {
    let is_code = |text: &&str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    read.country.as_deref().filter(is_code).unwrap_or(NO_COUNTRY)
}

fn purchase_of(app: &App, found: &Found<'_>, membership_id: MembershipId, standing: &Standing) -> PlayPurchase {
    PlayPurchase {
        token: found.token.to_owned(),
        user_id: found.user,
        membership_id,
        product: found.read.product.clone(),
        base_plan: found.base_plan().to_owned(),
        google_order: found.read.order.clone(),
        state: standing.state,
        expires_at: found.read.expires_at,
        linked_token: found.read.linked_token.clone(),
        acknowledged_at: None,
        checked_at: found.asked_at,
        check_at: standing.check_at,
        failures: 0,
        created_at: app.clock.now(),
    }
}

/// Changes the numbers of students, last in the transaction and in the order of the courses' ids.
pub(super) async fn count(tx: &mut Tx, students: [Students; 2]) -> std::result::Result<(), InternalError> {
    let mut more: Vec<(CourseId, i32)> = students.into_iter().flatten().collect();
    more.sort_unstable_by_key(|(course, _)| course.uuid());
    for (course, more) in more {
        catalog::students_changed(tx, course, more).await?;
    }
    Ok(())
}
