//! Orders of a demo school.

use super::create::create_order;
use crate::catalog::Course;
use crate::graphql::loaders::Loaders;
use crate::graphql::money::{CurrencyCode, Money, MoneyInput};
use crate::graphql::{Error, Idempotency, Result};
use crate::memberships::PlanPrice;
use crate::orders::model::{BillingInput, CreateOrderInput, OrderItemInput};
use crate::orders::query::payment;
use crate::platform::auth::Actor;
use crate::platform::payments::Provider;
use crate::platform::payments::sandbox::{self, Action};

/// Orders a course for a user as `createOrder` does, and pays in the sandbox if that is asked for: its webhook comes
/// when the server runs. A course that the user has, or has ordered, is left out, and without a sandbox nothing is
/// ordered. For the command line.
///
/// # Errors
/// The database failed.
pub async fn import(loaders: &Loaders, buyer: &Actor, course: &Course, is_paid: bool) -> Result<()> {
    let price = Money::new(course.price_minor, course.currency);
    place(loaders, buyer, OrderItemInput::CourseId(course.id), (price, course.currency), is_paid).await
}

/// Orders a membership for a user as `createOrder` does, and pays in the sandbox unless it begins with a trial: its
/// webhook comes when the server runs. One that the user has is left out. For the command line.
///
/// # Errors
/// The database failed.
pub async fn import_membership(loaders: &Loaders, buyer: &Actor, price: &PlanPrice) -> Result<()> {
    let first = if price.trial_days > 0 { Money::new(0, price.currency) } else { price.amount() };
    place(loaders, buyer, OrderItemInput::PlanPriceId(price.id), (first, price.currency), true).await
}

async fn place(
    loaders: &Loaders,
    buyer: &Actor,
    item: OrderItemInput,
    (total, currency): (Money, CurrencyCode),
    is_paid: bool,
) -> Result<()> {
    if loaders.app().payments.sandbox().is_none() {
        return Ok(());
    }
    let input = CreateOrderInput {
        items: vec![item],
        billing: BillingInput { country: "DE".into(), currency, name: None, address: None, tax_id: None },
        coupon_code: None,
        provider: Some(Provider::Sandbox),
        expected_total: MoneyInput::of(total),
        return_url: None,
        once: Idempotency::default(),
    };
    let order = match create_order(loaders, buyer, input).await {
        Ok(order) => order,
        Err(Error::Invalid(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let app = loaders.app();
    let made = payment::of_orders(&mut *app.db.read().await?, &[order.id]).await?.pop();
    let checkout = made.and_then(|payment| payment.external_id).and_then(|id| id.parse().ok());
    if let Some(checkout) = checkout.filter(|_| is_paid) {
        sandbox::act(app, checkout, Action::Pay).await?;
    }
    Ok(())
}
