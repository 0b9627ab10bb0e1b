//! SQL for channels.
//!
//! Each write notes the affected cache keys in its transaction, so that cached values are invalidated.

pub(crate) mod audience;
pub mod deleted;
pub(crate) mod import;
pub mod slug;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::model::{Channel, ChannelId, ChannelInvitation, NOBODYS, channel_key, slug_key, stats_key};
use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::platform::clock::Clock;
use crate::platform::db::schema::{channel_follows, channel_invitations, channel_members, channel_stats, channels};
use crate::platform::db::{RunQueryDsl, Tx, newest_first, sql_query};

/// The maximum number of listed invitations of a user.
const LISTED: i64 = 1000;
/// The maximum number of channels that are found by their names.
const MOST_NAMED: i64 = 500;

/// The number of followers of a deleted channel that are removed at once.
const BATCH: i64 = 1000;

/// The position of a followed channel in a list: when it was followed, and its id.
pub(crate) type FollowKey = (DateTime<Utc>, Uuid);

pub(crate) async fn by_ids(mut conn: &AsyncPgConnection, ids: &[ChannelId]) -> QueryResult<Vec<Channel>> {
    let found = channels::table.filter(channels::id.eq_any(ids).and(channels::deleted_at.is_null()));
    found.select(Channel::as_select()).load(&mut conn).await
}

pub(crate) async fn by_slugs(mut conn: &AsyncPgConnection, slugs: &[&str]) -> QueryResult<Vec<Channel>> {
    let found = channels::table.filter(channels::slug.eq_any(slugs).and(channels::deleted_at.is_null()));
    found.select(Channel::as_select()).load(&mut conn).await
}

/// Returns the channels whose names match a `tsquery`, in the order of their names; at most [`MOST_NAMED`].
pub(crate) async fn named(mut conn: &AsyncPgConnection, query: &str) -> QueryResult<Vec<Channel>> {
    channels::table
        .filter(sql::<Bool>("name_vector(name) @@ ").bind::<Text, _>(query).sql("::tsquery"))
        .filter(channels::deleted_at.is_null())
        .order((sql::<Text>("lower(name)"), channels::id))
        .limit(MOST_NAMED)
        .select(Channel::as_select())
        .load(&mut conn)
        .await
}

/// Returns the members of each of these channels, in the order in which they joined.
pub async fn members(
    mut conn: &AsyncPgConnection,
    ids: &[ChannelId],
) -> QueryResult<Vec<(ChannelId, DateTime<Utc>, UserId)>> {
    channel_members::table
        .filter(channel_members::channel_id.eq_any(ids))
        .order((channel_members::channel_id, channel_members::joined_at, channel_members::user_id))
        .select((channel_members::channel_id, channel_members::joined_at, channel_members::user_id))
        .load(&mut conn)
        .await
}

/// Returns the channels that a user teaches in, with the times of joining, in that order.
pub(crate) async fn taught_in(
    mut conn: &AsyncPgConnection,
    user: UserId,
) -> QueryResult<Vec<(Channel, DateTime<Utc>)>> {
    channel_members::table
        .inner_join(channels::table)
        .filter(channel_members::user_id.eq(user))
        .order((channel_members::joined_at, channels::id))
        .select((Channel::as_select(), channel_members::joined_at))
        .load(&mut conn)
        .await
}

/// Returns the channels that users own, deleted ones included, each with its owner.
pub(crate) async fn owned_by(mut conn: &AsyncPgConnection, owners: &[UserId]) -> QueryResult<Vec<(UserId, ChannelId)>> {
    let owned = channels::table.filter(channels::owner_id.eq_any(owners)).order(channels::id);
    owned.select((channels::owner_id, channels::id)).load(&mut conn).await
}

/// Returns which of these users follow which of these channels.
pub(crate) async fn follows(
    mut conn: &AsyncPgConnection,
    users: &[UserId],
    ids: &[ChannelId],
) -> QueryResult<Vec<(UserId, ChannelId)>> {
    channel_follows::table
        .filter(channel_follows::user_id.eq_any(users))
        .filter(channel_follows::channel_id.eq_any(ids))
        .select((channel_follows::user_id, channel_follows::channel_id))
        .load(&mut conn)
        .await
}

/// Returns a page of the channels that a user follows, with the times, in the page's direction.
pub(crate) async fn followed_by(
    mut conn: &AsyncPgConnection,
    user: UserId,
    page: &Page<FollowKey>,
) -> QueryResult<Vec<(Channel, DateTime<Utc>)>> {
    let (at, id) = (channel_follows::followed_at, channel_follows::channel_id);
    let rows = channel_follows::table
        .inner_join(channels::table)
        .filter(channel_follows::user_id.eq(user).and(channels::deleted_at.is_null()))
        .select((Channel::as_select(), at));
    newest_first!(&mut conn, rows, at, id, page)
}

