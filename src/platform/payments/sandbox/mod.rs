//! The sandbox: a payment provider for development, in this program.
//!
//! It has checkout pages (`/dev/checkout/<id>`), keeps its own state as a provider would, and sends signed webhooks
//! over HTTP, which fail, come late, twice or in another order on demand. It takes no money.

mod charge;
mod follow_up;

use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use futures_util::FutureExt;
use hyper::{HeaderMap, Request, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Checkout, CheckoutState, GatewayError, GatewayEvent, GatewayFact, Known, NewCheckout, Unverified, signature,
};
use crate::platform::App;
use crate::platform::db::schema::{sandbox_checkouts, sandbox_refunds};
use crate::platform::db::{RunQueryDsl, Tx};
use crate::platform::fetch::Fetcher;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::{self, Handler, NewJob};
use crate::platform::retention::{self, Retention};

/// The header with the signature of a webhook.
const SIGNATURE: &str = "sandbox-signature";
/// The job that sends a webhook.
const SEND: &str = "sandbox.send";
/// How late a webhook comes on demand.
const LATE: TimeDelta = TimeDelta::seconds(30);
/// How long the sandbox remembers a checkout: memberships of a year are charged to it again.
const AGE: TimeDelta = TimeDelta::days(800);
const CHECKOUTS: Retention = Retention::new("sandbox_checkouts", "created_at");

/// The sandbox.
pub struct Sandbox {
    /// The key that signs the webhooks.
    key: Vec<u8>,
    account: String,
    /// The URL that the webhooks are sent to.
    webhook_url: String,
    fetcher: Fetcher,
    trouble: AtomicU8,
}

/// What is wrong with the sandbox, for tests of what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// It cannot be reached.
    Away,
    /// It does what it is asked for, but its answers are lost.
    AnswersLost,
}

/// What a customer or the merchant does on the page of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The customer pays.
    Pay,
    /// The customer pays, and the webhook comes half a minute later.
    PayLate,
    /// The customer pays, and the webhook comes three times.
    PayThrice,
    /// The payment fails, then the customer pays after all; of this the webhook comes first.
    PayOutOfOrder,
    /// The payment fails for good.
    Fail,
    /// The merchant refunds all that is left.
    Refund,
    /// The customer's bank takes the money back.
    Dispute,
    /// The merchant wins the dispute.
    WinDispute,
    /// The merchant loses the dispute.
    LoseDispute,
    /// Later charges to this payment are declined.
    DeclineCharges,
    /// Later charges to this payment are accepted again.
    AcceptCharges,
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Action, String> {
        Ok(match text {
            "pay" => Action::Pay,
            "pay-late" => Action::PayLate,
            "pay-thrice" => Action::PayThrice,
            "pay-out-of-order" => Action::PayOutOfOrder,
            "fail" => Action::Fail,
            "refund" => Action::Refund,
            "dispute" => Action::Dispute,
            "win-dispute" => Action::WinDispute,
            "lose-dispute" => Action::LoseDispute,
            "decline-charges" => Action::DeclineCharges,
            "accept-charges" => Action::AcceptCharges,
            _ => return Err(format!("{text:?} is not an action of a checkout")),
        })
    }
}

/// A checkout as the sandbox knows it.
#[derive(Clone, Debug, Queryable, Selectable, Serialize)]
#[diesel(table_name = sandbox_checkouts, check_for_backend(diesel::pg::Pg))]
pub struct SandboxCheckout {
    /// The id.
    pub id: Uuid,
    /// The caller's id of the payment.
    pub reference: String,
    /// What is paid for.
    pub title: String,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// Where the page leads back to.
    pub return_url: Option<String>,
    /// `OPEN`, `PAID` or `FAILED`.
    pub state: String,
    /// The refunded amount in minor units.
    pub refunded_minor: i64,
    /// `OPEN`, `WON` or `LOST` if the payment is or was disputed.
    pub dispute: Option<String>,
    /// Whether later charges to this payment are declined.
    pub declines: bool,
}

impl Sandbox {
    /// Creates the sandbox of a server that is reached at `base_url`, with a key that is derived from its secret.
    ///
    /// # Errors
    /// No root certificates are installed on this machine.
    pub fn new(secret: &str, base_url: &str) -> Result<Sandbox, InternalError> {
        Ok(Sandbox {
            key: format!("lyceum/sandbox/{secret}").into_bytes(),
            account: "sandbox".into(),
            webhook_url: format!("{base_url}/webhooks/sandbox"),
            fetcher: Fetcher::new(Duration::from_secs(10))?,
            trouble: AtomicU8::new(Trouble::None as u8),
        })
    }

