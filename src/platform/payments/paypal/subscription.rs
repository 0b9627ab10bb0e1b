//! Subscriptions at PayPal: the page that starts one, what they charge, their end, and the plans that they charge.
//!
//! The subscription is the checkout. Its set-up fee is what the first period costs, and is taken when the buyer
//! approves; the price of the plan is taken from `start_time` on. PayPal calls such money a sale, and what is refunded
//! of it, too. A charge that fails is tried twice again, five days apart; then the subscription is suspended, and
//! nothing is owed.
//!
//! Source: <https://developer.paypal.com/docs/api/subscriptions/v1/>,
//! <https://developer.paypal.com/docs/subscriptions/reference/webhooks/>,
//! <https://developer.paypal.com/docs/api/payments/v1/#sale_refund>.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::amount::{Amount, charged};
use super::{LONGEST_TITLE, Link, PayPal, TAKEN, is_unknown, page};
use crate::platform::App;
use crate::platform::payments::subscription::{MOST_CHARGES, is_first};
use crate::platform::payments::told::Told;
use crate::platform::payments::{
    Checkout, CheckoutState, GatewayError, GatewayFact, GatewayPlan, Known, KnownSubscription, NewCheckout, NewRefund,
    NewSubscription, SubscriptionCharge, SubscriptionStatus,
};

/// The states of a subscription that the buyer has not approved, or that does not run yet.
const UNPAID: [&str; 2] = ["APPROVAL_PENDING", "APPROVED"];
/// The states in which a subscription is over.
const OVER: [&str; 2] = ["CANCELLED", "EXPIRED"];
/// How far charges are looked back for.
const LOOKED_BACK: TimeDelta = TimeDelta::days(366);
/// Between our id of the payment and the time of the first charge, in what PayPal sends along with each sale.
const SEPARATOR: char = '@';

#[derive(Deserialize)]
pub(super) struct Subscription {
    id: String,
    status: String,
    custom_id: Option<String>,
    create_time: Option<DateTime<Utc>>,
    start_time: Option<DateTime<Utc>>,
    #[serde(default)]
    billing_info: BillingInfo,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Default, Deserialize)]
struct BillingInfo {
    #[serde(default)]
    failed_payments_count: u32,
}

#[derive(Deserialize)]
struct Transactions {
    #[serde(default)]
    transactions: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    id: String,
    status: Option<String>,
    amount_with_breakdown: Breakdown,
    time: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Breakdown {
    gross_amount: Amount,
}

/// Money that a subscription has taken, or a refund of it, in the forms of the first version of the API.
#[derive(Deserialize)]
pub(super) struct Sale {
    id: String,
    state: Option<String>,
    amount: Option<SaleAmount>,
    create_time: Option<DateTime<Utc>>,
    /// The subscription.
    billing_agreement_id: Option<String>,
    /// The subscription's `custom_id`.
    custom: Option<String>,
    /// Of a refund: what was refunded.
    sale_id: Option<String>,
    /// Of a refund: the id that was passed to [`PayPal::refund_sale`].
    invoice_number: Option<String>,
}

#[derive(Deserialize)]
struct SaleAmount {
    total: String,
    currency: String,
}

#[derive(Deserialize)]
struct Plan {
    id: String,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Plans {
    #[serde(default)]
    plans: Vec<Plan>,
}

/// Whether the id of a checkout is that of a subscription.
pub(super) fn is_id(checkout: &str) -> bool {
    checkout.starts_with("I-")
}

impl PayPal {
    /// Creates a subscription, whose page leads to `back`.
    pub(super) async fn subscribe(
        &self,
        app: &App,
        new: &NewCheckout,
        starts: &NewSubscription,
    ) -> Result<Checkout, GatewayError> {
        let body = json!({
            "plan_id": starts.plan,
            "custom_id": format!("{}{SEPARATOR}{}", new.reference, starts.starts_at.timestamp()),
            "start_time": written(starts.starts_at),
            "plan": { "payment_preferences": {
                "setup_fee": charged(new.amount_minor, &new.currency)?,
                "setup_fee_failure_action": "CANCEL",
            } },
            "application_context": {
                "return_url": new.return_url,
                "cancel_url": new.return_url,
                "user_action": "SUBSCRIBE_NOW",
                "shipping_preference": "NO_SHIPPING",
            },
        });
        let key = format!("subscribe-{}", new.reference);
        let made: Subscription = self.post(app, "v1/billing/subscriptions", &body, &key).await?;
        Ok(Checkout { id: made.id, url: page(made.links)? })
    }

