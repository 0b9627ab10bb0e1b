//! Subscriptions at Razorpay: the page that starts one, what they charge, their end, and the plans that they charge.
//!
//! The page of a subscription takes what its add-on costs at once, and the price of the plan from `start_at` on. The
//! subscription is the checkout; what it has charged are its paid invoices, of which the one before `start_at` is that
//! of the add-on. Creations have no idempotency key, so what was made is looked for first. One that is made twice in
//! spite of that does no harm: only the page that was answered is ever opened, and the other one expires.
//!
//! Source: <https://razorpay.com/docs/api/payments/subscriptions/>,
//! <https://razorpay.com/docs/webhooks/subscriptions/>.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{LONGEST_TITLE, Payment, Razorpay};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::subscription::{MOST_CHARGES, is_first};
use crate::platform::payments::told::Told;
use crate::platform::payments::{
    Checkout, CheckoutState, GatewayError, GatewayFact, GatewayPlan, Known, KnownSubscription, NewCheckout,
    NewSubscription, SubscriptionCharge, SubscriptionStatus,
};

/// The events about subscriptions that are read.
pub(super) const KINDS: [&str; 7] = [
    "subscription.authenticated",
    "subscription.charged",
    "subscription.pending",
    "subscription.halted",
    "subscription.paused",
    "subscription.cancelled",
    "subscription.completed",
];
/// The states in which a subscription is over.
const OVER: [&str; 3] = ["cancelled", "completed", "expired"];
/// How long the page of a subscription can be paid, unless its order ends earlier and closes it.
const OPEN: TimeDelta = TimeDelta::days(1);
/// How long a subscription charges: Razorpay wants a number of intervals. It takes a hundred years, but not every bank
/// and app lets a mandate live as long.
const MONTHS: u32 = 120;
/// The number of invoices, plans and subscriptions that are looked through, latest first.
const LOOKED_THROUGH: usize = 100;

/// A subscription.
#[derive(Deserialize)]
pub(super) struct Subscription {
    id: String,
    status: String,
    /// `None` until the customer has paid on its page.
    customer_id: Option<String>,
    /// Seconds since 1970.
    start_at: Option<i64>,
    short_url: Option<String>,
    /// What [`Razorpay::subscribe`] has written; an empty list if there are none.
    #[serde(default)]
    notes: Value,
}

#[derive(Deserialize)]
struct Invoice {
    subscription_id: Option<String>,
    payment_id: Option<String>,
    status: Option<String>,
    amount_paid: Option<i64>,
    currency: Option<String>,
    /// Seconds since 1970.
    paid_at: Option<i64>,
}

/// A plan.
#[derive(Deserialize)]
struct Plan {
    id: String,
    #[serde(default)]
    notes: Value,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

/// Whether the id of a checkout is that of a subscription.
pub(super) fn is_id(checkout: &str) -> bool {
    checkout.starts_with("sub_")
}

impl Razorpay {
    /// Creates the page that starts a subscription.
    pub(super) async fn subscribe(
        &self,
        app: &App,
        new: &NewCheckout,
        starts: &NewSubscription,
    ) -> Result<Checkout, GatewayError> {
        let made = match self.subscription_by_reference(app, &new.reference).await? {
            Some(made) => made,
            None => self.create_subscription(app, new, starts).await?,
        };
        let url = made.short_url.ok_or_else(|| InternalError::new("a subscription of Razorpay has no URL"))?;
        Ok(Checkout { id: made.id, url })
    }

    async fn create_subscription(
        &self,
        app: &App,
        new: &NewCheckout,
        starts: &NewSubscription,
    ) -> Result<Subscription, GatewayError> {
        let body = json!({
            "plan_id": starts.plan,
            "quantity": 1,
            "total_count": (MONTHS / starts.interval_months.max(1)).max(1),
            "start_at": starts.starts_at.timestamp(),
            "expire_by": (app.clock.now() + OPEN).min(starts.starts_at).timestamp(),
            "customer_notify": false,
            "addons": [{
                "item": {
                    "name": new.title.chars().take(LONGEST_TITLE).collect::<String>(),
                    "amount": new.amount_minor,
                    "currency": new.currency,
                },
            }],
            // The amount is told again by an event that has no payment.
            "notes": {
                "payment": new.reference,
                "amount": new.amount_minor.to_string(),
                "currency": new.currency,
            },
        });
        self.post(app, "subscriptions", &body, None).await
    }

