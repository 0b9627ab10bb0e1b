//! Coupons: who makes them, and what they take off.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use serde_json::json;

use crate::accounts::{UserId, viewer};
use crate::catalog::{self, CourseId};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::money::CurrencyCode;
use crate::graphql::{Error, Id, Result, Time};
use crate::memberships::{PlanPriceId, PriceById};
use crate::orders::loader::ScopeOf;
use crate::orders::model::{
    ArchiveCouponInput, Coupon, CouponId, CouponScope, CouponTerms, CreateCouponInput, Discount, NewCoupon,
    UpdateCouponInput,
};
use crate::orders::query::coupon as query;
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::{Tx, is_taken};
use crate::platform::internal_error::InternalError;

const SHORTEST_CODE: usize = 3;
const LONGEST_CODE: usize = 40;
/// The maximum number of courses, of categories, and of plans that a coupon is for.
const MOST_SCOPES: usize = 100;
const MOST_USES: i32 = 1_000_000;

/// A coupon that a buyer has entered, and what it is for.
pub(super) struct Entered {
    pub(super) coupon: Coupon,
    /// Of the courses that were asked for.
    is_for: HashMap<CourseId, bool>,
    /// Whether it is for everything, and so for memberships and extra hours.
    pub(super) is_for_all: bool,
}

impl Entered {
    /// What it takes off a course.
    pub(super) fn is_for(&self, course: CourseId) -> bool {
        self.is_for.get(&course).copied().unwrap_or_default()
    }
}

/// Finds the coupon that a buyer has entered for some courses, and extra hours if there are some.
///
/// # Errors
/// There is no such coupon, it is not valid now, or is for none of that.
pub(super) async fn entered(
    loaders: &Loaders,
    code: &str,
    (courses, has_hours): (&[CourseId], bool),
    currency: CurrencyCode,
) -> Result<Entered> {
    let coupon = valid(loaders, code, currency).await?;
    let scope = loaders.load(ScopeOf(coupon.id)).await?.unwrap_or_default();
    let is_for = courses.iter().map(|id| async {
        let path = match scope.categories.is_empty() {
            true => Vec::new(),
            false => match loaders.load(catalog::CourseById(*id)).await? {
                Some(course) => catalog::category_path(loaders, course.category_id).await?,
                None => Vec::new(),
            },
        };
        Ok::<_, InternalError>((*id, scope.has_course(*id, &path)))
    });
    let is_for: HashMap<CourseId, bool> = try_join_all(is_for).await?.into_iter().collect();
    let is_for_all = scope.is_everything();
    if !(is_for_all && has_hours || is_for.values().any(|is_for| *is_for)) {
        return Err(error::bad_coupon("This coupon is for something else."));
    }
    Ok(Entered { coupon, is_for, is_for_all })
}

/// Finds the coupon that a buyer has entered for a membership at a price.
///
/// # Errors
/// There is no such coupon, it is not valid now, or is not for the plan.
pub(super) async fn entered_for_plan(
    loaders: &Loaders,
    code: &str,
    price: PlanPriceId,
    currency: CurrencyCode,
) -> Result<Entered> {
    let coupon = valid(loaders, code, currency).await?;
    let scope = loaders.load(ScopeOf(coupon.id)).await?.unwrap_or_default();
    // A price that does not exist is refused as such, later.
    if loaders.load(PriceById(price)).await?.is_some_and(|price| !scope.has_plan(price.plan_id)) {
        return Err(error::bad_coupon("This coupon is for something else."));
    }
    Ok(Entered { coupon, is_for: HashMap::new(), is_for_all: scope.is_everything() })
}

/// Finds the coupon that a buyer has entered, which must be valid now.
async fn valid(loaders: &Loaders, code: &str, currency: CurrencyCode) -> Result<Coupon> {
    let app = loaders.app();
    let found = query::by_code(&mut *app.db.read().await?, &code.trim().to_uppercase()).await?;
    let coupon = found.ok_or_else(error::no_such_coupon)?;
    policy::is_valid(&coupon, currency, app.clock.now()).map_err(error::bad_coupon)?;
    Ok(coupon)
}