    /// Returns what has become of the checkout that a subscription is.
    pub(super) async fn first_payment(&self, app: &App, id: &str) -> Result<Known, GatewayError> {
        let Some(subscription) = self.subscription(app, id).await? else { return Ok(Known::expired(id)) };
        if UNPAID.contains(&subscription.status.as_str()) {
            return Ok(Known::in_state(id, CheckoutState::Open));
        }
        let now = app.clock.now();
        let charges = self.charges(app, id, subscription.create_time.unwrap_or(now - LOOKED_BACK)).await?;
        let first = charges.into_iter().find(|charge| subscription.is_first(charge.charged_at));
        let Some(SubscriptionCharge { transaction, amount_minor, currency, .. }) = first else {
            // Transactions appear some minutes later. If the set-up fee fails, the subscription is canceled.
            let is_over = OVER.contains(&subscription.status.as_str());
            return Ok(Known::in_state(id, if is_over { CheckoutState::Expired } else { CheckoutState::Processing }));
        };
        Ok(Known {
            checkout: id.to_owned(),
            transaction: Some(transaction),
            state: CheckoutState::Paid,
            amount_minor,
            currency,
            subscription: Some(id.to_owned()),
        })
    }

    /// Ends a subscription that nobody has approved. PayPal may refuse that: then its page is left until PayPal closes
    /// it, and what is paid on it is money for an order that has ended.
    pub(super) async fn end_unpaid(&self, app: &App, id: &str) -> Result<(), GatewayError> {
        let subscription = self.subscription(app, id).await?;
        if !subscription.is_some_and(|subscription| UNPAID.contains(&subscription.status.as_str())) {
            return Ok(());
        }
        match self.cancel(app, id).await {
            Err(GatewayError::Refused(_)) => Ok(()),
            outcome => outcome,
        }
    }

    pub(in crate::payments) async fn fetch_subscription(
        &self,
        app: &App,
        id: &str,
    ) -> Result<Option<KnownSubscription>, GatewayError> {
        let Some(subscription) = self.subscription(app, id).await? else { return Ok(None) };
        let mut charges = Vec::new();
        if !UNPAID.contains(&subscription.status.as_str()) {
            charges = self.charges(app, id, app.clock.now() - LOOKED_BACK).await?;
            charges.retain(|charge| !subscription.is_first(charge.charged_at));
            charges.truncate(MOST_CHARGES);
        }
        Ok(Some(KnownSubscription { state: subscription.state(), charges }))
    }

    pub(in crate::payments) async fn end_subscription(&self, app: &App, id: &str) -> Result<(), GatewayError> {
        match self.cancel(app, id).await {
            Err(GatewayError::Refused(why)) => match self.subscription(app, id).await? {
                Some(subscription) if !OVER.contains(&subscription.status.as_str()) => Err(GatewayError::Refused(why)),
                _ => Ok(()),
            },
            outcome => outcome,
        }
    }

    /// Refunds a part of what a subscription has taken.
    pub(super) async fn refund_sale(&self, app: &App, new: &NewRefund<'_>, sale: &str) -> Result<String, GatewayError> {
        let Amount { currency_code, value } = charged(new.amount_minor, new.currency)?;
        let amount = json!({ "total": value, "currency": currency_code });
        let body = json!({ "amount": amount, "invoice_number": new.reference });
        let path = format!("v1/payments/sale/{sale}/refund");
        let made: Sale = self.post(app, &path, &body, &format!("refund-sale-{}", new.reference)).await?;
        match made.state.as_deref() {
            Some(state @ ("failed" | "cancelled")) => Err(GatewayError::Refused(state.to_uppercase())),
            _ => Ok(made.id),
        }
    }

    /// Creates a plan, as the only one of a product whose id is our reference: so it is found by that.
    pub(in crate::payments) async fn create_plan(&self, app: &App, new: &GatewayPlan) -> Result<String, GatewayError> {
        let price = charged(new.amount_minor, &new.currency)?;
        let title: String = new.title.chars().take(LONGEST_TITLE).collect();
        let product = json!({ "id": new.reference, "name": title, "type": "SERVICE" });
        let key = format!("product-{}", new.reference);
        match self.post::<Value>(app, "v1/catalogs/products", &product, &key).await {
            // An earlier attempt has made it. The plan may be there as well.
            Err(GatewayError::Refused(why)) if why.starts_with("DUPLICATE_RESOURCE_IDENTIFIER") => {}
            made => drop(made?),
        }
        if let Some(plan) = self.plan_of(app, &new.reference).await? {
            return Ok(plan.id);
        }
        let body = json!({
            "product_id": new.reference,
            "name": title,
            "billing_cycles": [{
                "tenure_type": "REGULAR",
                "sequence": 1,
                "total_cycles": 0,
                "frequency": { "interval_unit": "MONTH", "interval_count": new.interval_months },
                "pricing_scheme": { "fixed_price": price },
            }],
            // What was not paid is not charged with a later interval.
            "payment_preferences": { "auto_bill_outstanding": false, "payment_failure_threshold": 1 },
        });
        let plan: Plan = self.post(app, "v1/billing/plans", &body, &format!("plan-{}", new.reference)).await?;
        Ok(plan.id)
    }

