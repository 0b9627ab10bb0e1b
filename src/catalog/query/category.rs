//! Categories' SQL.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::catalog::model::CategoryId;
use crate::platform::db::Tx;
use crate::platform::db::schema::categories;

/// Whether there is such a category; if so, it stays until the transaction ends.
pub(in crate::catalog) async fn hold(tx: &mut Tx, id: CategoryId) -> QueryResult<bool> {
    let found = categories::table.find(id).select(categories::id).for_key_share();
    Ok(found.first::<CategoryId>(tx.conn()).await.optional()?.is_some())
}