/// Locks a coupon, and checks that a buyer, who is locked, may use it once more.
///
/// # Errors
/// It is not valid anymore, or has been used up.
pub(super) async fn hold(tx: &mut Tx, app: &App, id: CouponId, buyer: UserId, currency: CurrencyCode) -> Result<()> {
    let coupon = query::lock(tx, id).await?.ok_or_else(error::no_such_coupon)?;
    policy::is_valid(&coupon, currency, app.clock.now()).map_err(error::bad_coupon)?;
    check_uses(&coupon, query::uses(tx.conn(), id, buyer).await?)
}

/// Checks that a coupon can be used once more.
pub(super) fn check_uses(coupon: &Coupon, uses: (i64, i64)) -> Result<()> {
    policy::has_uses_left(coupon, uses).map_err(error::bad_coupon)
}

/// Whether an order that had released its coupon may use it after all. The buyer is locked.
pub(super) async fn may_use_again(
    tx: &mut Tx,
    id: CouponId,
    buyer: UserId,
) -> std::result::Result<bool, InternalError> {
    let Some(coupon) = query::lock(tx, id).await? else { return Ok(false) };
    Ok(policy::has_uses_left(&coupon, query::uses(tx.conn(), id, buyer).await?).is_ok())
}

/// Makes a coupon.
///
/// # Errors
/// The input is invalid; another coupon has the code; the actor is not an administrator.
pub async fn create_coupon(app: &App, actor: &Actor, client: &Client, input: CreateCouponInput) -> Result<Coupon> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    let admin = viewer(actor)?;
    let mut check = Check::new();
    let code = check_code(&mut check, &input.code);
    let discount = check_discount(&mut check, &input);
    let scope = CouponScope {
        courses: distinct(input.course_ids.as_deref()),
        categories: distinct(input.category_ids.as_deref()),
        plans: distinct(input.plan_ids.as_deref()),
    };
    let counts =
        [("courseIds", scope.courses.len()), ("categoryIds", scope.categories.len()), ("planIds", scope.plans.len())];
    for (field, count) in counts {
        if count > MOST_SCOPES {
            check.error(UserErrorCode::TooLong, field, format!("At most {MOST_SCOPES} are allowed."));
        }
    }
    check_terms(&mut check, &input.terms);
    check.finish()?;
    let new = |id| NewCoupon {
        id,
        code: &code,
        percent: match discount {
            Discount::Percent(percent) => Some(percent),
            Discount::Amount(_) => None,
        },
        amount_minor: match discount {
            Discount::Amount(amount) => Some(amount),
            Discount::Percent(_) => None,
        },
        currency: input.amount.map(|amount| amount.currency),
        starts_at: input.terms.starts_at.map(|Time(at)| at),
        ends_at: input.terms.ends_at.map(|Time(at)| at),
        max_uses: input.terms.max_uses,
        max_uses_per_user: input.terms.max_uses_per_user,
        created_at: app.clock.now(),
    };
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim::<Coupon>(tx, app, admin.uuid(), "createCoupon", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return query::by_ids(tx.conn(), &[id]).await?.pop().ok_or_else(gone),
            };
            for course in &scope.courses {
                catalog::hold_course(tx, *course).await?.ok_or_else(error::no_such_course_of_coupon)?;
            }
            let made = query::insert(tx, &new(CouponId::new(app.clock.uuid())), &scope).await.map_err(refused)?;
            claimed.keep(tx, made.id.uuid()).await?;
            record(tx, app, (actor, client), (Action::CouponCreated, &made)).await?;
            Ok(made)
        })
        .await
}

/// Returns each id once, in the order in which rows are locked.
fn distinct<T>(ids: Option<&[Id<T>]>) -> Vec<Id<T>> {
    let mut ids = ids.unwrap_or_default().to_vec();
    ids.sort_unstable_by_key(|id| id.uuid());
    ids.dedup();
    ids
}

/// Turns the violation of a constraint by a new coupon into what the administrator can correct.
fn refused(failed: diesel::result::Error) -> Error {
    use diesel::result::{DatabaseErrorKind, Error as Failed};
    if is_taken(&failed, "coupons_code") {
        return error::code_taken();
    }
    match &failed {
        Failed::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, why)
            if why.constraint_name() == Some("coupon_plans_plan_id_fkey") =>
        {
            error::no_such_plan()
        }
        Failed::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => error::no_such_category(),
        _ => failed.into(),
    }
}

