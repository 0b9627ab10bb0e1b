//! Processes what payment providers have told.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::hold::{self, Held};
use super::pay::{self, Arrived};
use super::receive::enqueue;
use super::refund::{ASKED, came_back, done, refunded_elsewhere, return_rest};
use super::unread::event_of;
use super::{dispute, membership, play_event, reconcile};
use crate::graphql::Result;
use crate::memberships;
use crate::orders::model::{
    DisputeStatus, Payment, PaymentEvent, PaymentEventId, PaymentEventState, PaymentState, RefundId,
    ReplayPaymentEventInput, Step,
};
use crate::orders::query::{event as rows, payment, refund};
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{GatewayEvent, GatewayFact, Provider};

/// The number of attempts after which an event about an unknown payment is refused: after some three hours.
const MOST_ATTEMPTS: i32 = 11;
/// The reason of a refund that was made at the provider.
const AT_PROVIDER: &str = "Refunded at the payment provider.";

/// What became of an attempt to process an event.
pub(super) enum Outcome {
    /// It is processed, or was before.
    Done,
    /// What it is about is not known yet.
    Wait(&'static str),
    /// Something of ours is decided first, however long that takes.
    WaitLong(&'static str),
    /// It contradicts what is known.
    Refuse(String),
}

/// Processes an event. Doing it again does nothing.
///
/// # Errors
/// The database failed; the event has the error then, too.
pub(crate) async fn process(app: &App, id: PaymentEventId) -> std::result::Result<(), InternalError> {
    let Some(row) = rows::by_ids(&mut *app.db.read().await?, &[id]).await?.pop() else { return Ok(()) };
    if row.state == PaymentEventState::Processed {
        return Ok(());
    }
    let applied = match row.provider.gateway() {
        Some(provider) => apply(app, provider, &row).await,
        None => play_event::apply(app, &row).await,
    };
    match applied {
        Ok(outcome) => attempted(app, id, outcome).await,
        Err(error) => {
            let failed = (PaymentEventState::Received, Some(error.report()));
            let noted = app.db.transaction(async |tx| {
                rows::attempted(tx, id, (failed.0, failed.1.as_deref()), app.clock.now()).await?;
                Ok::<_, InternalError>(())
            });
            if let Err(again) = noted.await {
                tracing::warn!(error = again.report(), "the error of a payment event could not be noted");
            }
            Err(error)
        }
    }
}

async fn attempted(app: &App, id: PaymentEventId, outcome: Outcome) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let now = app.clock.now();
            let Some(row) = rows::lock(tx, id).await? else { return Ok(()) };
            let (state, error) = match &outcome {
                Outcome::Done => (PaymentEventState::Processed, None),
                Outcome::Wait(why) if row.attempts + 1 < MOST_ATTEMPTS => (PaymentEventState::Waiting, Some(*why)),
                Outcome::WaitLong(why) => (PaymentEventState::Waiting, Some(*why)),
                Outcome::Wait(why) => (PaymentEventState::Refused, Some(*why)),
                Outcome::Refuse(why) => (PaymentEventState::Refused, Some(why.as_str())),
            };
            let row = rows::attempted(tx, id, (state, error), now).await?;
            match state {
                PaymentEventState::Waiting => enqueue(tx, app, id, now + wait_after(row.attempts)).await?,
                PaymentEventState::Refused => {
                    tracing::error!(event = row.external_id, error, "a payment event was refused");
                }
                PaymentEventState::Received | PaymentEventState::Processed => {}
            }
            Ok(())
        })
        .await
}

/// How long an event waits after so many attempts: 10 s, 20 s, 40 s …
fn wait_after(attempts: i32) -> TimeDelta {
    TimeDelta::seconds(5 << attempts.clamp(1, MOST_ATTEMPTS))
}