    /// Returns what has become of the checkout that a subscription is.
    pub(super) async fn first_payment(&self, app: &App, id: &str) -> Result<Known, GatewayError> {
        match self.subscription(app, id).await? {
            Some(subscription) => self.first_payment_of(app, subscription).await,
            None => Ok(Known::expired(id)),
        }
    }

    /// The same, found by our id of the payment.
    pub(super) async fn first_payment_by_reference(
        &self,
        app: &App,
        reference: &str,
    ) -> Result<Option<Known>, GatewayError> {
        match self.subscription_by_reference(app, reference).await? {
            Some(subscription) => self.first_payment_of(app, subscription).await.map(Some),
            None => Ok(None),
        }
    }

    async fn first_payment_of(&self, app: &App, subscription: Subscription) -> Result<Known, GatewayError> {
        if subscription.status == "created" {
            return Ok(Known::in_state(&subscription.id, CheckoutState::Open));
        }
        let charges = self.charges(app, &subscription.id).await?;
        // The page closes before the first interval begins, so its payment is the one before that.
        if let Some(first) = charges.into_iter().find(|charge| subscription.is_first(charge.charged_at)) {
            let SubscriptionCharge { transaction, amount_minor, currency, .. } = first;
            let (transaction, state, id) = (Some(transaction), CheckoutState::Paid, subscription.id);
            let subscription = Some(id.clone());
            return Ok(Known { checkout: id, transaction, state, amount_minor, currency, subscription });
        }
        let is_over = OVER.contains(&subscription.status.as_str());
        let state = if is_over { CheckoutState::Expired } else { CheckoutState::Open };
        Ok(Known::in_state(&subscription.id, state))
    }

    /// Ends a subscription whose page nobody has paid.
    pub(super) async fn end_unpaid(&self, app: &App, id: &str) -> Result<(), GatewayError> {
        match self.subscription(app, id).await? {
            Some(subscription) if subscription.status == "created" => self.end_subscription(app, id).await,
            _ => Ok(()),
        }
    }

    pub(in crate::payments) async fn fetch_subscription(
        &self,
        app: &App,
        id: &str,
    ) -> Result<Option<KnownSubscription>, GatewayError> {
        let Some(subscription) = self.subscription(app, id).await? else { return Ok(None) };
        let mut charges = self.charges(app, id).await?;
        charges.retain(|charge| !subscription.is_first(charge.charged_at));
        charges.truncate(MOST_CHARGES);
        Ok(Some(KnownSubscription { state: subscription.state(), charges }))
    }

    pub(in crate::payments) async fn end_subscription(&self, app: &App, id: &str) -> Result<(), GatewayError> {
        let body = json!({ "cancel_at_cycle_end": false });
        match self.post::<Value>(app, &format!("subscriptions/{id}/cancel"), &body, None).await {
            Err(GatewayError::Refused(why)) => match self.subscription(app, id).await? {
                Some(subscription) if !OVER.contains(&subscription.status.as_str()) => Err(GatewayError::Refused(why)),
                _ => Ok(()),
            },
            outcome => outcome.map(drop),
        }
    }

    pub(in crate::payments) async fn create_plan(&self, app: &App, new: &GatewayPlan) -> Result<String, GatewayError> {
        let made: Items<Plan> = self.get(app, &format!("plans?count={LOOKED_THROUGH}")).await?;
        let is_same = |plan: &Plan| plan.notes.get("price").and_then(Value::as_str) == Some(new.reference.as_str());
        if let Some(plan) = made.items.into_iter().find(is_same) {
            return Ok(plan.id);
        }
        let body = json!({
            "period": "monthly",
            "interval": new.interval_months,
            "item": {
                "name": new.title.chars().take(LONGEST_TITLE).collect::<String>(),
                "amount": new.amount_minor,
                "currency": new.currency,
            },
            "notes": { "price": new.reference },
        });
        let plan: Plan = self.post(app, "plans", &body, None).await?;
        Ok(plan.id)
    }

    async fn subscription(&self, app: &App, id: &str) -> Result<Option<Subscription>, GatewayError> {
        match self.get(app, &format!("subscriptions/{id}")).await {
            Err(GatewayError::Refused(why)) if why.contains("does not exist") => Ok(None),
            found => found.map(Some),
        }
    }

