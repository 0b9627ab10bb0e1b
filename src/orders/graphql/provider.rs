//! The payment providers in the schema.

use async_graphql::{Context, Object};

use crate::graphql::context::app;
use crate::graphql::guard::public;
use crate::platform::payments::Provider;

/// The payment providers.
#[derive(Default)]
pub(super) struct ProviderQuery;

#[Object]
impl ProviderQuery {
    /// The providers that take payments, for the `provider` of `createOrder`; empty if nothing is sold that costs
    /// anything.
    #[graphql(directive = public::apply())]
    async fn payment_providers(&self, ctx: &Context<'_>) -> Vec<Provider> {
        app(ctx).payments.available()
    }
}