/// Applies an event to its order.
async fn apply(app: &App, provider: Provider, row: &PaymentEvent) -> std::result::Result<Outcome, InternalError> {
    let event = match event_of(app, provider, row).await? {
        Ok(event) => event,
        Err(why) => return Ok(Outcome::Refuse(why)),
    };
    if let GatewayFact::Other { .. } = event.fact {
        return Ok(Outcome::Done);
    }
    if let GatewayFact::SubscriptionPaid | GatewayFact::SubscriptionFailed | GatewayFact::SubscriptionEnded = event.fact
    {
        return follow_subscription(app, (provider, row), &event).await;
    }
    let known = match payment_of(app, provider, &event).await? {
        Ok(Some(known)) => known,
        Ok(None) => return Ok(Outcome::Wait("There is no such payment, or not yet.")),
        Err(why) => return Ok(Outcome::Refuse(why.into())),
    };
    let id = known.id;
    if row.reference.is_empty() {
        refer(app, row, id).await?;
    }
    if let Some(why) = contradiction(&known, provider, &event) {
        return Ok(Outcome::Refuse(why));
    }
    match &event.fact {
        GatewayFact::Approved => return ask(app, &known, &event).await,
        GatewayFact::Paid => {
            let arrived = Arrived {
                checkout: &event.checkout,
                transaction: event.transaction.as_deref(),
                subscription: event.subscription.as_deref(),
            };
            pay::paid(app, id, arrived).await?;
        }
        GatewayFact::Failed | GatewayFact::Expired if !known.state.is_open() => {}
        // What is told late may contradict what was told before, and lost: the provider knows.
        GatewayFact::Failed | GatewayFact::Expired => match ask(app, &known, &event).await? {
            Outcome::Done => {
                let step = if event.fact == GatewayFact::Failed { Step::Fail } else { Step::Expire };
                pay::failed(app, id, step, event.subscription.as_deref()).await?;
            }
            outcome => return Ok(outcome),
        },
        later if known.state == PaymentState::Paid => return follow(app, &known, &event, later).await,
        // There is money that goes back, so it has arrived: that was not told, or is told later.
        later => {
            if let Outcome::Done = ask(app, &known, &event).await?
                && let Some(paid) = payment::by_id(&mut *app.db.read().await?, id).await?
                && paid.state == PaymentState::Paid
            {
                return follow(app, &paid, &event, later).await;
            }
            return Ok(Outcome::Wait("The payment has not arrived yet."));
        }
    }
    Ok(Outcome::Done)
}

/// Keeps which payment an event is about that does not tell it by our id.
async fn refer(app: &App, row: &PaymentEvent, payment: Uuid) -> std::result::Result<(), InternalError> {
    let reference = payment.to_string();
    app.db.transaction(async |tx| Ok(rows::set_reference(tx, row.id, &reference).await.map(drop)?)).await
}

/// Asks the provider about the subscription of an event, and does what follows from that.
async fn follow_subscription(
    app: &App,
    (provider, row): (Provider, &PaymentEvent),
    event: &GatewayEvent,
) -> std::result::Result<Outcome, InternalError> {
    if app.payments.account(provider) != Some(event.account.as_str()) {
        return Ok(Outcome::Refuse(format!("The account {} is not one of this server.", event.account)));
    }
    let Some(id) = &event.subscription else {
        return Ok(Outcome::Refuse("The event names no subscription.".into()));
    };
    let known = memberships::subscription(&mut *app.db.read().await?, provider, id).await?;
    let Some(known) = known else { return Ok(Outcome::Wait("There is no such subscription, or not yet.")) };
    if let Err(error) = membership::ask(app, &known, event.fact == GatewayFact::SubscriptionFailed).await {
        tracing::warn!(error = error.report(), subscription = id, "the provider of an event could not be asked");
        return Ok(Outcome::Wait("The provider could not be asked about the subscription."));
    }
    let Some(transaction) = event.transaction.as_deref() else { return Ok(Outcome::Done) };
    let paid = payment::by_transaction(&mut *app.db.read().await?, provider, transaction).await?;
    match paid {
        Some(paid) => refer(app, row, paid.id).await.map(|()| Outcome::Done),
        None if event.fact == GatewayFact::SubscriptionPaid => {
            Ok(Outcome::Wait("The provider does not know of the charge yet."))
        }
        None => Ok(Outcome::Done),
    }
}

/// Asks the provider about the payment of an event, and does what follows from that.
async fn ask(app: &App, known: &Payment, event: &GatewayEvent) -> std::result::Result<Outcome, InternalError> {
    let checkout = Some(event.checkout.clone()).filter(|id| !id.is_empty());
    let asked = Payment { external_id: known.external_id.clone().or(checkout), ..known.clone() };
    if let Err(error) = reconcile::ask_now(app, &asked).await {
        tracing::warn!(error = error.report(), payment = %known.id, "the provider of an event could not be asked");
        return Ok(Outcome::Wait("The provider could not be asked about the payment."));
    }
    Ok(Outcome::Done)
}

