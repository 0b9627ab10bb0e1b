//! [`lyceum_orders`], and its part of the schema.

mod graphql;

pub use graphql::{
    EarningsStatement, OrderObject, OrderSubscription, SaleObject, mutations, nodes, queries, viewer_fields,
};
pub(crate) use graphql::{
    channel_earnings, channel_sales, channel_sales_csv_url, checkout_of_period, order_of_entitlement, orders_of,
    orders_of_membership,
};
pub use lyceum_orders::*;