pub(crate) async fn count_followed(mut conn: &AsyncPgConnection, user: UserId) -> QueryResult<i64> {
    let rows = channel_follows::table.inner_join(channels::table).filter(channel_follows::user_id.eq(user));
    rows.filter(channels::deleted_at.is_null()).count().get_result(&mut conn).await
}

pub(crate) async fn lock(tx: &mut Tx, id: ChannelId) -> QueryResult<Option<Channel>> {
    let channel = channels::table.find(id).filter(channels::deleted_at.is_null()).select(Channel::as_select());
    channel.for_no_key_update().first(tx.conn()).await.optional()
}

/// Locks a channel for its deletion; waits for [`hold`], too, and blocks it.
pub(crate) async fn lock_to_delete(tx: &mut Tx, id: ChannelId) -> QueryResult<Option<Channel>> {
    let channel = channels::table.find(id).filter(channels::deleted_at.is_null()).select(Channel::as_select());
    channel.for_update().first(tx.conn()).await.optional()
}

/// Returns a channel, and prevents its deletion until the transaction ends; edits can go on.
pub(crate) async fn hold(tx: &mut Tx, id: ChannelId) -> QueryResult<Option<Channel>> {
    let channel = channels::table.find(id).filter(channels::deleted_at.is_null()).select(Channel::as_select());
    channel.for_key_share().first(tx.conn()).await.optional()
}

pub(crate) async fn count_owned(tx: &mut Tx, owner: UserId) -> QueryResult<i64> {
    let owned = channels::table.filter(channels::owner_id.eq(owner).and(channels::deleted_at.is_null()));
    owned.count().get_result(tx.conn()).await
}

pub(crate) async fn count_members(tx: &mut Tx, id: ChannelId) -> QueryResult<i64> {
    channel_members::table.filter(channel_members::channel_id.eq(id)).count().get_result(tx.conn()).await
}

/// Returns whether a user teaches in a channel.
pub(crate) async fn teaches_in(tx: &mut Tx, user: UserId, channel: ChannelId) -> QueryResult<bool> {
    let membership = channel_members::table.find((channel, user));
    diesel::select(diesel::dsl::exists(membership)).get_result(tx.conn()).await
}

/// Returns whether a user may edit the courses in a channel because its members may.
pub(crate) async fn edits_courses(tx: &mut Tx, user: UserId, channel: ChannelId) -> QueryResult<bool> {
    let membership = channel_members::table
        .inner_join(channels::table)
        .filter(channel_members::user_id.eq(user).and(channels::id.eq(channel)).and(channels::members_edit))
        .select(channels::id);
    diesel::select(diesel::dsl::exists(membership)).get_result(tx.conn()).await
}

/// Returns the owner's default channel.
pub(crate) async fn default_of(tx: &mut Tx, owner: UserId) -> QueryResult<Option<ChannelId>> {
    let own = channels::table.filter(channels::owner_id.eq(owner).and(channels::is_default));
    own.select(channels::id).first(tx.conn()).await.optional()
}

#[derive(Insertable)]
#[diesel(table_name = channels)]
pub(crate) struct NewChannel<'a> {
    pub slug: &'a str,
    pub name: &'a str,
    pub description: &'a str,
    pub owner_id: UserId,
    pub(crate) is_default: bool,
    pub members_edit: bool,
}

/// Creates a channel with its owner as a member.
///
/// Returns `None` if another channel has or had the slug, or if the owner already has a default channel.
pub(crate) async fn insert(tx: &mut Tx, clock: &Clock, channel: &NewChannel<'_>) -> QueryResult<Option<Channel>> {
    tx.changed(slug_key(channel.slug));
    let (id, now) = (ChannelId::new(clock.uuid()), clock.now());
    if !slug::take(tx, clock, channel.slug, id).await? {
        return Ok(None);
    }
    let made: Option<Channel> = diesel::insert_into(channels::table)
        .values((channels::id.eq(id), channel, channels::created_at.eq(now), channels::updated_at.eq(now)))
        .on_conflict_do_nothing()
        .returning(Channel::as_returning())
        .get_result(tx.conn())
        .await
        .optional()?;
    if let Some(made) = &made {
        diesel::insert_into(channel_stats::table)
            .values(channel_stats::channel_id.eq(made.id))
            .execute(tx.conn())
            .await?;
        join(tx, made.id, channel.owner_id, now).await?;
    } else {
        slug::release_all(tx, &[id]).await?;
    }
    Ok(made)
}