/// Finds the payment that an event names by our id, or by the provider's id of the money.
///
/// # Errors
/// The database failed; within, why it names none.
async fn payment_of(
    app: &App,
    provider: Provider,
    event: &GatewayEvent,
) -> std::result::Result<std::result::Result<Option<Payment>, &'static str>, InternalError> {
    let mut conn = app.db.read().await?;
    Ok(match (event.reference.parse::<Uuid>(), &event.transaction) {
        (Ok(id), _) => Ok(payment::by_id(&mut conn, id).await?),
        (Err(_), Some(transaction)) if event.reference.is_empty() => {
            Ok(payment::by_transaction(&mut conn, provider, transaction).await?)
        }
        _ => Err("The event is about a payment that is not one of this server."),
    })
}

/// Applies what happens to a payment that has arrived.
async fn follow(
    app: &App,
    known: &Payment,
    event: &GatewayEvent,
    fact: &GatewayFact,
) -> std::result::Result<Outcome, InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(held) = hold::lock(tx, known.order_id).await? else {
                return Ok(Outcome::Refuse("The order is gone.".into()));
            };
            let amount = event.amount_minor;
            match fact {
                GatewayFact::Approved
                | GatewayFact::Paid
                | GatewayFact::Failed
                | GatewayFact::Expired
                | GatewayFact::SubscriptionPaid
                | GatewayFact::SubscriptionFailed
                | GatewayFact::SubscriptionEnded
                | GatewayFact::Other { .. } => {}
                GatewayFact::Refunded { refund, refund_reference } => {
                    return refunded(tx, app, &held, (refund, refund_reference.as_deref()), amount).await;
                }
                GatewayFact::RefundFailed { refund, refund_reference } => {
                    if !came_back(tx, app, held, (refund_reference.as_deref(), refund)).await? {
                        return Ok(Outcome::Wait("There is no such refund, or not yet."));
                    }
                }
                GatewayFact::Reversed { reversal } => {
                    dispute::reversed(tx, app, &held, (reversal, amount)).await?;
                }
                GatewayFact::DisputeOpened { dispute } => {
                    dispute::open(tx, app, &held, (dispute, amount)).await?;
                }
                GatewayFact::DisputeWon { dispute } => {
                    dispute::close(tx, app, &held, (dispute, amount), DisputeStatus::Won).await?;
                }
                GatewayFact::DisputeLost { dispute } => {
                    dispute::close(tx, app, &held, (dispute, amount), DisputeStatus::Lost).await?;
                }
            }
            Ok(Outcome::Done)
        })
        .await
}

async fn refunded(
    tx: &mut Tx,
    app: &App,
    held: &Held,
    (external_id, reference): (&str, Option<&str>),
    amount: i64,
) -> std::result::Result<Outcome, InternalError> {
    let order = held.order.id;
    if let Some(id) = reference.and_then(|reference| reference.parse::<Uuid>().ok())
        && done(tx, app, &held.order, RefundId::new(id), external_id).await?
    {
        return Ok(Outcome::Done);
    }
    if refund::is_known(tx, order, external_id).await? {
        return Ok(Outcome::Done);
    }
    if refunded_elsewhere(tx, app, held, (external_id, AT_PROVIDER), amount).await? {
        refund::check_later(tx, order, external_id, app.clock.now() + ASKED).await?;
        return_rest(tx, app, held).await?;
        return Ok(Outcome::Done);
    }
    // A refund of ours that the provider refuses because of this one leaves enough when that is known.
    Ok(match refund::pending_of(tx, order).await?.is_empty() {
        true => Outcome::Refuse("More was refunded than was left of the order.".into()),
        false => Outcome::WaitLong("A refund of the order is not decided yet."),
    })
}

