//! What subscriptions at payment providers have charged.

use futures_util::stream::{self, StreamExt};

use super::change::{end_order, terms};
use super::place::insert;
use crate::graphql::money::CurrencyCode;
use crate::graphql::{Error, Result};
use crate::memberships::{self, Begun, Held, NextCharge, ProviderSubscription, StartedSubscription, SubscriptionState};
use crate::orders::command::insert::{Draft, Way, insert_order, insert_payment};
use crate::orders::command::refund::return_money;
use crate::orders::command::tax::{Calculations, OrderTax, adds_tax};
use crate::orders::command::{end, hold, pay};
use crate::orders::model::{Amounts, NewItem, Order, OrderItemId, OrderItemKind, Step};
use crate::orders::query::{order as query, payment as payments_of};
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::payments::{self, SubscriptionCharge, SubscriptionStatus};

/// The number of questions at a time.
const IN_FLIGHT: usize = 4;

/// Asks about each subscription that is due: those whose period is over, and once those that have ended.
///
/// # Errors
/// The database failed.
pub(crate) async fn follow_subscriptions(app: &App) -> std::result::Result<(), InternalError> {
    while !app.stopping.is_cancelled() {
        let due = memberships::subscriptions_to_ask(&mut *app.db.read().await?, app.clock.now()).await?;
        if due.is_empty() {
            break;
        }
        jobs::do_all(stream::iter(due).map(|known| ask_one(app, known)).buffer_unordered(IN_FLIGHT)).await?;
    }
    Ok(())
}

async fn ask_one(app: &App, known: ProviderSubscription) -> std::result::Result<(), InternalError> {
    let asked = ask(app, &known, false).await;
    if let Err(error) = &asked {
        let membership = known.membership_id.uuid();
        tracing::warn!(error = error.report(), %membership, "it is not known yet what a subscription has charged");
    }
    let has_answered = asked.is_ok();
    app.db.transaction(async |tx| memberships::subscription_asked(tx, app, &known, has_answered).await).await
}

/// Asks the provider about a subscription, and does what follows: each charge is the order of a period, once.
/// `has_failed` says that the provider has told of a charge that failed.
///
/// # Errors
/// The provider did not answer; the database failed.
pub(in crate::command) async fn ask(
    app: &App,
    known: &ProviderSubscription,
    has_failed: bool,
) -> std::result::Result<(), InternalError> {
    let fetched = payments::fetch_subscription(app, known.provider, &known.external_id).await;
    let (state, charges, outcome) = match fetched {
        Ok(Some(told)) => (Some(told.state), told.charges, Ok(())),
        Ok(None) if known.state == SubscriptionState::Ended => (None, Vec::new(), Ok(())),
        Ok(None) => (None, Vec::new(), Err(InternalError::new("the provider does not know the subscription"))),
        Err(error) => (None, Vec::new(), Err(error.into())),
    };
    for charge in charges.iter().rev() {
        take(app, known, charge).await?;
    }
    settle(app, known, state, has_failed).await?;
    outcome
}

/// Does what follows from the state of a subscription, all charges of which are known.
async fn settle(
    app: &App,
    known: &ProviderSubscription,
    state: Option<SubscriptionStatus>,
    has_failed: bool,
) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(mut held) = memberships::hold(tx, known.membership_id).await? else { return Ok(()) };
            if !held.row.is_charged_by(known.provider, &known.external_id) {
                return Ok(());
            }
            if state == Some(SubscriptionStatus::Ended) {
                forsake_open(tx, app, &held).await?;
            }
            let students = memberships::subscription_told(tx, app, &mut held, state, has_failed).await?;
            pay::count_students(tx, students.into_iter().collect()).await
        })
        .await
}

/// Gives up what is ordered of a membership and not paid: if its money comes after all, it goes back. It is not on its
/// way now, as the membership would not have its subscription anymore (`memberships::keep_access`).
async fn forsake_open(tx: &mut Tx, app: &App, held: &Held) -> std::result::Result<(), InternalError> {
    if let Some(period) = memberships::open_period(tx, held.row.id).await? {
        memberships::forsake(tx, period).await?;
        end_order(tx, app, period).await?;
    }
    Ok(())
}

/// Makes a charge of a subscription an order, once: of the next period, or one whose money goes back.
async fn take(
    app: &App,
    known: &ProviderSubscription,
    charge: &SubscriptionCharge,
) -> std::result::Result<(), InternalError> {
    let mut conn = app.db.read().await?;
    let is_known = payments_of::by_transaction(&mut conn, known.provider, &charge.transaction).await?.is_some();
    drop(conn);
    if is_known || charge.amount_minor <= 0 {
        return Ok(());
    }
    let mut calculations = Calculations::default();
    loop {
        let taken = app.db.transaction(async |tx| take_now(tx, app, (known, charge), &calculations).await).await;
        match calculations.after(app, taken).await {
            Ok(Some(())) => return Ok(()),
            Ok(None) => {}
            Err(Error::Internal(error)) => return Err(error),
            Err(error) => return Err(InternalError::new(error.into_message())),
        }
    }
}

