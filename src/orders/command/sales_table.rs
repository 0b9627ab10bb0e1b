//! What a channel has sold as a table (CSV), for its owner and administrators. It does not show who has bought it.

use futures_util::stream::Stream;

use super::table::{Place, Table, asked, rows, table_url};
use crate::accounts::UserId;
use crate::channels::ChannelById;
use crate::graphql::Result;
use crate::graphql::loaders::Load;
use crate::graphql::money::Money;
use crate::orders::loader::{EarnedBy, ItemById, OrderById};
use crate::orders::model::SaleWhich;
use crate::orders::query::ledger;
use crate::orders::{error, policy};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::csv::{Cell, write_row};
use crate::platform::internal_error::InternalError;

/// Returns the URL of a table of what the channel of an owner has sold, which is valid for an hour, while the actor may
/// see what the channel earns.
///
/// # Errors
/// The actor is neither the owner nor an administrator.
pub fn sales_url(app: &App, actor: &Actor, owner: UserId, which: &SaleWhich) -> Result<String> {
    if !policy::can_see_earnings(actor, owner) {
        return Err(error::earnings_forbidden());
    }
    table_url(app, actor, which)
}

/// Returns a table of what a channel has sold, latest first, batch by batch; `None` if its URL is not valid, or not
/// anymore.
///
/// # Errors
/// The database failed.
pub async fn sales_file(
    app: &App,
    filter: &str,
    token: &str,
) -> std::result::Result<Option<impl Stream<Item = std::result::Result<String, InternalError>> + use<>>, InternalError>
{
    let Some((user, which)) = asked::<SaleWhich>(app, filter, token).await? else { return Ok(None) };
    let channel = ChannelById(which.channel).load_one(app).await?;
    let channel = channel.filter(|channel| policy::still_sees_earnings(&user, channel.owner_id));
    Ok(channel.map(|_| rows(app, which)))
}

impl Table for SaleWhich {
    const NAME: &'static str = "sales";
    const COLUMNS: &'static [&'static str] = &["time", "order", "kind", "item", "currency", "price", "share"];

    async fn append(
        &self,
        app: &App,
        out: &mut String,
        after: Option<Place>,
    ) -> std::result::Result<Option<Place>, InternalError> {
        let sales = ledger::sale_batch(&mut *app.db.read().await?, self, after).await?;
        let keys: Vec<ItemById> = sales.iter().filter_map(|sale| sale.item_id.map(ItemById)).collect();
        let items = ItemById::load(app, &keys).await?;
        let keys: Vec<EarnedBy> = items.keys().map(|ItemById(id)| EarnedBy(*id)).collect();
        let earned = EarnedBy::load(app, &keys).await?;
        let keys: Vec<OrderById> = items.values().map(|item| OrderById(item.order_id)).collect();
        let orders = OrderById::load(app, &keys).await?;
        for sale in &sales {
            let Some(item) = sale.item_id.and_then(|id| items.get(&ItemById(id))) else { continue };
            let order = orders.get(&OrderById(item.order_id)).map(|order| order.number.to_string());
            let (price, share) = earned.get(&EarnedBy(item.id)).copied().unwrap_or_default();
            let decimal = |minor: i64| Money::new(minor, sale.currency).decimal().to_string();
            write_row(
                out,
                &[
                    Cell::Plain(&sale.recorded_at.to_rfc3339()),
                    Cell::Plain(&order.unwrap_or_default()),
                    Cell::Plain(item.kind.as_str()),
                    Cell::Text(&item.title),
                    Cell::Plain(sale.currency.code()),
                    Cell::Plain(&decimal(price)),
                    Cell::Plain(&decimal(share)),
                ],
            );
        }
        Ok(sales.last().map(|sale| (sale.recorded_at, sale.id)))
    }
}