    /// The school's account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Makes trouble, until it is set to [`Trouble::None`].
    pub fn set_trouble(&self, trouble: Trouble) {
        self.trouble.store(trouble as u8, Ordering::Relaxed);
    }

    fn has(&self, trouble: Trouble) -> bool {
        AtomicU8::load(&self.trouble, Ordering::Relaxed) == trouble as u8
    }

    /// Signs the body of a webhook that is sent at `now`; returns the name and the value of the header.
    ///
    /// # Errors
    /// The key is unusable, which does not happen.
    pub fn sign(&self, body: &[u8], now: DateTime<Utc>) -> Result<(&'static str, String), InternalError> {
        Ok((SIGNATURE, signature::sign(&self.key, body, now)?))
    }

    pub(super) fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<GatewayEvent, Unverified> {
        let header = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).ok_or(Unverified::Forged)?;
        signature::verify(&self.key, header, body, now)?;
        serde_json::from_slice(body).map_err(|_| Unverified::Malformed)
    }

    pub(super) async fn create_checkout(&self, app: &App, new: &NewCheckout) -> Result<Checkout, GatewayError> {
        self.reach()?;
        let made = app.db.transaction(async |tx| Ok::<_, InternalError>(insert(tx, app, new).await?)).await?;
        self.answer(Checkout { id: made.to_string(), url: format!("{}/dev/checkout/{made}", app.config.public_url) })
    }

    pub(super) async fn close(&self, app: &App, checkout: &str) -> Result<(), GatewayError> {
        self.reach()?;
        let id: Uuid = checkout.parse().map_err(|_| GatewayError::Refused("there is no such checkout".into()))?;
        let closed = app.db.transaction(async |tx| {
            let open = sandbox_checkouts::table.find(id).filter(sandbox_checkouts::state.eq("OPEN"));
            let close = diesel::update(open).set(sandbox_checkouts::state.eq("FAILED"));
            Ok::<_, InternalError>(close.execute(tx.conn()).await?)
        });
        closed.await?;
        self.answer(())
    }

    pub(super) async fn refund(
        &self,
        app: &App,
        checkout: &str,
        reference: &str,
        amount_minor: i64,
    ) -> Result<String, GatewayError> {
        self.reach()?;
        let id: Uuid = checkout.parse().map_err(|_| GatewayError::Refused("there is no such checkout".into()))?;
        let made = app.db.transaction(async |tx| refund(tx, app, id, Some(reference), amount_minor).await).await?;
        self.answer(
            made.ok_or_else(|| GatewayError::Refused("the checkout has no such amount left".into()))?.to_string(),
        )
    }

    pub(super) async fn fetch_state(&self, app: &App, reference: &str) -> Result<Option<Known>, GatewayError> {
        self.reach()?;
        let row = by_reference(&mut *app.db.read().await?, reference).await.map_err(InternalError::from)?;
        self.answer(row.map(known))
    }

    fn reach(&self) -> Result<(), GatewayError> {
        if self.has(Trouble::Away) { Err(GatewayError::TimedOut) } else { Ok(()) }
    }

    fn answer<T>(&self, answer: T) -> Result<T, GatewayError> {
        if self.has(Trouble::AnswersLost) { Err(GatewayError::TimedOut) } else { Ok(answer) }
    }
}

fn known(row: SandboxCheckout) -> Known {
    let state = match row.state.as_str() {
        "PAID" => CheckoutState::Paid,
        "FAILED" => CheckoutState::Failed,
        _ => CheckoutState::Open,
    };
    let checkout = row.id.to_string();
    Known { amount_minor: row.amount_minor, currency: row.currency, ..Known::in_state(&checkout, state) }
}

/// Returns a checkout; `None` if there is none.
///
/// # Errors
/// The database failed.
pub async fn checkout(app: &App, id: Uuid) -> Result<Option<SandboxCheckout>, InternalError> {
    let row = sandbox_checkouts::table.find(id).select(SandboxCheckout::as_select());
    Ok(row.first(&mut *app.db.read().await?).await.optional()?)
}

