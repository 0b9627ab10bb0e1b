//! SQL for lists of replies, for many posts at once.

use std::collections::HashMap;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::discussions::model::{Post, Seer};
use crate::graphql::page::Page;
use crate::platform::db::schema::{post_stats, posts};
use crate::platform::db::{RunQueryDsl, cached};

/// Returns the same page of the replies to each of `parents`, oldest first. The rows of a backward page are in order,
/// too.
///
/// The page is read from the index of each parent's replies, so that it takes as long for a parent with many replies as
/// for one with few.
pub(crate) async fn pages(
    conn: &mut AsyncPgConnection,
    parents: Vec<Uuid>,
    page: &Page<Uuid>,
    seer: Seer,
) -> QueryResult<Vec<Post>> {
    let direction = if page.backward { "DESC" } else { "ASC" };
    let on_page = sql::<Bool>("posts.id IN (SELECT top.id FROM unnest(")
        .bind::<Array<SqlUuid>, _>(parents)
        .sql(
            ") AS parents (parent) CROSS JOIN LATERAL (SELECT replies.id FROM posts AS replies \
              WHERE replies.parent_id = parent AND replies.id > ",
        )
        .bind::<SqlUuid, _>(page.after.unwrap_or(Uuid::nil()))
        .sql(" AND replies.id < ")
        .bind::<SqlUuid, _>(page.before.unwrap_or(Uuid::max()))
        .sql(" AND (")
        .bind::<Bool, _>(seer == Seer::Team)
        .sql(" OR replies.hidden_at IS NULL OR replies.author_id = ")
        .bind::<SqlUuid, _>(author(seer))
        .sql(&format!(") ORDER BY replies.id {direction} LIMIT "))
        .bind::<BigInt, _>(page.fetch())
        .sql(") AS top)");
    let rows = posts::table.inner_join(post_stats::table).filter(on_page).order(posts::id);
    cached(rows.select(Post::as_select())).load(conn).await
}

/// Counts the replies to each of `parents`; one without any is missing.
pub(crate) async fn counts(
    conn: &mut AsyncPgConnection,
    parents: &[Uuid],
    seer: Seer,
) -> QueryResult<HashMap<Uuid, i64>> {
    let sees_all = (seer == Seer::Team).into_sql::<Bool>();
    let counts: Vec<(Option<Uuid>, i64)> = posts::table
        .filter(posts::parent_id.eq_any(parents))
        .filter(sees_all.or(posts::hidden_at.is_null()).or(posts::author_id.eq(author(seer))))
        .group_by(posts::parent_id)
        .select((posts::parent_id, count_star()))
        .load(conn)
        .await?;
    Ok(counts.into_iter().filter_map(|(parent, count)| Some((parent?, count))).collect())
}

/// The user who sees their own hidden posts; nobody has the id zero.
fn author(seer: Seer) -> Uuid {
    match seer {
        Seer::User(user) => user.uuid(),
        Seer::Team | Seer::Anonymous => Uuid::nil(),
    }
}