async fn take_now(
    tx: &mut Tx,
    app: &App,
    (known, charge): (&ProviderSubscription, &SubscriptionCharge),
    calculations: &Calculations,
) -> Result<()> {
    let held = memberships::hold(tx, known.membership_id).await?;
    let mut held = held.ok_or_else(|| InternalError::new("the membership of a subscription does not exist"))?;
    // Another answer may have been first.
    if payments_of::by_transaction(tx.conn(), known.provider, &charge.transaction).await?.is_some() {
        return Ok(());
    }
    let is_current = held.row.is_charged_by(known.provider, &known.external_id);
    if !is_current || !pays_next(app, &held, charge) {
        if is_current {
            // It would charge the same again.
            memberships::drop_subscription(tx, app, &mut held).await?;
        }
        return give_back(tx, app, &held, (known, charge)).await;
    }
    forsake_open(tx, app, &held).await?;
    let (begun, students) = memberships::offer_renewal(tx, app, &mut held).await?;
    match begun {
        Some(begun) => renew(tx, app, &begun, (known, charge), calculations).await?,
        None => give_back(tx, app, &held, (known, charge)).await?,
    }
    Ok(pay::count_students(tx, students.into_iter().collect()).await?)
}

/// Whether a charge is what the next period of a locked membership costs.
fn pays_next(app: &App, held: &Held, charge: &SubscriptionCharge) -> bool {
    let is_sold = held.plan.archived_at.is_none() && held.plan.target().is_some();
    let is_price = (charge.amount_minor, charge.currency.as_str())
        == (held.price.amount_minor, held.price.currency.code())
        && !adds_tax(app, &held.row.country);
    held.has_member && held.row.status.renews() && is_sold && is_price
}

/// Places the order of the period that a charge has paid for.
async fn renew(
    tx: &mut Tx,
    app: &App,
    begun: &Begun,
    (known, charge): (&ProviderSubscription, &SubscriptionCharge),
    calculations: &Calculations,
) -> Result<()> {
    let country = begun.membership.country.clone();
    let held = insert(tx, app, &terms(app, begun, &country), calculations, false).await?;
    insert_charged(tx, app, &held.order, (known, charge)).await?;
    let (provider, id, starts_at) = (known.provider, known.external_id.clone(), known.starts_at);
    let next = NextCharge::Subscription(StartedSubscription { provider, id, starts_at });
    pay::fulfil(tx, app, &held, &next).await?;
    Ok(())
}

/// Places an order that has ended, for money that cannot be used, and sends it back.
async fn give_back(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (known, charge): (&ProviderSubscription, &SubscriptionCharge),
) -> Result<()> {
    let buyer = held.row.user_id;
    let currency = CurrencyCode::parse(&charge.currency);
    let draft = Draft {
        buyer,
        country: &held.row.country,
        currency: currency.ok_or_else(|| InternalError::new("a subscription has charged in an unknown currency"))?,
        sum: Amounts { total: charge.amount_minor, ..Amounts::default() },
        tax: &OrderTax::none(),
        coupon: None,
        return_url: None,
        billed_to: None,
        has_checkout: false,
    };
    let order = insert_order(tx, app, &draft).await?;
    let item = NewItem {
        id: OrderItemId::new(app.clock.uuid()),
        order_id: order.id,
        buyer_id: buyer,
        position: 0,
        kind: OrderItemKind::Membership,
        title: held.plan.name.clone(),
        course_id: None,
        amount_minor: charge.amount_minor,
        is_live: false,
        discount_minor: 0,
        tax_minor: 0,
        membership_id: Some(held.row.id),
        // It pays for none.
        membership_period_id: None,
        extra_hours_id: None,
    };
    let items = query::insert_items(tx, vec![item]).await?;
    insert_charged(tx, app, &order, (known, charge)).await?;
    let (courses, gifts) = Default::default();
    let held = hold::Held { order, items, courses, gifts, people: [buyer].into() };
    end::end(tx, app, &held, Step::Cancel).await?;
    Ok(return_money(tx, app, &held).await?)
}

/// Inserts the payment of an order that a subscription has charged. Its charges have no checkouts: the money stands for
/// one.
async fn insert_charged(
    tx: &mut Tx,
    app: &App,
    order: &Order,
    (known, charge): (&ProviderSubscription, &SubscriptionCharge),
) -> Result<()> {
    let payment = insert_payment(tx, app, order, Some(known.provider), Way::Page(None)).await?;
    let transaction = Some(charge.transaction.as_str());
    payments_of::set_paid(tx, payment.id, (transaction, transaction), app.clock.now()).await?;
    Ok(())
}
