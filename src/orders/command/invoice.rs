//! Issues invoices and credit notes, each once and with the next number of its series.

use chrono::TimeDelta;

use super::invoice_pdf::pdf;
use crate::accounts::{UserById, UserId};
use crate::graphql::loaders::Load;
use crate::orders::model::{Invoice, InvoiceContent, OrderId, Refund, RefundId, RefundItem};
use crate::orders::query::{invoice as rows, order as query, refund};
use crate::platform::App;
use crate::platform::auth::{Link, Proof};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;

/// How long the URL of an invoice is valid.
const URL_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// What the URL of an invoice proves.
const STATE: &str = "invoice";

/// Issues the invoice of a paid order, once. What costs nothing has none.
///
/// # Errors
/// The database failed.
pub(crate) async fn issue_invoice(app: &App, order: OrderId, buyer: UserId) -> Result<(), InternalError> {
    let buyer = name_of(app, buyer).await?;
    app.db.transaction(async |tx| issue(tx, app, order, &buyer).await.map(drop)).await
}

/// Issues the credit note of a refund that is done, once. Its order's invoice comes first. Money that came too late to pay for an
/// order goes back without either.
///
/// # Errors
/// The database failed.
pub(crate) async fn issue_credit_note(
    app: &App,
    (order, id): (OrderId, RefundId),
    buyer: UserId,
) -> Result<(), InternalError> {
    let buyer = name_of(app, buyer).await?;
    app.db
        .transaction(async |tx| {
            let Some(invoice) = issue(tx, app, order, &buyer).await? else { return Ok(()) };
            let Some(refund) = refund::by_ids(tx.conn(), &[id]).await?.pop() else { return Ok(()) };
            let series = &app.config.payments.credit_note_prefix;
            rows::lock_series(tx, series).await?;
            let all = refund::of_orders(tx.conn(), &[order]).await?;
            let all: Vec<RefundId> = all.iter().map(|refund| refund.id).collect();
            let earlier = rows::of_refunds(tx.conn(), &all).await?;
            let earlier: Vec<RefundId> = earlier.iter().filter_map(|note| note.refund_id).collect();
            if earlier.contains(&id) {
                return Ok(());
            }
            let content = credited(tx, &refund, &earlier, &invoice).await?;
            let number = rows::next_number(tx, series).await?;
            rows::insert(tx, new(app, (series, number), (order, Some(id)), &content)?).await?;
            Ok(())
        })
        .await
}

async fn name_of(app: &App, buyer: UserId) -> Result<String, InternalError> {
    Ok(UserById(buyer).load_one(app).await?.map(|buyer| buyer.name.clone()).unwrap_or_default())
}

/// Issues the invoice of an order that was paid with money, unless it has one; returns it.
async fn issue(tx: &mut Tx, app: &App, id: OrderId, buyer: &str) -> Result<Option<Invoice>, InternalError> {
    let Some(order) = query::by_id(tx.conn(), id).await? else { return Ok(None) };
    let Some(paid_at) = order.paid_at.filter(|_| order.total_minor > 0) else { return Ok(None) };
    if let Some(known) = rows::of_orders(tx.conn(), &[order.id]).await?.pop() {
        return Ok(Some(known));
    }
    let settings = &app.config.payments;
    rows::lock_series(tx, &settings.invoice_prefix).await?;
    // Another worker may have issued it before this one got the lock.
    if let Some(known) = rows::of_orders(tx.conn(), &[order.id]).await?.pop() {
        return Ok(Some(known));
    }
    let number = rows::next_number(tx, &settings.invoice_prefix).await?;
    let items = query::items_of(tx.conn(), &[order.id]).await?;
    let content = InvoiceContent::of_order((&order, &items), &settings.seller, buyer, paid_at);
    let new = new(app, (&settings.invoice_prefix, number), (order.id, None), &content)?;
    Ok(Some(rows::insert(tx, new).await?))
}

/// What the credit note of a refund says, after those of `earlier` ones.
async fn credited(
    tx: &mut Tx,
    found: &Refund,
    earlier: &[RefundId],
    invoice: &Invoice,
) -> Result<InvoiceContent, InternalError> {
    let items = query::items_of(tx.conn(), &[found.order_id]).await?;
    let parts = refund::parts_of(tx.conn(), &[found.id]).await?;
    let earlier: Vec<RefundItem> = refund::parts_of(tx.conn(), earlier).await?;
    let content: InvoiceContent = serde_json::from_value(invoice.content.clone())?;
    Ok(InvoiceContent::of_refund((found, &parts), &earlier, &items, (invoice, content)))
}

fn new(
    app: &App,
    (series, number): (&str, i64),
    (order_id, refund_id): (OrderId, Option<RefundId>),
    content: &InvoiceContent,
) -> Result<Invoice, InternalError> {
    Ok(Invoice {
        id: app.clock.uuid(),
        series: series.to_owned(),
        number,
        order_id,
        refund_id,
        issued_at: app.clock.now(),
        content: serde_json::to_value(content)?,
    })
}

/// The URL of an invoice as a document, which is valid for an hour.
pub fn invoice_url(app: &App, invoice: &Invoice) -> String {
    let token = app.codes.link(Proof::Download, invoice.id, app.clock.now() + URL_LIFETIME, STATE);
    format!("{}/invoices/{}?token={token}", app.config.public_url, file_name(invoice))
}

/// The name of the file, without the slashes of a prefix.
fn file_name(invoice: &Invoice) -> String {
    format!("{}.pdf", invoice.name().replace('/', "-"))
}

/// Returns the document of an invoice; `None` if the token of its URL is not valid, or not anymore.
///
/// # Errors
/// The database failed.
pub async fn invoice_file(app: &App, token: &str) -> Result<Option<Vec<u8>>, InternalError> {
    let link = Link::parse(token).filter(|link| app.codes.is_link(link, Proof::Download, STATE, app.clock.now()));
    let Some(Link { id, .. }) = link else { return Ok(None) };
    let Some(invoice) = rows::by_id(&mut *app.db.read().await?, id).await? else { return Ok(None) };
    // On a blocking thread, because it takes milliseconds.
    Ok(Some(tokio::task::spawn_blocking(move || pdf(&invoice)).await??))
}
