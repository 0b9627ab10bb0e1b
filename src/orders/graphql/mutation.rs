//! The mutations of orders.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::order::OrderObject;
use super::refund::RefundObject;
use crate::catalog::CourseObject;
use crate::graphql::context::{actor, app, client, loaders};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::money::{CurrencyCode, Money};
use crate::graphql::sequential::SequentialList;
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::memberships::PlanPriceObject;
use crate::orders::command::{self, Line, Quote};
use crate::orders::model::{
    Amounts, CancelOrderInput, CreateOrderInput, Order, OrderItemKind, QuoteOrderInput, RefundOrderInput,
};

/// What an order would cost, in the schema.
struct OrderQuote(Quote);

/// What an order would cost.
#[Object]
impl OrderQuote {
    /// What would be bought.
    async fn items(&self) -> SequentialList<OrderQuoteItem> {
        let item = |(line, amounts): &(Line, Amounts)| OrderQuoteItem {
            line: line.clone(),
            amounts: *amounts,
            currency: self.0.currency,
        };
        SequentialList(self.0.items.iter().map(item).collect())
    }

    /// The prices of all items, before the discount; without the tax if that is added to them.
    async fn subtotal(&self) -> Sequential<Money> {
        let prices = self.0.items.iter().map(|(line, _)| line.price_minor).sum();
        Sequential(Money::new(prices, self.0.currency))
    }

    /// What the coupon takes off.
    async fn discount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.sum.discount, self.0.currency))
    }

    /// The tax in the total.
    async fn tax(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.sum.tax, self.0.currency))
    }

    /// Whether the tax is in the prices already; otherwise it is added to them.
    async fn is_tax_included(&self) -> bool {
        self.0.tax_included
    }

    /// What the buyer pays: the `expectedTotal` of `createOrder`.
    async fn total(&self) -> Sequential<Money> {
        Sequential(Money::new(self.0.sum.total, self.0.currency))
    }
}

/// An item of a quote.
#[derive(Clone)]
struct OrderQuoteItem {
    line: Line,
    amounts: Amounts,
    currency: CurrencyCode,
}

/// An item of an order that is not placed yet.
#[Object]
impl OrderQuoteItem {
    /// What it is.
    async fn kind(&self) -> OrderItemKind {
        self.line.kind
    }

    /// What it is called.
    async fn title(&self) -> String {
        self.line.title()
    }

    /// The course, also that of a gift; null of other items.
    async fn course(&self) -> Option<Sequential<CourseObject>> {
        self.line.course.clone().map(|course| Sequential(CourseObject(course)))
    }

    /// The price of the membership's plan, which is charged for each interval; null for other items. A first amount of
    /// nothing is a trial.
    async fn plan_price(&self) -> Option<Sequential<PlanPriceObject>> {
        let (_, price) = self.line.plan.as_ref()?;
        Some(Sequential(PlanPriceObject(price.clone())))
    }

    /// What the buyer pays for it: the price without the discount, with the tax.
    async fn amount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.amounts.total, self.currency))
    }

    /// What the coupon takes off its price.
    async fn discount(&self) -> Sequential<Money> {
        Sequential(Money::new(self.amounts.discount, self.currency))
    }

    /// The tax in the amount.
    async fn tax(&self) -> Sequential<Money> {
        Sequential(Money::new(self.amounts.tax, self.currency))
    }
}

/// The payload of `quoteOrder`.
#[derive(SimpleObject)]
struct QuoteOrderPayload {
    /// What the order would cost; null if there are `userErrors`.
    order_quote: Option<Sequential<OrderQuote>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Create;
struct Cancel;

/// The payload of a mutation of an order.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateOrderPayload", params(Create)))]
#[graphql(concrete(name = "CancelOrderPayload", params(Cancel)))]
struct OrderPayload<M: Send + Sync> {
    /// The order; null if there are `userErrors`.
    order: Option<Sequential<OrderObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of `refundOrder`.
#[derive(SimpleObject)]
struct RefundOrderPayload {
    /// The order; null if there are `userErrors`.
    order: Option<Sequential<OrderObject>>,
    /// The refund; null if there are `userErrors`.
    refund: Option<Sequential<RefundObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of orders.
#[derive(Default)]
pub(super) struct OrderMutation;

#[Object]
impl OrderMutation {
    /// Returns what an order would cost, and changes nothing.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn quote_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to buy.")] input: QuoteOrderInput,
    ) -> Result<Option<Sequential<QuoteOrderPayload>>> {
        let (quote, user_errors) = payload(command::quote_order(loaders(ctx), actor(ctx), input).await)?;
        let order_quote = quote.map(|quote| Sequential(OrderQuote(quote)));
        Ok(Some(Sequential(QuoteOrderPayload { order_quote, user_errors })))
    }

    /// Places an order at the prices of now. Send the buyer to its `checkoutUrl` to pay; follow `orderChanged` to see
    /// when the money has arrived, which gives access. An order that costs nothing is paid at once. What the viewer has
    /// for good, or has ordered and not paid yet, is not sold to them again.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn create_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to buy, and the total that the buyer was shown.")] input: CreateOrderInput,
    ) -> Result<Option<Sequential<OrderPayload<Create>>>> {
        answer(command::create_order(loaders(ctx), actor(ctx), input).await)
    }

    /// Cancels an order that waits for its payment; administrators may cancel any, also one whose payment the provider
    /// processes. If money arrives nevertheless, it pays for the order after all, or goes back by itself if the course
    /// was bought otherwise.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to cancel.")] input: CancelOrderInput,
    ) -> Result<Option<Sequential<OrderPayload<Cancel>>>> {
        answer(command::cancel_order(app(ctx), actor(ctx), input).await)
    }

    /// Refunds an order, some of its items, or a part of the money. The access to an item ends when its whole price was
    /// refunded. The provider is told in the background. The audit trail records it.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn refund_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order, and what to refund of it.")] input: RefundOrderInput,
    ) -> Result<Option<Sequential<RefundOrderPayload>>> {
        let (made, user_errors) = payload(command::refund_order(app(ctx), actor(ctx), client(ctx), input).await)?;
        let made = made.map(|(order, refund)| (Arc::new(order), refund));
        let refund = made.clone().map(|(order, refund)| Sequential(RefundObject::new(refund, order)));
        let order = made.map(|(order, _)| Sequential(OrderObject(order)));
        Ok(Some(Sequential(RefundOrderPayload { order, refund, user_errors })))
    }
}

fn answer<M: Send + Sync>(outcome: Result<Order>) -> Result<Option<Sequential<OrderPayload<M>>>> {
    let (row, user_errors) = payload(outcome)?;
    let order = row.map(|row| Sequential(OrderObject(Arc::new(row))));
    Ok(Some(Sequential(OrderPayload { order, user_errors, mutation: PhantomData })))
}