/// Changes of a channel; `None` stays unchanged.
#[derive(AsChangeset, Clone)]
#[diesel(table_name = channels)]
pub(crate) struct ChannelChanges {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub description: Option<String>,
    pub members_edit: Option<bool>,
    pub(crate) updated_at: DateTime<Utc>,
}

pub(crate) async fn update(tx: &mut Tx, id: ChannelId, changes: ChannelChanges) -> QueryResult<Channel> {
    tx.changed(channel_key(id));
    changes.slug.iter().for_each(|slug| tx.changed(slug_key(slug)));
    let channel = diesel::update(channels::table.find(id)).set((changes, channels::version.eq(channels::version + 1)));
    channel.returning(Channel::as_returning()).get_result(tx.conn()).await
}

/// Deletes a channel, except for its followers; of members and invitations there are few. Its slug is free again.
pub(crate) async fn delete(tx: &mut Tx, channel: &Channel, now: DateTime<Utc>) -> QueryResult<()> {
    let id = channel.id;
    tx.changed(channel_key(id));
    slug::release_all(tx, &[id]).await?;
    diesel::delete(channel_invitations::table.filter(channel_invitations::channel_id.eq(id)))
        .execute(tx.conn())
        .await?;
    diesel::delete(channel_members::table.filter(channel_members::channel_id.eq(id))).execute(tx.conn()).await?;
    let nameless = format!("deleted-{}", id.uuid().simple());
    diesel::update(channels::table.find(id))
        .set((channels::slug.eq(nameless), channels::deleted_at.eq(now), channels::updated_at.eq(now)))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Removes a batch of the followers of a deleted channel; returns how many.
pub(crate) async fn forget_followers(tx: &mut Tx, id: ChannelId) -> QueryResult<usize> {
    sql_query(format!(
        "DELETE FROM channel_follows WHERE ctid = ANY (ARRAY( \
            SELECT ctid FROM channel_follows WHERE channel_id = $1 LIMIT {BATCH}))"
    ))
    .bind::<diesel::sql_types::Uuid, _>(id)
    .execute(tx.conn())
    .await
}

/// Sets or removes the file of a channel's image.
pub(crate) async fn set_image(
    tx: &mut Tx,
    id: ChannelId,
    file: Option<Uuid>,
    now: DateTime<Utc>,
) -> QueryResult<Channel> {
    tx.changed(channel_key(id));
    diesel::update(channels::table.find(id))
        .set((channels::image_id.eq(file), channels::version.eq(channels::version + 1), channels::updated_at.eq(now)))
        .returning(Channel::as_returning())
        .get_result(tx.conn())
        .await
}

/// Removes the image of a user's default channel; returns the channel if it had one.
pub(crate) async fn remove_images(tx: &mut Tx, owner: UserId, now: DateTime<Utc>) -> QueryResult<Vec<ChannelId>> {
    let own = channels::table.filter(channels::owner_id.eq(owner).and(channels::is_default));
    let changed: Vec<ChannelId> = diesel::update(own.filter(channels::image_id.is_not_null()))
        .set((channels::image_id.eq(None::<Uuid>), channels::updated_at.eq(now)))
        .returning(channels::id)
        .get_results(tx.conn())
        .await?;
    changed.iter().for_each(|id| tx.changed(channel_key(*id)));
    Ok(changed)
}

/// Adds a user to a channel; 0 if they are already a member.
pub(crate) async fn join(tx: &mut Tx, id: ChannelId, user: UserId, now: DateTime<Utc>) -> QueryResult<usize> {
    tx.changed(channel_key(id));
    diesel::insert_into(channel_members::table)
        .values((
            channel_members::channel_id.eq(id),
            channel_members::user_id.eq(user),
            channel_members::joined_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

pub(crate) async fn leave(tx: &mut Tx, id: ChannelId, user: UserId) -> QueryResult<usize> {
    tx.changed(channel_key(id));
    diesel::delete(channel_members::table.find((id, user))).execute(tx.conn()).await
}

/// Returns the number of pending invitations to a channel.
pub(crate) async fn count_invited(tx: &mut Tx, id: ChannelId) -> QueryResult<i64> {
    channel_invitations::table.filter(channel_invitations::channel_id.eq(id)).count().get_result(tx.conn()).await
}

/// Invites a user to a channel; 0 if they are already invited.
pub(crate) async fn invite(
    tx: &mut Tx,
    id: ChannelId,
    user: UserId,
    by: UserId,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::insert_into(channel_invitations::table)
        .values((
            channel_invitations::channel_id.eq(id),
            channel_invitations::user_id.eq(user),
            channel_invitations::invited_by.eq(by),
            channel_invitations::invited_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

/// Deletes an invitation; 0 if there is none.
pub(crate) async fn uninvite(tx: &mut Tx, id: ChannelId, user: UserId) -> QueryResult<usize> {
    diesel::delete(channel_invitations::table.find((id, user))).execute(tx.conn()).await
}

/// Returns the invitations of a user in the order in which they were sent.
pub(crate) async fn invitations_of(mut conn: &AsyncPgConnection, user: UserId) -> QueryResult<Vec<ChannelInvitation>> {
    channel_invitations::table
        .filter(channel_invitations::user_id.eq(user))
        .order((channel_invitations::invited_at, channel_invitations::channel_id))
        .select(ChannelInvitation::as_select())
        .limit(LISTED)
        .load(&mut conn)
        .await
}

/// Records that a user follows a channel; 0 if they already did.
pub(crate) async fn follow(tx: &mut Tx, id: ChannelId, user: UserId, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::insert_into(channel_follows::table)
        .values((
            channel_follows::user_id.eq(user),
            channel_follows::channel_id.eq(id),
            channel_follows::followed_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(tx.conn())
        .await
}

pub(crate) async fn unfollow(tx: &mut Tx, id: ChannelId, user: UserId) -> QueryResult<usize> {
    diesel::delete(channel_follows::table.find((user, id))).execute(tx.conn()).await
}

/// Returns the channels that a user follows: the `limit` that they followed last.
pub(crate) async fn followed(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<ChannelId>> {
    channel_follows::table
        .filter(channel_follows::user_id.eq(user))
        .order((channel_follows::followed_at.desc(), channel_follows::channel_id.desc()))
        .limit(limit)
        .select(channel_follows::channel_id)
        .load(conn)
        .await
}

/// Adds `more` to a channel's number of followers.
///
/// Call this last in a transaction, because all who follow the channel wait for this row.
pub(crate) async fn count_followers(tx: &mut Tx, id: ChannelId, more: i32) -> QueryResult<usize> {
    tx.changed(stats_key(id));
    diesel::insert_into(channel_stats::table)
        .values((channel_stats::channel_id.eq(id), channel_stats::follower_count.eq(more)))
        // Usually there is a row; a channel that the previous version of the program made has none.
        .on_conflict(channel_stats::channel_id)
        .do_update()
        .set(channel_stats::follower_count.eq(channel_stats::follower_count + more))
        .execute(tx.conn())
        .await
}

/// Returns the numbers of the channels' followers.
pub(crate) async fn follower_counts(
    mut conn: &AsyncPgConnection,
    ids: &[ChannelId],
) -> QueryResult<Vec<(ChannelId, i32)>> {
    channel_stats::table
        .filter(channel_stats::channel_id.eq_any(ids))
        .select((channel_stats::channel_id, channel_stats::follower_count))
        .load(&mut conn)
        .await
}

/// Makes a user unfollow all channels, and returns these.
pub(crate) async fn unfollow_all(tx: &mut Tx, user: UserId) -> QueryResult<Vec<ChannelId>> {
    diesel::delete(channel_follows::table.filter(channel_follows::user_id.eq(user)))
        .returning(channel_follows::channel_id)
        .get_results(tx.conn())
        .await
}

/// Removes a user from the channels of others, and anonymizes their default channel.
///
/// The courses of that channel stay.
pub(crate) async fn forget(tx: &mut Tx, clock: &Clock, user: UserId) -> QueryResult<()> {
    let invitations = channel_invitations::table
        .filter(channel_invitations::user_id.eq(user).or(channel_invitations::invited_by.eq(user)));
    diesel::delete(invitations).execute(tx.conn()).await?;
    let owned = channels::table.filter(channels::owner_id.eq(user)).select(channels::id);
    let others = channel_members::table
        .filter(channel_members::user_id.eq(user))
        .filter(channel_members::channel_id.ne_all(owned));
    let left: Vec<ChannelId> =
        diesel::delete(others).returning(channel_members::channel_id).get_results(tx.conn()).await?;
    left.into_iter().for_each(|id| tx.changed(channel_key(id)));
    let own = channels::table.filter(channels::owner_id.eq(user).and(channels::is_default));
    let own = own.select(channels::id).for_no_key_update().load::<ChannelId>(tx.conn()).await?;
    // Earlier slugs contain the name, too.
    slug::release_all(tx, &own).await?;
    let nameless = format!("channel-{}", user.uuid().simple());
    for id in own {
        tx.changed(channel_key(id));
        slug::take(tx, clock, &nameless, id).await?;
        diesel::update(channels::table.find(id))
            .set((
                channels::name.eq(NOBODYS),
                channels::slug.eq(&nameless),
                channels::description.eq(""),
                channels::updated_at.eq(clock.now()),
            ))
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}
