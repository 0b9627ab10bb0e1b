//! Plans and their prices.

use croner::Cron;
use rust_decimal::Decimal;
use serde_json::json;

use super::family;
use super::gateway::SYNC;
use super::price::{Amounts, check_extra, check_price, check_prices};
use super::sweep::MOVE;
use crate::accounts::viewer;
use crate::catalog::{self, CourseById, is_in_team};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{Turn, gone};
use crate::graphql::loaders::Loaders;
use crate::graphql::{Error, Result};
use crate::memberships::event::PlanArchived;
use crate::memberships::loader::PlanById;
use crate::memberships::model::{
    ArchivePlanInput, CreatePlanInput, NewPlan, NewPrice, NewPriceInput, Plan, PlanId, PlanKind, PlanPrice,
    PlanPriceId, SetPlanPriceInput, UpdatePlanInput, minutes_of,
};
use crate::memberships::query::{plan as query, play};
use crate::memberships::{error, policy};
use crate::platform::App;
use crate::platform::auth::{Actor, Role};
use crate::platform::db::{Tx, is_taken};
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::outbox;
use crate::platform::payments::Provider;

const LONGEST_NAME: usize = 80;
const LONGEST_DESCRIPTION: usize = 2000;
const LONGEST_CRON: usize = 100;

/// Makes a plan. A job creates it at the payment providers; then it is for sale.
///
/// # Errors
/// The input is invalid; the actor may not manage such a plan; the slug is taken.
pub async fn create_plan(loaders: &Loaders, actor: &Actor, input: CreatePlanInput) -> Result<Plan> {
    let (app, admin) = (loaders.app(), viewer(actor)?);
    permit(loaders, actor, input.kind, input.course_id).await?;
    let mut check = Check::new();
    let name = check.required("name", &input.name, LONGEST_NAME);
    let slug = check_slug(&mut check, input.slug.as_deref(), &name);
    let description = check.text("description", &input.description, LONGEST_DESCRIPTION);
    let cron = check_cron(&mut check, input.renewal_cron.as_deref());
    let minutes = check_kind(&mut check, &input);
    let rollover = check_rollover(&mut check, input.kind, input.rollover_hours);
    let extra = check_extra(&mut check, input.kind, input.max_extra_hours);
    let (family_size, family_member_minutes) =
        family::check_terms(&mut check, input.kind, false, (input.family_size, input.family_member_hours));
    let prices = check_prices(&mut check, input.kind, &input.prices);
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim::<Plan>(tx, app, admin.uuid(), "createPlan", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return query::by_id(tx.conn(), id).await?.ok_or_else(gone),
            };
            if let Some(category) = input.category_id {
                let held = catalog::hold_category(tx, category).await?.ok_or_else(error::no_such_category)?;
                if held.archived_at.is_some() {
                    return Err(error::archived_category());
                }
            }
            let new = NewPlan {
                id: PlanId::new(app.clock.uuid()),
                slug: &slug,
                name: &name,
                description: &description,
                kind: input.kind,
                course_id: input.course_id,
                category_id: input.category_id,
                live_minutes_per_month: minutes,
                rollover_minutes: rollover,
                max_extra_hours: extra,
                family_size: family_size.flatten(),
                family_member_minutes: family_member_minutes.flatten(),
                renewal_cron: cron.as_deref(),
                created_at: app.clock.now(),
            };
            let plan = query::insert(tx, &new).await.map_err(refused)?;
            for (price, amounts) in &prices {
                insert_price(tx, app, plan.id, price, *amounts).await?;
            }
            tell_gateways(tx, app, plan.id).await?;
            claimed.keep(tx, plan.id.uuid()).await?;
            Ok(plan)
        })
        .await
}