    pub(in crate::payments) async fn retire_plan(
        &self,
        app: &App,
        reference: &str,
        external_id: Option<&str>,
    ) -> Result<(), GatewayError> {
        let id = match external_id {
            Some(id) => id.to_owned(),
            None => match self.plan_of(app, reference).await? {
                Some(plan) => plan.id,
                None => return Ok(()),
            },
        };
        let path = format!("v1/billing/plans/{id}");
        match self.post::<Value>(app, &format!("{path}/deactivate"), &json!({}), &format!("retire-{id}")).await {
            Err(GatewayError::Refused(why)) => match known(self.get::<Plan>(app, &path).await)? {
                Some(plan) if plan.status.as_deref() == Some("ACTIVE") => Err(GatewayError::Refused(why)),
                _ => Ok(()),
            },
            outcome => outcome.map(drop),
        }
    }

    /// The plan of the product whose id is our reference.
    async fn plan_of(&self, app: &App, reference: &str) -> Result<Option<Plan>, GatewayError> {
        let found = known(self.get::<Plans>(app, &format!("v1/billing/plans?product_id={reference}")).await)?;
        Ok(found.and_then(|found| found.plans.into_iter().next()))
    }

    async fn subscription(&self, app: &App, id: &str) -> Result<Option<Subscription>, GatewayError> {
        known(self.get(app, &format!("v1/billing/subscriptions/{id}")).await)
    }

    async fn cancel(&self, app: &App, id: &str) -> Result<(), GatewayError> {
        let body = json!({ "reason": "It was ended where it was bought." });
        let path = format!("v1/billing/subscriptions/{id}/cancel");
        self.post::<Value>(app, &path, &body, &format!("cancel-{id}")).await.map(drop)
    }

    /// What a subscription has taken since a time, with the set-up fee, latest first.
    async fn charges(
        &self,
        app: &App,
        id: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionCharge>, GatewayError> {
        let (since, until) = (written(since), written(app.clock.now()));
        let path = format!("v1/billing/subscriptions/{id}/transactions?start_time={since}&end_time={until}");
        let found: Transactions = self.get(app, &path).await?;
        let mut charges: Vec<_> = found.transactions.into_iter().filter_map(Transaction::charge).collect();
        charges.sort_by_key(|charge| std::cmp::Reverse(charge.charged_at));
        Ok(charges)
    }
}

impl Subscription {
    fn state(&self) -> SubscriptionStatus {
        match self.status.as_str() {
            "SUSPENDED" | "CANCELLED" | "EXPIRED" => SubscriptionStatus::Ended,
            _ if self.billing_info.failed_payments_count > 0 => SubscriptionStatus::PastDue,
            _ => SubscriptionStatus::Active,
        }
    }