/// Returns what an event says otherwise than the payment; `None` if they agree.
fn contradiction(known: &Payment, provider: Provider, event: &GatewayEvent) -> Option<String> {
    let differs = |what: &str, said: &str, own: &str| Some(format!("The {what} is {said}, and {own} in the order."));
    if known.provider != provider || known.account != event.account {
        return differs("account", &event.account, &known.account);
    }
    let other = |own: &Option<String>, told: &str| own.clone().filter(|own| own != told && !told.is_empty());
    if let Some(own) = other(&known.external_id, &event.checkout) {
        return differs("checkout", &event.checkout, &own);
    }
    let transaction = event.transaction.as_deref().unwrap_or_default();
    if let Some(own) = other(&known.transaction_id, transaction) {
        return differs("transaction", transaction, &own);
    }
    if known.currency.code() != event.currency {
        return differs("currency", &event.currency, known.currency.code());
    }
    let is_whole =
        matches!(event.fact, GatewayFact::Approved | GatewayFact::Paid | GatewayFact::Failed | GatewayFact::Expired);
    let (said, own) = (event.amount_minor, known.amount_minor);
    if (is_whole && said != own) || !(1..=own).contains(&said) {
        return differs("amount", &said.to_string(), &own.to_string());
    }
    None
}

/// Has an event processed again that was refused or waits.
///
/// # Errors
/// There is no such event, or it is processed; the actor is not an administrator.
pub async fn replay(app: &App, actor: &Actor, client: &Client, input: ReplayPaymentEventInput) -> Result<PaymentEvent> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    app.db
        .transaction(async |tx| {
            let row = rows::lock(tx, input.payment_event_id).await?.ok_or_else(error::no_such_event)?;
            if row.state == PaymentEventState::Processed {
                return Err(error::processed_already());
            }
            let row = rows::reset(tx, row.id).await?;
            enqueue(tx, app, row.id, app.clock.now()).await?;
            let details = json!({ "paymentEventId": row.id.encode() });
            let entry =
                Entry { action: Action::PaymentEventReplayed, actor: actor.id(), subject: None, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok(row)
        })
        .await
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::graphql::money::CurrencyCode;
    use crate::orders::model::OrderId;

    #[test]
    fn an_event_agrees_with_its_payment_in_all_that_matters() {
        let known = Payment {
            id: Uuid::from_u128(1),
            order_id: OrderId::new(Uuid::from_u128(2)),
            provider: Provider::Sandbox,
            account: "school".into(),
            state: PaymentState::Open,
            amount_minor: 1990,
            currency: CurrencyCode::USD,
            external_id: Some("checkout".into()),
            checkout_url: None,
            created_at: DateTime::UNIX_EPOCH,
            transaction_id: Some("money".into()),
            authorization_id: None,
            subscription_starts_at: None,
        };
        let event = GatewayEvent {
            id: "event".into(),
            account: "school".into(),
            checkout: "checkout".into(),
            transaction: Some("money".into()),
            reference: known.id.to_string(),
            amount_minor: 1990,
            currency: "USD".into(),
            subscription: None,
            fact: GatewayFact::Paid,
        };
        let part = GatewayFact::DisputeOpened { dispute: "dispute".into() };
        let agrees = |known: &Payment, event: GatewayEvent| contradiction(known, Provider::Sandbox, &event).is_none();
        assert!(agrees(&known, event.clone()));
        assert!(agrees(&Payment { external_id: None, ..known.clone() }, event.clone()), "before our own commit");
        assert!(agrees(&known, GatewayEvent { fact: part.clone(), amount_minor: 5, ..event.clone() }), "a part");
        let untold = GatewayEvent { checkout: String::new(), transaction: None, ..event.clone() };
        assert!(agrees(&known, untold), "what is not told does not contradict");
        for wrong in [
            GatewayEvent { transaction: Some("another".into()), ..event.clone() },
            GatewayEvent { account: "another".into(), ..event.clone() },
            GatewayEvent { checkout: "another".into(), ..event.clone() },
            GatewayEvent { currency: "EUR".into(), ..event.clone() },
            GatewayEvent { amount_minor: 1989, ..event.clone() },
            GatewayEvent { amount_minor: 1991, ..event.clone() },
            GatewayEvent { amount_minor: 1991, fact: part.clone(), ..event.clone() },
            GatewayEvent { amount_minor: 0, fact: part, ..event.clone() },
        ] {
            assert!(!agrees(&known, wrong.clone()), "{wrong:?}");
        }
    }
}