/// Changes what a plan is called and gives.
///
/// # Errors
/// The input is invalid; there is no such plan, or it is archived; the actor may not manage it.
pub async fn update_plan(loaders: &Loaders, actor: &Actor, input: UpdatePlanInput) -> Result<Plan> {
    let app = loaders.app();
    let known = managed(loaders, actor, input.plan_id).await?;
    let mut check = Check::new();
    let name = input.name.as_deref().map(|name| check.required("name", name, LONGEST_NAME));
    let description = input.description.as_deref().map(|text| check.text("description", text, LONGEST_DESCRIPTION));
    let cron = input.renewal_cron.as_deref().map(|cron| check_cron(&mut check, Some(cron)));
    let minutes = input.live_hours_per_month.map(|hours| check_hours(&mut check, known.kind, Some(hours)));
    let rollover = input.rollover_hours.map(|hours| check_rollover(&mut check, known.kind, Some(hours)));
    let extra = input.max_extra_hours.map(|hours| check_extra(&mut check, known.kind, Some(hours)));
    let given = (input.family_size, input.family_member_hours);
    let (size, share) = family::check_terms(&mut check, known.kind, known.family_size.is_some(), given);
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let mut row = current(tx, input.plan_id).await?;
            row.name = name.clone().unwrap_or(row.name);
            row.description = description.clone().unwrap_or(row.description);
            row.renewal_cron = cron.clone().unwrap_or(row.renewal_cron);
            row.live_minutes_per_month = minutes.unwrap_or(row.live_minutes_per_month);
            row.rollover_minutes = rollover.unwrap_or(row.rollover_minutes);
            row.max_extra_hours = extra.unwrap_or(row.max_extra_hours);
            row.family_size = size.unwrap_or(row.family_size);
            row.family_member_minutes =
                share.unwrap_or(row.family_member_minutes).filter(|_| row.family_size.is_some());
            Ok(query::update(tx, &row).await?)
        })
        .await
}

/// Sets a price of a plan: the one for the same interval and currency is retired. Its members, and those of earlier
/// versions, keep theirs unless they are moved.
///
/// # Errors
/// The input is invalid; there is no such plan, or it is archived; the actor may not manage it.
pub async fn set_plan_price(loaders: &Loaders, actor: &Actor, input: SetPlanPriceInput) -> Result<(Plan, PlanPrice)> {
    let app = loaders.app();
    let known = managed(loaders, actor, input.plan_id).await?;
    let mut check = Check::new();
    let amounts = check.part(&["price"], |check| check_price(check, known.kind, &input.price));
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let plan = current(tx, input.plan_id).await?;
            let prices = query::prices_of(tx.conn(), &[plan.id]).await?;
            let (interval, currency) = (input.price.interval, input.price.amount.currency);
            let same = |price: &&PlanPrice| {
                price.retired_at.is_none() && price.billing_interval == interval && price.currency == currency
            };
            let replaced = prices.iter().find(same);
            let trial = i16::try_from(input.price.trial_days).unwrap_or_default();
            let is_same = |price: &&PlanPrice| {
                (price.amount_minor, price.extra_hour_minor) == (amounts.price, amounts.extra_hour)
                    && price.trial_days == trial
            };
            if let Some(price) = replaced.filter(is_same) {
                if input.moves_members {
                    enqueue_move(tx, app, price.id).await?;
                }
                return Ok((plan, price.clone()));
            }
            if let Some(price) = replaced {
                query::retire_prices(tx, &[price.id], app.clock.now()).await?;
            }
            let made = insert_price(tx, app, plan.id, &input.price, amounts).await?;
            if let Some(price) = replaced {
                play::move_product(tx, (price.id, made.id)).await?;
            }
            tell_gateways(tx, app, plan.id).await?;
            if input.moves_members {
                enqueue_move(tx, app, made.id).await?;
            }
            Ok((plan, made))
        })
        .await
}

/// Archives a plan: it is not sold anymore, its members stay until their periods end, and it is retired at the payment
/// providers. Archiving it again changes nothing.
///
/// # Errors
/// There is no such plan; the actor may not manage it.
pub async fn archive_plan(loaders: &Loaders, actor: &Actor, input: ArchivePlanInput) -> Result<Plan> {
    let app = loaders.app();
    managed(loaders, actor, input.plan_id).await?;
    let archived = app.db.transaction(async |tx| archive(tx, app, input.plan_id).await).await?;
    archived.ok_or_else(error::no_such_plan)
}

