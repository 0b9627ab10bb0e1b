//! What others learn of orders: the viewer's data, and what notifications name and mails say.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::accounts::viewer;
use crate::catalog::CourseId;
use crate::graphql::Result;
use crate::graphql::export::{FETCH, items};
use crate::graphql::money::Money;
use crate::orders::model::{Gift, Order, OrderId, OrderItem, OrderItemId, OrderItemKind, Receipt};
use crate::orders::query::{donation, gift, list, order as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;

/// Returns the viewer's orders, for the export of their data.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let (user, mut conn) = (viewer(actor)?, app.db.read().await?);
    let rows = list::latest_of(&mut conn, user, FETCH).await?;
    let ids: Vec<OrderId> = rows.iter().map(|row| row.id).collect();
    let mut bought: HashMap<OrderId, Vec<OrderItem>> = HashMap::new();
    for item in query::items_of(&mut conn, &ids).await? {
        bought.entry(item.order_id).or_default().push(item);
    }
    let mut given: HashMap<OrderItemId, Gift> = HashMap::new();
    for gift in gift::of_orders(&mut conn, &ids).await? {
        given.insert(gift.item_id, gift);
    }
    let claimed = gift::claimed_by(&mut conn, user, FETCH).await?;
    let repeated = donation::latest_of(&mut conn, user, FETCH).await?;
    drop(conn);
    let order = |row: Order| {
        let money = |minor| Money::new(minor, row.currency).to_string();
        let lines = bought.remove(&row.id).unwrap_or_default();
        let line = |item: &OrderItem| {
            let gift = given.get(&item.id).map(|gift| {
                json!({ "recipientEmail": gift.recipient_email, "message": gift.message, "sendAt": gift.send_at })
            });
            json!({ "title": item.title, "amount": money(item.amount_minor), "gift": gift })
        };
        json!({
            "id": row.id.encode(),
            "number": row.number.to_string(),
            "status": row.status,
            "country": row.country,
            "billing": {
                "name": row.billing_name, "address": row.billing_address, "taxId": row.billing_tax_id,
            },
            "items": lines.iter().map(line).collect::<Vec<_>>(),
            "total": money(row.total_minor),
            "refunded": money(row.refunded_minor),
            "createdAt": row.created_at,
            "paidAt": row.paid_at,
        })
    };
    let claimed = claimed.into_iter().map(|gift| json!({ "id": gift.id.encode(), "claimedAt": gift.claimed_at }));
    let repeated = repeated.into_iter().map(|row| {
        json!({
            "id": row.id.encode(),
            "amount": Money::new(row.amount_minor, row.currency).to_string(),
            "country": row.country,
            "createdAt": row.created_at,
            "startedAt": row.started_at,
            "nextAt": row.next_at,
            "endedAt": row.ended_at,
        })
    });
    Ok(json!({
        "orders": items(rows.into_iter().map(order)),
        "claimedGifts": items(claimed),
        "donations": items(repeated),
    }))
}

/// Returns the courses that an order has for its buyer, in the order of its items.
///
/// # Errors
/// The database failed.
pub async fn courses_of(app: &App, order: OrderId) -> std::result::Result<Vec<CourseId>, InternalError> {
    let items = query::items_of(&mut *app.db.read().await?, &[order]).await?;
    let own = items.into_iter().filter(|item| item.kind == OrderItemKind::Course);
    Ok(own.filter_map(|item| item.course_id).collect())
}

/// Returns what the receipt of an order says; `None` unless it is paid.
///
/// # Errors
/// The database failed.
pub async fn receipt_of(app: &App, id: OrderId) -> std::result::Result<Option<Receipt>, InternalError> {
    let mut conn = app.db.read().await?;
    let Some(order) = query::by_id(&mut conn, id).await? else { return Ok(None) };
    let Some(paid_at) = order.paid_at else { return Ok(None) };
    let items = query::items_of(&mut conn, &[id]).await?;
    Ok(Some(Receipt::of_order((&order, &items), &app.config.payments.seller, paid_at)))
}
