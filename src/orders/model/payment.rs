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
pub(in crate::orders) const LONGEST_WAIT: TimeDelta = TimeDelta::hours(12);
/// How long a provider is asked about an open payment.
const PATIENCE: TimeDelta = TimeDelta::days(30);

/// How an order is paid. Amounts are in minor units.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
pub(in crate::orders) struct Payment {
    /// The id, which the provider knows the payment by.
    pub(in crate::orders) id: Uuid,
    /// The order.
    pub(in crate::orders) order_id: OrderId,
    /// The provider.
    pub(in crate::orders) provider: Provider,
    /// The school's account at the provider.
    pub(in crate::orders) account: String,
    /// The state.
    pub(in crate::orders) state: PaymentState,
    /// The amount.
    pub(in crate::orders) amount_minor: i64,
    /// The currency.
    pub(in crate::orders) currency: CurrencyCode,
    /// The provider's id of the checkout.
    pub(in crate::orders) external_id: Option<String>,
    /// The page on which the buyer pays.
    pub(in crate::orders) checkout_url: Option<String>,
    /// When it was made.
    pub(in crate::orders) created_at: DateTime<Utc>,
    /// The provider's id of the money that has arrived, which its refunds and disputes name.
    pub(in crate::orders) transaction_id: Option<String>,
    /// The checkout that it is charged to, without a page; `None` if the buyer pays on a page.
    pub(in crate::orders) authorization_id: Option<String>,
    /// When the subscription charges for the first time that its checkout starts; `None` if it starts none.
    pub(in crate::orders) subscription_starts_at: Option<DateTime<Utc>>,
}

impl Payment {
    /// Returns when the provider is not asked anymore. What it still processes then counts as not paid.
    pub(in crate::orders) fn given_up_at(&self) -> DateTime<Utc> {
        self.created_at + PATIENCE
    }

    /// Returns when the provider is asked again what has become of it; `None` if it is not asked anymore.
    ///
    /// The older the payment, the less often.
    pub(in crate::orders) fn next_check(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
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
    pub(in crate::orders) fn is_open(self) -> bool {
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
pub(in crate::orders) struct NewPayment<'a> {
    pub(in crate::orders) id: Uuid,
    pub(in crate::orders) order_id: OrderId,
    pub(in crate::orders) provider: Provider,
    pub(in crate::orders) account: &'a str,
    pub(in crate::orders) state: PaymentState,
    pub(in crate::orders) amount_minor: i64,
    pub(in crate::orders) currency: CurrencyCode,
    pub(in crate::orders) created_at: DateTime<Utc>,
    pub(in crate::orders) updated_at: DateTime<Utc>,
    pub(in crate::orders) check_at: Option<DateTime<Utc>>,
    pub(in crate::orders) authorization_id: Option<&'a str>,
    pub(in crate::orders) subscription_starts_at: Option<DateTime<Utc>>,
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