/// Archives a plan, no matter who asks for it; `None` if there is none.
pub(super) async fn archive(tx: &mut Tx, app: &App, id: PlanId) -> std::result::Result<Option<Plan>, InternalError> {
    let Some(plan) = query::lock(tx, id).await? else { return Ok(None) };
    if plan.archived_at.is_some() {
        return Ok(Some(plan));
    }
    let now = app.clock.now();
    let prices = query::prices_of(tx.conn(), &[id]).await?;
    let ids: Vec<PlanPriceId> = prices.iter().map(|price| price.id).collect();
    query::retire_prices(tx, &ids, now).await?;
    play::remove_products(tx, &ids).await?;
    let plan = query::archive(tx, id, now).await?;
    tell_gateways(tx, app, id).await?;
    outbox::record(tx, &app.clock, &PlanArchived { plan: id }).await?;
    Ok(Some(plan))
}

/// Returns a price that is sold, with its plan.
///
/// # Errors
/// There is no such price, it is retired, or not ready at the provider yet.
pub async fn sold(tx: &mut Tx, price: PlanPriceId, provider: Option<Provider>) -> Result<(PlanPrice, Plan)> {
    let found = query::prices_by_ids(tx.conn(), &[price]).await?.pop();
    let is_sold = |(price, plan): &(PlanPrice, Plan)| {
        price.retired_at.is_none() && plan.archived_at.is_none() && plan.target().is_some()
    };
    let (price, plan) = found.filter(is_sold).ok_or_else(error::no_such_price)?;
    match provider {
        Some(provider) if !query::is_ready(tx.conn(), price.id, provider).await? => Err(error::not_ready()),
        _ => Ok((price, plan)),
    }
}

async fn insert_price(
    tx: &mut Tx,
    app: &App,
    plan_id: PlanId,
    input: &NewPriceInput,
    amounts: Amounts,
) -> Result<PlanPrice> {
    let new = NewPrice {
        id: PlanPriceId::new(app.clock.uuid()),
        plan_id,
        billing_interval: input.interval,
        amount_minor: amounts.price,
        currency: input.amount.currency,
        trial_days: i16::try_from(input.trial_days).unwrap_or_default(),
        extra_hour_minor: amounts.extra_hour,
        created_at: app.clock.now(),
    };
    Ok(query::insert_price(tx, &new, &app.payments.available()).await?)
}

/// Has the payment providers told of the prices of a plan.
async fn tell_gateways(tx: &mut Tx, app: &App, plan: PlanId) -> std::result::Result<(), InternalError> {
    let key = format!("{SYNC}/{}/{}", plan.uuid(), app.clock.now().timestamp_micros());
    jobs::enqueue(tx, &app.clock, SYNC, &json!({}), &key).await
}

/// Has the members of earlier versions of a price moved to it.
async fn enqueue_move(tx: &mut Tx, app: &App, to: PlanPriceId) -> std::result::Result<(), InternalError> {
    let key = format!("{MOVE}/{}/{}", to.uuid(), app.clock.now().timestamp_micros());
    jobs::enqueue(tx, &app.clock, MOVE, &json!({ "to": to }), &key).await
}

/// Locks a plan that is not archived.
async fn current(tx: &mut Tx, id: PlanId) -> Result<Plan> {
    let plan = query::lock(tx, id).await?.ok_or_else(error::no_such_plan)?;
    if plan.archived_at.is_some() { Err(error::archived_plan()) } else { Ok(plan) }
}

/// Returns a plan that the actor may manage.
async fn managed(loaders: &Loaders, actor: &Actor, id: PlanId) -> Result<Plan> {
    let plan = loaders.load(PlanById(id)).await?.ok_or_else(error::no_such_plan)?;
    if manages(loaders, actor, &plan).await? {
        return Ok(Plan::clone(&plan));
    }
    Err(error::only_administrators())
}

/// Whether the actor may manage a plan.
pub async fn manages(loaders: &Loaders, actor: &Actor, plan: &Plan) -> std::result::Result<bool, InternalError> {
    let edits = match plan.course_id {
        Some(id) if !actor.has(Role::Admin) => match loaders.load(CourseById(id)).await? {
            Some(course) => is_in_team(loaders, actor, &course).await?,
            None => false,
        },
        _ => false,
    };
    Ok(policy::can_manage(actor, edits))
}