/// Changes when and how often a coupon is valid. Orders that were placed with it stay as they are.
///
/// # Errors
/// The input is invalid; there is no such coupon, or it is archived; the actor is not an administrator.
pub async fn update_coupon(app: &App, actor: &Actor, client: &Client, input: UpdateCouponInput) -> Result<Coupon> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    let mut check = Check::new();
    check_terms(&mut check, &input.terms);
    check.finish()?;
    let CouponTerms { starts_at, ends_at, max_uses, max_uses_per_user } = input.terms;
    let window = (starts_at.map(|Time(at)| at), ends_at.map(|Time(at)| at));
    app.db
        .transaction(async |tx| {
            let changed = query::set_terms(tx, input.coupon_id, window, (max_uses, max_uses_per_user)).await?;
            let changed = changed.ok_or_else(error::no_coupon_with_id)?;
            record(tx, app, (actor, client), (Action::CouponUpdated, &changed)).await?;
            Ok(changed)
        })
        .await
}

/// Archives a coupon: no more orders are placed with it, and its code can be used for another one.
///
/// # Errors
/// There is no such coupon, or it is archived; the actor is not an administrator.
pub async fn archive_coupon(app: &App, actor: &Actor, client: &Client, input: ArchiveCouponInput) -> Result<Coupon> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    app.db
        .transaction(async |tx| {
            let archived = query::archive(tx, input.coupon_id, app.clock.now()).await?;
            let archived = archived.ok_or_else(error::no_coupon_with_id)?;
            record(tx, app, (actor, client), (Action::CouponArchived, &archived)).await?;
            Ok(archived)
        })
        .await
}

/// Records in the audit trail what an administrator has done with a coupon.
async fn record(
    tx: &mut Tx,
    app: &App,
    (actor, client): (&Actor, &Client),
    (action, coupon): (Action, &Coupon),
) -> std::result::Result<(), InternalError> {
    let details = json!({
        "couponId": coupon.id.encode(),
        "code": coupon.code,
        "startsAt": coupon.starts_at,
        "endsAt": coupon.ends_at,
        "maxUses": coupon.max_uses,
        "maxUsesPerUser": coupon.max_uses_per_user,
    });
    let entry = Entry { action, actor: actor.id(), subject: None, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await
}

fn check_code(check: &mut Check, code: &str) -> String {
    let code = check.required("code", code, LONGEST_CODE).to_uppercase();
    if code.chars().count() < SHORTEST_CODE {
        check.error(UserErrorCode::TooShort, "code", format!("A code has at least {SHORTEST_CODE} characters."));
    }
    if !code.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        check.malformed("code", &code, "is not a code; it has only letters from A to Z, digits and hyphens");
    }
    code
}

fn check_discount(check: &mut Check, input: &CreateCouponInput) -> Discount {
    match (input.percent, &input.amount) {
        (Some(percent), None) => {
            let checked = i16::try_from(percent).ok().filter(|percent| (1..=100).contains(percent));
            if checked.is_none() {
                check.error(UserErrorCode::OutOfRange, "percent", "A coupon takes off 1 to 100 percent.");
            }
            Discount::Percent(checked.unwrap_or_default())
        }
        (None, Some(amount)) => {
            let minor = amount.minor(check, "amount");
            if amount.amount.is_zero() {
                check.error(UserErrorCode::OutOfRange, "amount", "A coupon takes off more than nothing.");
            }
            Discount::Amount(minor)
        }
        _ => {
            let message = "A coupon takes off either percents or an amount.";
            check.error(UserErrorCode::Blank, "percent", message);
            Discount::Amount(0)
        }
    }
}

fn check_terms(check: &mut Check, terms: &CouponTerms) {
    if let (Some(Time(start)), Some(Time(end))) = (terms.starts_at, terms.ends_at)
        && end <= start
    {
        check.error(UserErrorCode::OutOfRange, "endsAt", "A coupon ends after it begins.");
    }
    for (field, most) in [("maxUses", terms.max_uses), ("maxUsesPerUser", terms.max_uses_per_user)] {
        if most.is_some_and(|most| !(1..=MOST_USES).contains(&most)) {
            check.error(UserErrorCode::OutOfRange, field, format!("A limit is 1 to {MOST_USES}."));
        }
    }
}