/// Does what the page of a checkout offers, and sends the webhooks. What is not possible now does nothing. Returns
/// whether there is such a checkout.
///
/// # Errors
/// The database failed.
pub async fn act(app: &App, id: Uuid, action: Action) -> Result<bool, InternalError> {
    app.db
        .transaction(async |tx| {
            let row = sandbox_checkouts::table.find(id).select(SandboxCheckout::as_select()).for_no_key_update();
            let Some(row) = row.first(tx.conn()).await.optional()? else { return Ok(false) };
            let is_open = row.state == "OPEN";
            let disputed = row.dispute.as_deref();
            let now = app.clock.now();
            let (paid, failed) = (GatewayFact::Paid, GatewayFact::Failed);
            let dispute = format!("dispute_{id}");
            let sent = match action {
                Action::Pay if is_open => vec![(event(app, &row, paid)?, now)],
                Action::PayLate if is_open => vec![(event(app, &row, paid)?, now + LATE)],
                Action::PayThrice if is_open => {
                    let event = event(app, &row, paid)?;
                    vec![(event.clone(), now), (event.clone(), now), (event, now + LATE)]
                }
                Action::PayOutOfOrder if is_open => {
                    vec![(event(app, &row, paid)?, now), (event(app, &row, failed)?, now + LATE)]
                }
                Action::Fail if is_open => vec![(event(app, &row, failed)?, now)],
                Action::Refund if row.state == "PAID" => {
                    refund(tx, app, id, None, row.amount_minor - row.refunded_minor).await?;
                    return Ok(true);
                }
                Action::Dispute if row.state == "PAID" && disputed.is_none() => {
                    vec![(event(app, &row, GatewayFact::DisputeOpened { dispute })?, now)]
                }
                Action::DeclineCharges | Action::AcceptCharges => {
                    let declines = action == Action::DeclineCharges;
                    diesel::update(sandbox_checkouts::table.find(id))
                        .set(sandbox_checkouts::declines.eq(declines))
                        .execute(tx.conn())
                        .await?;
                    return Ok(true);
                }
                Action::WinDispute if disputed == Some("OPEN") => {
                    vec![(event(app, &row, GatewayFact::DisputeWon { dispute })?, now)]
                }
                Action::LoseDispute if disputed == Some("OPEN") => {
                    vec![(event(app, &row, GatewayFact::DisputeLost { dispute })?, now)]
                }
                _ => return Ok(true),
            };
            let state = match action {
                Action::Pay | Action::PayLate | Action::PayThrice | Action::PayOutOfOrder => "PAID",
                Action::Fail => "FAILED",
                _ => row.state.as_str(),
            };
            let disputed = match action {
                Action::Dispute => Some("OPEN"),
                Action::WinDispute => Some("WON"),
                Action::LoseDispute => Some("LOST"),
                _ => disputed,
            };
            diesel::update(sandbox_checkouts::table.find(id))
                .set((sandbox_checkouts::state.eq(state), sandbox_checkouts::dispute.eq(disputed)))
                .execute(tx.conn())
                .await?;
            send(tx, app, sent).await?;
            Ok(true)
        })
        .await
}

/// Returns the jobs of the sandbox: those that send webhooks, and the cleanup.
pub fn handlers() -> Vec<Handler> {
    vec![
        Handler::queued(SEND, Duration::from_secs(30), |app, payload| {
            async move {
                let Sent { event } = serde_json::from_value(payload)?;
                deliver(&app, &event).await
            }
            .boxed()
        }),
        Handler::scheduled("sandbox.forget", "53 3 * * *", retention::TIMEOUT, |app, _| {
            retention::delete(app, &[CHECKOUTS], AGE)
        }),
    ]
}

/// The payload of [`SEND`].
#[derive(Serialize, Deserialize)]
struct Sent {
    event: GatewayEvent,
}

async fn insert(tx: &mut Tx, app: &App, new: &NewCheckout) -> QueryResult<Uuid> {
    diesel::insert_into(sandbox_checkouts::table)
        .values((
            sandbox_checkouts::id.eq(app.clock.uuid()),
            sandbox_checkouts::reference.eq(&new.reference),
            sandbox_checkouts::title.eq(&new.title),
            sandbox_checkouts::amount_minor.eq(new.amount_minor),
            sandbox_checkouts::currency.eq(&new.currency),
            sandbox_checkouts::return_url.eq(&new.return_url),
            sandbox_checkouts::state.eq("OPEN"),
            sandbox_checkouts::created_at.eq(app.clock.now()),
        ))
        .on_conflict(sandbox_checkouts::reference)
        .do_nothing()
        .execute(tx.conn())
        .await?;
    let made = sandbox_checkouts::table.filter(sandbox_checkouts::reference.eq(&new.reference));
    made.select(sandbox_checkouts::id).first(tx.conn()).await
}

