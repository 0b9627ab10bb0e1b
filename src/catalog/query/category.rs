//! SQL for categories.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid};
use diesel_async::AsyncPgConnection;

use crate::catalog::model::{Category, CategoryId, categories_key};
use crate::channels::ChannelId;
use crate::media::FileId;
use crate::platform::clock::Clock;
use crate::platform::db::schema::{categories, category_slugs, courses};
use crate::platform::db::{RunQueryDsl, Tx, cached, sql_query};

/// Returns all categories, each with its current and earlier slugs.
pub async fn all(mut conn: &AsyncPgConnection) -> QueryResult<Vec<(Category, Vec<String>)>> {
    let slugs = "ARRAY(SELECT category_slugs.slug FROM category_slugs WHERE category_id = categories.id)";
    cached(categories::table.select((Category::as_select(), sql::<Array<Text>>(slugs)))).load(&mut conn).await
}

/// Counts the published courses in each category, without its subcategories.
///
/// A category without any is missing.
pub(crate) async fn count_published(mut conn: &AsyncPgConnection) -> QueryResult<Vec<(CategoryId, i64)>> {
    courses::table
        .filter(courses::published_at.is_not_null())
        .filter(courses::category_id.is_not_null())
        .group_by(courses::category_id)
        .select((courses::category_id.assume_not_null(), diesel::dsl::count_star()))
        .load(&mut conn)
        .await
}

/// Counts the published courses of each of these channels; a channel without any is missing.
pub(crate) async fn count_of_channels(
    mut conn: &AsyncPgConnection,
    ids: &[ChannelId],
) -> QueryResult<Vec<(ChannelId, i64)>> {
    courses::table
        .filter(courses::published_at.is_not_null())
        .filter(courses::channel_id.eq_any(ids))
        .group_by(courses::channel_id)
        .select((courses::channel_id.assume_not_null(), diesel::dsl::count_star()))
        .load(&mut conn)
        .await
}

/// Returns a category, and prevents its deletion and its archiving until the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, id: CategoryId) -> QueryResult<Option<Category>> {
    categories::table.find(id).select(Category::as_select()).for_share().first(tx.conn()).await.optional()
}

/// Reserves a slug for a category permanently; `false` if another category has or had it.
///
/// A concurrent reservation of the same slug waits.
pub(crate) async fn take_slug(tx: &mut Tx, clock: &Clock, slug: &str, category: CategoryId) -> QueryResult<bool> {
    tx.changed(categories_key());
    diesel::insert_into(category_slugs::table)
        .values((
            category_slugs::slug.eq(slug),
            category_slugs::category_id.eq(category),
            category_slugs::taken_at.eq(clock.now()),
        ))
        .on_conflict(category_slugs::slug)
        .do_nothing()
        .execute(tx.conn())
        .await?;
    let owner: CategoryId =
        category_slugs::table.find(slug).select(category_slugs::category_id).first(tx.conn()).await?;
    Ok(owner == category)
}

/// Locks the category tree against other writers, and returns all categories.
///
/// The lock is released when the transaction ends; readers do not wait for it.
pub(crate) async fn lock(tx: &mut Tx) -> QueryResult<Vec<Category>> {
    sql_query("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE").execute(tx.conn()).await?;
    categories::table.select(Category::as_select()).load(tx.conn()).await
}

/// Returns whether a category has courses, and prevents new ones until the transaction ends.
pub(crate) async fn has_courses(tx: &mut Tx, id: CategoryId) -> QueryResult<bool> {
    categories::table.find(id).select(categories::id).for_update().first::<CategoryId>(tx.conn()).await?;
    let courses = courses::table.filter(courses::category_id.eq(id));
    diesel::select(diesel::dsl::exists(courses)).get_result(tx.conn()).await
}

pub(crate) async fn insert(
    tx: &mut Tx,
    clock: &Clock,
    id: CategoryId,
    (name, slug, description): (&str, &str, &str),
    (parent, position): (Option<CategoryId>, i32),
) -> QueryResult<Category> {
    tx.changed(categories_key());
    let now = clock.now();
    diesel::insert_into(categories::table)
        .values((
            categories::id.eq(id),
            categories::parent_id.eq(parent),
            categories::slug.eq(slug),
            categories::name.eq(name),
            categories::description.eq(description),
            categories::position.eq(position),
            categories::created_at.eq(now),
            categories::updated_at.eq(now),
        ))
        .returning(Category::as_returning())
        .get_result(tx.conn())
        .await
}

/// Changes of a category; `None` stays unchanged.
#[derive(AsChangeset, Clone)]
#[diesel(table_name = categories)]
pub(crate) struct CategoryChanges {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub description: Option<String>,
    pub updated_at: DateTime<Utc>,
}

/// Locks a category.
pub(crate) async fn lock_one(tx: &mut Tx, id: CategoryId) -> QueryResult<Option<Category>> {
    categories::table.find(id).select(Category::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

pub(crate) async fn update(tx: &mut Tx, id: CategoryId, changes: CategoryChanges) -> QueryResult<Category> {
    tx.changed(categories_key());
    let category =
        diesel::update(categories::table.find(id)).set((changes, categories::version.eq(categories::version + 1)));
    category.returning(Category::as_returning()).get_result(tx.conn()).await
}

/// Sets or removes the image of a category.
pub(crate) async fn set_image(
    tx: &mut Tx,
    id: CategoryId,
    file: Option<FileId>,
    now: DateTime<Utc>,
) -> QueryResult<Category> {
    tx.changed(categories_key());
    diesel::update(categories::table.find(id))
        .set((
            categories::image_id.eq(file),
            categories::version.eq(categories::version + 1),
            categories::updated_at.eq(now),
        ))
        .returning(Category::as_returning())
        .get_result(tx.conn())
        .await
}

/// Archives a category since `archived_at`, or brings it back if that is `None`.
pub(crate) async fn set_archived(
    tx: &mut Tx,
    id: CategoryId,
    archived_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> QueryResult<Category> {
    tx.changed(categories_key());
    diesel::update(categories::table.find(id))
        .set((categories::archived_at.eq(archived_at), categories::updated_at.eq(now)))
        .returning(Category::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns the descriptions of categories.
pub(crate) async fn descriptions(
    mut conn: &AsyncPgConnection,
    ids: &[CategoryId],
) -> QueryResult<Vec<(CategoryId, String)>> {
    categories::table
        .filter(categories::id.eq_any(ids))
        .select((categories::id, categories::description))
        .load(&mut conn)
        .await
}

/// Makes categories the children of `parent`, or root categories, in the order of `ids`.
pub async fn place(
    tx: &mut Tx,
    parent: Option<CategoryId>,
    ids: &[CategoryId],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    tx.changed(categories_key());
    let positions: Vec<i32> = (1..).take(ids.len()).collect();
    let sql = "UPDATE categories SET parent_id = $3, position = placed.position, updated_at = $4
        FROM unnest($1, $2) AS placed (id, position) WHERE categories.id = placed.id";
    sql_query(sql)
        .bind::<Array<Uuid>, _>(ids)
        .bind::<Array<Integer>, _>(positions)
        .bind::<Nullable<Uuid>, _>(parent)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await
}

pub(crate) async fn delete(tx: &mut Tx, id: CategoryId) -> QueryResult<usize> {
    tx.changed(categories_key());
    diesel::delete(categories::table.find(id)).execute(tx.conn()).await
}
