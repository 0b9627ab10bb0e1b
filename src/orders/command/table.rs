//! The list of orders as a table (CSV), for administrators.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, Stream};
use uuid::Uuid;

use crate::accounts::{UserById, UserId, viewer};
use crate::graphql::Result;
use crate::graphql::loaders::Load;
use crate::graphql::money::Money;
use crate::orders::error;
use crate::orders::model::{Order, OrderId, OrderWhich};
use crate::orders::policy;
use crate::orders::query::{invoice, list, order as query};
use crate::platform::App;
use crate::platform::auth::{Actor, Link, Proof, Role};
use crate::platform::csv::{Cell, write_row};
use crate::platform::internal_error::InternalError;

/// How long the URL of a table is valid.
const URL_LIFETIME: TimeDelta = TimeDelta::hours(1);
const COLUMNS: [&str; 14] = [
    "order", "status", "created", "paid", "buyer", "email", "country", "currency", "items", "discount", "tax", "total",
    "refunded", "invoice",
];

/// What the URL of a table proves: for which filter it is.
fn state(filter: &str) -> String {
    format!("orders/{filter}")
}

/// Returns the URL of a table of orders, which is valid for an hour, while the actor is an administrator.
///
/// # Errors
/// The actor is not an administrator.
pub(in crate::orders) fn orders_url(app: &App, actor: &Actor, which: &OrderWhich) -> Result<String> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    let filter = URL_SAFE_NO_PAD.encode(serde_json::to_vec(which).map_err(InternalError::from)?);
    let until = app.clock.now() + URL_LIFETIME;
    let token = app.codes.link(Proof::Download, viewer(actor)?.uuid(), until, &state(&filter));
    Ok(format!("{}/exports/orders.csv?filter={filter}&token={token}", app.config.public_url))
}

/// Returns a table of orders, latest first, batch by batch; `None` if its URL is not valid, or not anymore.
///
/// # Errors
/// The database failed.
pub async fn orders_file(
    app: &App,
    filter: &str,
    token: &str,
) -> std::result::Result<Option<impl Stream<Item = std::result::Result<String, InternalError>> + use<>>, InternalError>
{
    let link =
        Link::parse(token).filter(|link| app.codes.is_link(link, Proof::Download, &state(filter), app.clock.now()));
    let which: Option<OrderWhich> =
        URL_SAFE_NO_PAD.decode(filter).ok().and_then(|json| serde_json::from_slice(&json).ok());
    let (Some(link), Some(which)) = (link, which) else { return Ok(None) };
    let admin = UserById(UserId::new(link.id)).load_one(app).await?;
    if admin.is_none_or(|admin| admin.role != Role::Admin || admin.deleted_at.is_some()) {
        return Ok(None);
    }
    let app = app.clone();
    Ok(Some(stream::try_unfold(Reading::Begin, move |reading| {
        let (app, which) = (app.clone(), which.clone());
        async move { next_rows(&app, &which, reading).await }
    })))
}

/// How far a table was read.
enum Reading {
    Begin,
    After((DateTime<Utc>, Uuid)),
    End,
}

async fn next_rows(
    app: &App,
    which: &OrderWhich,
    reading: Reading,
) -> std::result::Result<Option<(String, Reading)>, InternalError> {
    let mut out = String::new();
    let after = match reading {
        Reading::Begin => {
            write_row(&mut out, &COLUMNS.map(Cell::Plain));
            None
        }
        Reading::After(key) => Some(key),
        Reading::End => return Ok(None),
    };
    let orders = list::batch(&mut *app.db.read().await?, which, after).await?;
    write_orders(app, &mut out, &orders).await?;
    let last = orders.last().map(|order| (order.created_at, order.id.uuid()));
    Ok(Some((out, last.map_or(Reading::End, Reading::After))))
}

/// Appends a row for each order.
async fn write_orders(app: &App, out: &mut String, orders: &[Order]) -> std::result::Result<(), InternalError> {
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let mut titles: HashMap<OrderId, Vec<String>> = HashMap::new();
    let mut conn = app.db.read().await?;
    for item in query::items_of(&mut conn, &ids).await? {
        titles.entry(item.order_id).or_default().push(item.title);
    }
    let invoices = invoice::of_orders(&mut conn, &ids).await?;
    drop(conn);
    let invoices: HashMap<OrderId, String> = invoices.iter().map(|row| (row.order_id, row.name())).collect();
    let keys: Vec<UserById> = orders.iter().map(|order| UserById(order.buyer_id)).collect();
    let buyers = UserById::load(app, &keys).await?;
    for order in orders {
        let money = |minor| Money::new(minor, order.currency).decimal().to_string();
        let buyer = buyers.get(&UserById(order.buyer_id)).filter(|buyer| buyer.deleted_at.is_none());
        write_row(
            out,
            &[
                Cell::Plain(&order.number.to_string()),
                Cell::Plain(order.status.as_str()),
                Cell::Plain(&order.created_at.to_rfc3339()),
                Cell::Plain(&order.paid_at.map(|at| at.to_rfc3339()).unwrap_or_default()),
                Cell::Text(buyer.map_or("", |buyer| buyer.name.as_str())),
                Cell::Text(buyer.map_or("", |buyer| buyer.email.as_str())),
                Cell::Plain(&order.country),
                Cell::Plain(order.currency.code()),
                Cell::Text(&titles.remove(&order.id).unwrap_or_default().join("; ")),
                Cell::Plain(&money(order.discount_minor)),
                Cell::Plain(&money(order.tax_minor)),
                Cell::Plain(&money(order.total_minor)),
                Cell::Plain(&money(order.refunded_minor)),
                Cell::Text(invoices.get(&order.id).map_or("", String::as_str)),
            ],
        );
    }
    Ok(())
}