    async fn subscription_by_reference(
        &self,
        app: &App,
        reference: &str,
    ) -> Result<Option<Subscription>, GatewayError> {
        let made: Items<Subscription> = match self.get(app, &format!("subscriptions?count={LOOKED_THROUGH}")).await {
            // Of an account that may have none.
            Err(GatewayError::Refused(_)) => return Ok(None),
            made => made?,
        };
        Ok(made.items.into_iter().find(|subscription| subscription.note("payment") == Some(reference)))
    }

    /// What a subscription has charged, with the payment of its page, latest first.
    async fn charges(&self, app: &App, id: &str) -> Result<Vec<SubscriptionCharge>, GatewayError> {
        let invoices: Items<Invoice> =
            self.get(app, &format!("invoices?subscription_id={id}&count={LOOKED_THROUGH}")).await?;
        let mut charges: Vec<_> = invoices.items.into_iter().filter_map(|invoice| invoice.charge(id)).collect();
        charges.sort_by_key(|charge| std::cmp::Reverse(charge.charged_at));
        Ok(charges)
    }
}

impl Subscription {
    fn state(&self) -> SubscriptionStatus {
        match self.status.as_str() {
            "pending" => SubscriptionStatus::PastDue,
            // `halted` has been tried often enough, `paused` was stopped in the dashboard.
            "halted" | "paused" | "cancelled" | "completed" | "expired" => SubscriptionStatus::Ended,
            _ => SubscriptionStatus::Active,
        }
    }

    /// Whether what was paid at a time was paid on the page.
    fn is_first(&self, paid_at: DateTime<Utc>) -> bool {
        time(self.start_at).is_some_and(|starts_at| is_first(paid_at, starts_at))
    }

    fn note(&self, name: &str) -> Option<&str> {
        self.notes.get(name)?.as_str()
    }

    /// What its page costs.
    fn amount(&self) -> Option<(i64, String)> {
        Some((self.note("amount")?.parse().ok()?, self.note("currency")?.to_owned()))
    }
}

impl Invoice {
    /// Returns what was paid; `None` if nothing was, or by another subscription.
    fn charge(self, subscription: &str) -> Option<SubscriptionCharge> {
        if self.status.as_deref() != Some("paid") || self.subscription_id.as_deref() != Some(subscription) {
            return None;
        }
        let charged_at = time(self.paid_at)?;
        let (transaction, amount_minor, currency) = (self.payment_id?, self.amount_paid?, self.currency?);
        Some(SubscriptionCharge { transaction, amount_minor, currency, charged_at })
    }
}

/// A time in seconds since 1970.
fn time(seconds: Option<i64>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds?, 0)
}

/// What an event of [`KINDS`] says; `None` if that changes nothing here.
pub(super) fn of_event(kind: &str, told: Subscription, payment: Option<Payment>) -> Option<Told> {
    // Without a reference, another program has made it.
    let reference = told.note("payment")?.to_owned();
    match kind {
        "subscription.authenticated" => of_first(told, reference, payment?),
        "subscription.charged" => {
            let payment = payment?;
            if time(payment.created_at).is_some_and(|paid_at| told.is_first(paid_at)) {
                return of_first(told, reference, payment);
            }
            Some(Told::of_charge(told.id, Some(payment.id), (payment.amount, payment.currency)))
        }
        "subscription.pending" => Some(Told::of_subscription(told.id, GatewayFact::SubscriptionFailed)),
        // Nobody has paid on its page.
        _ if told.customer_id.is_none() => {
            let (amount, fact) = (told.amount()?, GatewayFact::Expired);
            Some(Told { checkout: told.id, transaction: None, reference, amount, subscription: None, fact })
        }
        _ => Some(Told::of_subscription(told.id, GatewayFact::SubscriptionEnded)),
    }
}

/// What the payment on the page of a subscription says.
fn of_first(told: Subscription, reference: String, payment: Payment) -> Option<Told> {
    let (transaction, fact) = match payment.status.as_deref() {
        Some("captured") => (Some(payment.id), GatewayFact::Paid),
        // Razorpay captures it by itself.
        Some("authorized") => (None, GatewayFact::Approved),
        _ => return None,
    };
    let (amount, subscription) = ((payment.amount, payment.currency), Some(told.id.clone()));
    Some(Told { checkout: told.id, transaction, reference, amount, subscription, fact })
}
