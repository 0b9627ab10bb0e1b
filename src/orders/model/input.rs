//! The inputs of the mutations.

use async_graphql::{InputObject, OneofObject};

use super::{GiftInput, OrderId, OrderItemId, PaymentEventId};
use crate::catalog::CourseId;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::graphql::{Idempotency, YearMonth};
use crate::memberships::PlanPriceId;
use crate::platform::payments::Provider;

/// Something to buy.
#[derive(Clone, Debug, OneofObject)]
pub enum OrderItemInput {
    /// Access to this course, for good.
    CourseId(CourseId),
    /// A course for another person.
    Gift(GiftInput),
    /// A donation of this amount, at least 1 in the main unit of the order's currency; at most one in an order. It is
    /// not taxed, and coupons are not for it.
    Donation(MoneyInput),
    /// The same, of this amount now and each month until it is canceled. Where the provider cannot charge again, each
    /// month is paid on a page. It ends when three in succession are not paid.
    MonthlyDonation(MoneyInput),
    /// A membership at this price of a plan, which is renewed until it is canceled. It is ordered by itself. If the
    /// viewer's membership is past due, this pays for its next period.
    PlanPriceId(PlanPriceId),
    /// Extra hours of live classes for a month, at the price of the viewer's membership; once in an order. A coupon for
    /// everything is for them, too.
    ExtraHours(ExtraHoursInput),
}

/// Extra hours of live classes for a month.
#[derive(Clone, Debug, InputObject)]
pub struct ExtraHoursInput {
    /// How many, at least 1. The plan of the membership says how many may be bought for a month: its `maxExtraHours`.
    pub(crate) hours: i32,
    /// The month in which they count: the current one in the time zone of the school, which is the default, or the
    /// next.
    pub month: Option<YearMonth>,
}

/// Where the buyer is, and in what they pay.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct BillingInput {
    /// The buyer's country: two capital letters of ISO 3166-1, such as `DE`.
    pub(crate) country: String,
    /// The currency to pay in. Each item must have a price in it.
    pub currency: CurrencyCode,
    /// Whom the invoice is for, at most 200 characters; omit for the buyer's name.
    pub name: Option<String>,
    /// The address on the invoice, in lines, at most 500 characters.
    pub(crate) address: Option<String>,
    /// The tax number of a company, such as a VAT ID, for the invoice, at most 50 characters. It changes no tax, except
    /// where Stripe Tax says what tax is due, which takes a VAT ID of the European Union into account.
    pub(crate) tax_id: Option<String>,
}

/// The input of `quoteOrder`.
#[derive(Clone, Debug, InputObject)]
pub struct QuoteOrderInput {
    /// What to buy, 1 to 20 items, each course once.
    pub items: Vec<OrderItemInput>,
    /// Where the buyer is, and in what they pay.
    pub(crate) billing: BillingInput,
    /// The code of a coupon; case does not matter.
    pub coupon_code: Option<String>,
}

/// The input of `createOrder`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateOrderInput {
    /// What to buy, 1 to 20 items, each course once.
    pub items: Vec<OrderItemInput>,
    /// Where the buyer is, and in what they pay.
    pub(crate) billing: BillingInput,
    /// The code of a coupon; case does not matter.
    pub coupon_code: Option<String>,
    /// The total that the buyer was shown, as `quoteOrder` returns it. If it is another one now, nothing is ordered.
    pub(crate) expected_total: MoneyInput,
    /// The provider to pay at, one of `paymentProviders`; may be omitted if there is only one.
    pub provider: Option<Provider>,
    /// The page of your site to which the checkout leads back, at most 2,000 characters. Only origins that the server
    /// allows.
    pub(crate) return_url: Option<String>,
    /// Identifies this request.
    #[graphql(flatten)]
    pub(crate) once: Idempotency,
}

/// The input of `cancelOrder`.
#[derive(Clone, Debug, InputObject)]
pub struct CancelOrderInput {
    /// The order.
    pub order_id: OrderId,
}

/// The input of `refundOrder`. Without `itemIds` and `amount`, all that is left is refunded.
#[derive(Clone, Debug, InputObject)]
pub struct RefundOrderInput {
    /// The order.
    pub order_id: OrderId,
    /// The items to refund; omit for all.
    pub(crate) item_ids: Option<Vec<OrderItemId>>,
    /// The amount, which is spread over the items in proportion to what is left of them; omit for all that is left. An
    /// item of which nothing is left ends its access.
    pub amount: Option<MoneyInput>,
    /// The reason, which the buyer is told, 1 to 500 characters.
    pub reason: String,
    /// Identifies this request.
    #[graphql(flatten)]
    pub(crate) once: Idempotency,
}

/// The input of `replayPaymentEvent`.
#[derive(Clone, Debug, InputObject)]
pub struct ReplayPaymentEventInput {
    /// The event, which is not processed.
    pub(crate) payment_event_id: PaymentEventId,
}