async fn by_reference(conn: &mut AsyncPgConnection, reference: &str) -> QueryResult<Option<SandboxCheckout>> {
    let row = sandbox_checkouts::table.filter(sandbox_checkouts::reference.eq(reference));
    row.select(SandboxCheckout::as_select()).first(conn).await.optional()
}

/// Refunds an amount; returns the id of the refund, of an earlier one with the same reference if there is one. `None`
/// if the checkout has not that much left.
async fn refund(
    tx: &mut Tx,
    app: &App,
    checkout: Uuid,
    reference: Option<&str>,
    amount_minor: i64,
) -> Result<Option<Uuid>, InternalError> {
    let row = sandbox_checkouts::table.find(checkout).select(SandboxCheckout::as_select()).for_no_key_update();
    let Some(row) = row.first(tx.conn()).await.optional()? else { return Ok(None) };
    if let Some(reference) = reference {
        let earlier = sandbox_refunds::table.filter(sandbox_refunds::reference.eq(reference));
        let earlier: Option<Uuid> = earlier.select(sandbox_refunds::id).first(tx.conn()).await.optional()?;
        if earlier.is_some() {
            return Ok(earlier);
        }
    }
    if row.state != "PAID" || amount_minor <= 0 || amount_minor > row.amount_minor - row.refunded_minor {
        return Ok(None);
    }
    let id = app.clock.uuid();
    diesel::insert_into(sandbox_refunds::table)
        .values((
            sandbox_refunds::id.eq(id),
            sandbox_refunds::checkout_id.eq(checkout),
            sandbox_refunds::reference.eq(reference),
            sandbox_refunds::amount_minor.eq(amount_minor),
        ))
        .execute(tx.conn())
        .await?;
    diesel::update(sandbox_checkouts::table.find(checkout))
        .set(sandbox_checkouts::refunded_minor.eq(row.refunded_minor + amount_minor))
        .execute(tx.conn())
        .await?;
    let fact = GatewayFact::Refunded { refund: id.to_string(), refund_reference: reference.map(str::to_owned) };
    let told = GatewayEvent { amount_minor, ..event(app, &row, fact)? };
    send(tx, app, vec![(told, app.clock.now())]).await?;
    Ok(Some(id))
}

fn event(app: &App, row: &SandboxCheckout, fact: GatewayFact) -> Result<GatewayEvent, InternalError> {
    let sandbox = app.payments.sandbox().ok_or_else(|| InternalError::new("the sandbox is off"))?;
    Ok(GatewayEvent {
        id: format!("event_{}", app.clock.uuid()),
        account: sandbox.account.clone(),
        checkout: row.id.to_string(),
        transaction: None,
        reference: row.reference.clone(),
        amount_minor: row.amount_minor,
        currency: row.currency.clone(),
        subscription: None,
        fact,
    })
}

/// Has webhooks sent at their times.
async fn send(tx: &mut Tx, app: &App, events: Vec<(GatewayEvent, DateTime<Utc>)>) -> Result<(), InternalError> {
    let job = |(event, run_at): (GatewayEvent, DateTime<Utc>)| {
        let key = format!("{SEND}/{}/{}", event.id, app.clock.uuid());
        NewJob { handler: SEND.into(), payload: json!({ "event": event }), key, run_at }
    };
    jobs::enqueue_all(tx, &app.clock, events.into_iter().map(job).collect()).await
}

/// Sends a webhook. Fails unless the answer is 2xx, so that it is sent again.
async fn deliver(app: &App, event: &GatewayEvent) -> Result<(), InternalError> {
    let Some(sandbox) = app.payments.sandbox() else { return Ok(()) };
    let body = serde_json::to_vec(event)?;
    let (name, value) = sandbox.sign(&body, app.clock.now())?;
    let request = Request::post(&sandbox.webhook_url).header(header::CONTENT_TYPE, "application/json");
    let answer = sandbox.fetcher.send(request.header(name, value).body(body)?).await?;
    if !answer.status().is_success() {
        return Err(InternalError::new(format!("the webhook was answered with {}", answer.status())));
    }
    Ok(())
}