async fn permit(
    loaders: &Loaders,
    actor: &Actor,
    kind: PlanKind,
    course: Option<crate::catalog::CourseId>,
) -> Result<()> {
    if kind != PlanKind::Course {
        return if policy::can_manage(actor, false) { Ok(()) } else { Err(error::only_administrators()) };
    }
    let Some(id) = course else { return Ok(()) };
    let course = loaders.load(CourseById(id)).await?.ok_or_else(error::no_such_course)?;
    let edits = is_in_team(loaders, actor, &course).await?;
    if policy::can_manage(actor, edits) { Ok(()) } else { Err(error::no_such_course()) }
}

fn check_slug(check: &mut Check, slug: Option<&str>, name: &str) -> String {
    let made: String = ::slug::slugify(name).chars().take(LONGEST_NAME).collect();
    check.slug("slug", slug.unwrap_or(made.trim_matches('-')), LONGEST_NAME)
}

/// Checks a cron expression; an empty one is `None`.
fn check_cron(check: &mut Check, cron: Option<&str>) -> Option<String> {
    let text = check.line("renewalCron", cron?, LONGEST_CRON);
    if text.is_empty() {
        return None;
    }
    if text.split_whitespace().count() != 5 || text.parse::<Cron>().is_err() {
        let what = "is not a time; write five fields of cron: minute, hour, day, month, weekday, such as 0 6 * * *";
        check.malformed("renewalCron", &text, what);
    }
    Some(text)
}

/// Checks that what belongs to the kind is there, and nothing else; returns the minutes of live classes per month.
fn check_kind(check: &mut Check, input: &CreatePlanInput) -> Option<i32> {
    for (field, is_given, own) in [
        ("courseId", input.course_id.is_some(), PlanKind::Course),
        ("categoryId", input.category_id.is_some(), PlanKind::Category),
    ] {
        match (is_given, input.kind == own) {
            (false, true) => check.error(UserErrorCode::Blank, field, "A plan of this kind needs it."),
            (true, false) => check.error(UserErrorCode::NotAllowed, field, "A plan of this kind has none."),
            _ => {}
        }
    }
    check_hours(check, input.kind, input.live_hours_per_month)
}

fn check_hours(check: &mut Check, kind: PlanKind, hours: Option<Decimal>) -> Option<i32> {
    const FIELD: &str = "liveHoursPerMonth";
    match (kind, hours) {
        (PlanKind::LiveClass, Some(hours)) => {
            let minutes = minutes_of(hours);
            if minutes.is_none() {
                let message = "The hours are whole minutes, more than nothing and at most 744.";
                check.error(UserErrorCode::OutOfRange, FIELD, message);
            }
            minutes
        }
        (PlanKind::LiveClass, None) => {
            check.error(UserErrorCode::Blank, FIELD, "A plan of this kind needs it.");
            None
        }
        (_, Some(_)) => {
            check.error(UserErrorCode::NotAllowed, FIELD, "A plan of this kind has none.");
            None
        }
        (_, None) => None,
    }
}

/// Checks the hours that count in the next month if they are left; returns them in minutes, `None` for none.
fn check_rollover(check: &mut Check, kind: PlanKind, hours: Option<Decimal>) -> Option<i32> {
    const FIELD: &str = "rolloverHours";
    let hours = hours?;
    if kind != PlanKind::LiveClass {
        check.error(UserErrorCode::NotAllowed, FIELD, "A plan of this kind has none.");
        return None;
    }
    if hours.is_zero() {
        return None;
    }
    let minutes = minutes_of(hours);
    if minutes.is_none() {
        check.error(UserErrorCode::OutOfRange, FIELD, "The hours are whole minutes, at most 744; 0 for none.");
    }
    minutes
}

/// Turns the violation of a constraint by a new plan into what the user can correct.
fn refused(failed: diesel::result::Error) -> Error {
    use diesel::result::{DatabaseErrorKind, Error as Failure};
    match &failed {
        _ if is_taken(&failed, "plans_slug_key") => error::slug_taken(),
        Failure::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => error::no_such_course(),
        _ => failed.into(),
    }
}
