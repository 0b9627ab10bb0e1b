//! Payments: how orders are paid at a provider.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use uuid::Uuid;

use super::OrderId;
use crate::graphql::money::CurrencyCode;
use crate::platform::db::schema::payments;
use crate::platform::db::stored_as_text;
use crate::platform::payments::Provider;

/// The shortest time between two questions about a payment.
const SHORTEST_WAIT: TimeDelta = TimeDelta::minutes(1);
/// The longest time between two questions about a payment.
pub(crate) const LONGEST_WAIT: TimeDelta = TimeDelta::hours(12);
/// How long a provider is asked about an open payment.
const PATIENCE: TimeDelta = TimeDelta::days(30);

/// How an order is paid. Amounts are in minor units.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
pub struct Payment {
    /// The id, which the provider knows the payment by.
    pub id: Uuid,
    /// The order.
    pub order_id: OrderId,
    /// The provider.
    pub provider: Provider,
    /// The school's account at the provider.
    pub(crate) account: String,
    /// The state.
    pub state: PaymentState,
    /// The amount.
    pub amount_minor: i64,
    /// The currency.
    pub currency: CurrencyCode,
    /// The provider's id of the checkout.
    pub external_id: Option<String>,
    /// The page on which the buyer pays.
    pub checkout_url: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The provider's id of the money that has arrived, which its refunds and disputes name.
    pub(crate) transaction_id: Option<String>,
    /// The checkout that it is charged to, without a page; `None` if the buyer pays on a page.
    pub authorization_id: Option<String>,
    /// When the subscription charges for the first time that its checkout starts; `None` if it starts none.
    pub(crate) subscription_starts_at: Option<DateTime<Utc>>,
}

impl Payment {
    /// Returns when the provider is not asked anymore. What it still processes then counts as not paid.
    pub(crate) fn given_up_at(&self) -> DateTime<Utc> {
        self.created_at + PATIENCE
    }

    /// Returns when the provider is asked again what has become of it; `None` if it is not asked anymore.
    ///
    /// The older the payment, the less often.
    pub(crate) fn next_check(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let age = now - self.created_at;
        (age < PATIENCE).then(|| now + (age / 2).clamp(SHORTEST_WAIT, LONGEST_WAIT))
    }
}

/// The state of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum PaymentState {
    /// Its checkout is to be created at the provider.
    Creating,
    /// Its checkout is open.
    Open,
    /// It is paid.
    Paid,
    /// It has failed for good.
    Failed,
    /// The provider is not asked about it anymore.
    Abandoned,
}

impl PaymentState {
    /// Whether it is not known yet what becomes of it.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, PaymentState::Creating | PaymentState::Open)
    }
}

stored_as_text!(PaymentState {
    Creating = "CREATING",
    Open = "OPEN",
    Paid = "PAID",
    Failed = "FAILED",
    Abandoned = "ABANDONED",
});

/// A payment to insert.
#[derive(Insertable)]
#[diesel(table_name = payments)]
pub(crate) struct NewPayment<'a> {
    pub id: Uuid,
    pub order_id: OrderId,
    pub provider: Provider,
    pub(crate) account: &'a str,
    pub state: PaymentState,
    pub amount_minor: i64,
    pub currency: CurrencyCode,
    pub created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) check_at: Option<DateTime<Utc>>,
    pub authorization_id: Option<&'a str>,
    pub(crate) subscription_starts_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_payment_is_asked_about_less_often_and_in_the_end_not_anymore() {
        let made = DateTime::UNIX_EPOCH;
        let payment = Payment {
            id: Uuid::nil(),
            order_id: OrderId::new(Uuid::nil()),
            provider: Provider::Sandbox,
            account: String::new(),
            state: PaymentState::Open,
            amount_minor: 1,
            currency: CurrencyCode::USD,
            external_id: None,
            checkout_url: None,
            created_at: made,
            transaction_id: None,
            authorization_id: None,
            subscription_starts_at: None,
        };
        for (age, wait) in [
            (TimeDelta::zero(), Some(TimeDelta::minutes(1))),
            (TimeDelta::minutes(10), Some(TimeDelta::minutes(5))),
            (TimeDelta::days(3), Some(TimeDelta::hours(12))),
            (TimeDelta::days(30), None),
        ] {
            let now = made + age;
            assert_eq!(payment.next_check(now), wait.map(|wait| now + wait), "{age}");
        }
    }
}
