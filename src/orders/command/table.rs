//! Lists as tables (CSV), which are fetched by a signed URL; and the one of orders, for administrators.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::accounts::{User, UserById, UserId, viewer};
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

/// The place of a row in a table: its time and its id.
pub(super) type Place = (DateTime<Utc>, Uuid);

/// What a table has in it. It is part of the table's URL, and is signed with it.
pub(super) trait Table: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The name of the file. It is signed, too, so that a URL is for one kind of table only.
    const NAME: &'static str;
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// Appends the next rows to `out`, latest first, after the one at a place; returns the place of the last one.
    fn append(
        &self,
        app: &App,
        out: &mut String,
        after: Option<Place>,
    ) -> impl Future<Output = std::result::Result<Option<Place>, InternalError>> + Send;
}

/// What the URL of a table proves: for which filter it is.
fn state<T: Table>(filter: &str) -> String {
    format!("{}/{filter}", T::NAME)
}

/// Returns the URL of a table, which is valid for an hour. The caller has checked that the actor may have it.
///
/// # Errors
/// The actor is not signed in.
pub(super) fn table_url<T: Table>(app: &App, actor: &Actor, table: &T) -> Result<String> {
    let filter = URL_SAFE_NO_PAD.encode(serde_json::to_vec(table).map_err(InternalError::from)?);
    let until = app.clock.now() + URL_LIFETIME;
    let token = app.codes.link(Proof::Download, viewer(actor)?.uuid(), until, &state::<T>(&filter));
    Ok(format!("{}/exports/{}.csv?filter={filter}&token={token}", app.config.public_url, T::NAME))
}

/// Returns who has asked for a table, and for which one; `None` if its URL is not valid, or not anymore. The caller
/// checks that the user may still have it.
///
/// # Errors
/// The database failed.
pub(super) async fn asked<T: Table>(
    app: &App,
    filter: &str,
    token: &str,
) -> std::result::Result<Option<(Arc<User>, T)>, InternalError> {
    let link = Link::parse(token)
        .filter(|link| app.codes.is_link(link, Proof::Download, &state::<T>(filter), app.clock.now()));
    let table: Option<T> = URL_SAFE_NO_PAD.decode(filter).ok().and_then(|json| serde_json::from_slice(&json).ok());
    let (Some(link), Some(table)) = (link, table) else { return Ok(None) };
    let user = UserById(UserId::new(link.id)).load_one(app).await?;
    Ok(user.filter(|user| user.is_active(app.clock.now())).map(|user| (user, table)))
}

/// Returns the rows of a table, batch by batch.
pub(super) fn rows<T: Table>(
    app: &App,
    table: T,
) -> impl Stream<Item = std::result::Result<String, InternalError>> + Send + use<T> {
    let app = app.clone();
    stream::try_unfold(Reading::Begin, move |reading| {
        let (app, table) = (app.clone(), table.clone());
        async move { next_rows(&app, &table, reading).await }
    })
}

/// How far a table was read.
enum Reading {
    Begin,
    After(Place),
    End,
}

async fn next_rows<T: Table>(
    app: &App,
    table: &T,
    reading: Reading,
) -> std::result::Result<Option<(String, Reading)>, InternalError> {
    let mut out = String::new();
    let after = match reading {
        Reading::Begin => {
            let names: Vec<Cell<'_>> = T::COLUMNS.iter().map(|name| Cell::Plain(name)).collect();
            write_row(&mut out, &names);
            None
        }
        Reading::After(place) => Some(place),
        Reading::End => return Ok(None),
    };
    let last = table.append(app, &mut out, after).await?;
    Ok(Some((out, last.map_or(Reading::End, Reading::After))))
}

/// Returns the URL of a table of orders, which is valid for an hour, while the actor is an administrator.
///
/// # Errors
/// The actor is not an administrator.
pub fn orders_url(app: &App, actor: &Actor, which: &OrderWhich) -> Result<String> {
    if !policy::can_manage(actor) {
        return Err(error::only_administrators());
    }
    table_url(app, actor, which)
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
    let asked = asked::<OrderWhich>(app, filter, token).await?;
    Ok(asked.filter(|(user, _)| user.role == Role::Admin).map(|(_, which)| rows(app, which)))
}

impl Table for OrderWhich {
    const NAME: &'static str = "orders";
    const COLUMNS: &'static [&'static str] = &[
        "order", "status", "created", "paid", "buyer", "email", "country", "currency", "items", "discount", "tax",
        "total", "refunded", "invoice",
    ];

    async fn append(
        &self,
        app: &App,
        out: &mut String,
        after: Option<Place>,
    ) -> std::result::Result<Option<Place>, InternalError> {
        let orders = list::batch(&mut *app.db.read().await?, self, after).await?;
        write_orders(app, out, &orders).await?;
        Ok(orders.last().map(|order| (order.created_at, order.id.uuid())))
    }
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
