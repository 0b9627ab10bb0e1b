//! SQL for the URL slugs of channels.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::channels::model::{Channel, ChannelId, slug_key};
use crate::platform::clock::Clock;
use crate::platform::db::schema::{channel_slugs, channels};
use crate::platform::db::{RunQueryDsl, Tx};

/// Makes a slug from a name, with room for a number.
pub(crate) fn slug_base(name: &str) -> String {
    let base: String = ::slug::slugify(name).chars().take(70).collect();
    match base.trim_matches('-') {
        "" => "channel".into(),
        base => base.to_owned(),
    }
}

/// Returns the channels that have or had one of these slugs, each with that slug.
pub(crate) async fn channels_once_called(
    mut conn: &AsyncPgConnection,
    slugs: &[&str],
) -> QueryResult<Vec<(String, Channel)>> {
    channel_slugs::table
        .inner_join(channels::table)
        .filter(channel_slugs::slug.eq_any(slugs))
        .select((channel_slugs::slug, Channel::as_select()))
        .load(&mut conn)
        .await
}

/// Reserves a slug for a channel permanently; `false` if another channel has or had it.
///
/// A concurrent reservation of the same slug waits.
pub(crate) async fn take(tx: &mut Tx, clock: &Clock, slug: &str, channel: ChannelId) -> QueryResult<bool> {
    tx.changed(slug_key(slug));
    diesel::insert_into(channel_slugs::table)
        .values((
            channel_slugs::slug.eq(slug),
            channel_slugs::channel_id.eq(channel),
            channel_slugs::taken_at.eq(clock.now()),
        ))
        .on_conflict(channel_slugs::slug)
        .do_nothing()
        .execute(tx.conn())
        .await?;
    let owner: ChannelId = channel_slugs::table.find(slug).select(channel_slugs::channel_id).first(tx.conn()).await?;
    Ok(owner == channel)
}

/// Gives up all slugs of these channels.
pub(crate) async fn release_all(tx: &mut Tx, channels: &[ChannelId]) -> QueryResult<()> {
    let own = channel_slugs::table.filter(channel_slugs::channel_id.eq_any(channels));
    let slugs: Vec<String> = diesel::delete(own).returning(channel_slugs::slug).get_results(tx.conn()).await?;
    slugs.iter().for_each(|slug| tx.changed(slug_key(slug)));
    Ok(())
}