    /// Whether what was taken at a time is the set-up fee.
    fn is_first(&self, taken_at: DateTime<Utc>) -> bool {
        self.start_time.is_some_and(|starts_at| is_first(taken_at, starts_at))
    }
}

impl Transaction {
    fn charge(self) -> Option<SubscriptionCharge> {
        if !TAKEN.contains(&self.status.as_deref()?) {
            return None;
        }
        let (amount_minor, currency) = self.amount_with_breakdown.gross_amount.minor()?;
        Some(SubscriptionCharge { transaction: self.id, amount_minor, currency, charged_at: self.time })
    }
}

impl SaleAmount {
    /// Returns the amount in minor units and the currency. That of a refund may have a sign.
    fn minor(self) -> Option<(i64, String)> {
        let value = self.total.trim_start_matches('-').to_owned();
        Amount { currency_code: self.currency, value }.minor()
    }
}

/// A time as PayPal wants it.
fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns our id of the payment, and when a subscription charges for the first time.
fn custom(custom: &str) -> Option<(String, DateTime<Utc>)> {
    let (reference, starts_at) = custom.split_once(SEPARATOR)?;
    Some((reference.to_owned(), DateTime::from_timestamp(starts_at.parse().ok()?, 0)?))
}

/// What money says that a subscription has taken: the set-up fee is the payment of the checkout.
pub(super) fn of_sale(sale: Sale) -> Option<Told> {
    let id = sale.billing_agreement_id?;
    let amount = sale.amount?.minor()?;
    let Some(own) = sale.custom else {
        // Asking tells whether it is ours, and for which interval.
        return Some(Told::of_charge(id, Some(sale.id), amount));
    };
    // What does not have our form, another program has made.
    let (reference, starts_at) = custom(&own)?;
    if !is_first(sale.create_time?, starts_at) {
        return Some(Told::of_charge(id, Some(sale.id), amount));
    }
    let (transaction, subscription, fact) = (Some(sale.id), Some(id.clone()), GatewayFact::Paid);
    Some(Told { checkout: id, transaction, reference, amount, subscription, fact })
}

/// What a refund of such money says, or its reversal, which names the sale alone.
pub(super) fn of_refund(kind: &str, refund: Sale) -> Option<Told> {
    let (amount, id) = (refund.amount?.minor()?, refund.id);
    let sale = refund.sale_id.unwrap_or_else(|| id.clone());
    let fact = match kind {
        "PAYMENT.SALE.REVERSED" => GatewayFact::Reversed { reversal: id },
        _ => GatewayFact::Refunded { refund: id, refund_reference: refund.invoice_number },
    };
    Some(Told::of_transaction(sale, amount, fact))
}

/// What a failed charge of a subscription says, or its end.
pub(super) fn of_change(kind: &str, subscription: Subscription) -> Option<Told> {
    custom(&subscription.custom_id?)?;
    let fact = match kind {
        "BILLING.SUBSCRIPTION.PAYMENT.FAILED" => GatewayFact::SubscriptionFailed,
        _ => GatewayFact::SubscriptionEnded,
    };
    Some(Told::of_subscription(subscription.id, fact))
}

/// Returns what PayPal answers; `None` if it does not know what was asked for.
fn known<T>(answer: Result<T, GatewayError>) -> Result<Option<T>, GatewayError> {
    match answer {
        Err(GatewayError::Refused(why)) if is_unknown(&why) => Ok(None),
        answer => answer.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(at: &str, custom: Option<&str>) -> Sale {
        let sale = json!({
            "id": "SALE1",
            "amount": { "total": "19.90", "currency": "EUR" },
            "billing_agreement_id": "I-1",
            "create_time": at,
            "custom": custom,
        });
        serde_json::from_value(sale).unwrap()
    }

    #[test]
    fn money_before_the_first_charge_is_the_payment_of_the_checkout() {
        // 2027-01-15T08:00:00Z.
        let custom = Some("payment@1800000000");
        let first = of_sale(sale("2026-12-15T08:00:00Z", custom)).unwrap();
        assert_eq!(
            (first.fact, first.checkout.as_str(), first.reference.as_str()),
            (GatewayFact::Paid, "I-1", "payment")
        );
        assert_eq!((first.transaction.as_deref(), first.amount), (Some("SALE1"), (1990, "EUR".into())));
        // PayPal may charge earlier on that day.
        for at in ["2027-01-15T10:00:00Z", "2027-01-15T02:00:00Z"] {
            let later = of_sale(sale(at, custom)).unwrap();
            assert_eq!((later.fact, later.subscription.as_deref()), (GatewayFact::SubscriptionPaid, Some("I-1")));
            assert_eq!((later.checkout.as_str(), later.reference.as_str()), ("", ""));
        }
        for foreign in ["another program", "payment@", "payment@then"] {
            assert!(of_sale(sale("2027-01-15T10:00:00Z", Some(foreign))).is_none(), "{foreign}");
        }
        let untold = of_sale(sale("2026-12-15T08:00:00Z", None)).unwrap();
        assert_eq!((untold.fact, untold.subscription.as_deref()), (GatewayFact::SubscriptionPaid, Some("I-1")));
    }

    #[test]
    fn a_refund_names_the_sale_and_a_reversal_is_it() {
        let told = |kind: &str, refund: Value| of_refund(kind, serde_json::from_value(refund).unwrap()).unwrap();
        let amount = json!({ "total": "-9.90", "currency": "EUR" });
        let refund = json!({ "id": "REFUND1", "sale_id": "SALE1", "invoice_number": "ours", "amount": amount });
        let made = told("PAYMENT.SALE.REFUNDED", refund);
        let fact = GatewayFact::Refunded { refund: "REFUND1".into(), refund_reference: Some("ours".into()) };
        assert_eq!((made.transaction.as_deref(), made.amount, made.fact), (Some("SALE1"), (990, "EUR".into()), fact));
        let reversed = told("PAYMENT.SALE.REVERSED", json!({ "id": "SALE1", "amount": amount }));
        assert_eq!(reversed.transaction.as_deref(), Some("SALE1"));
        assert_eq!(reversed.fact, GatewayFact::Reversed { reversal: "SALE1".into() });
    }
}
