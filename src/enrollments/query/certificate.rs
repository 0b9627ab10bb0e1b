//! SQL for certificates.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::enrollments::model::{Certificate, CertificateId};
use crate::graphql::page::Page;
use crate::platform::db::schema::certificates;
use crate::platform::db::{RunQueryDsl, Tx, cached, newest_first};

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[CertificateId]) -> QueryResult<Vec<Certificate>> {
    certificates::table.filter(certificates::id.eq_any(ids)).select(Certificate::as_select()).load(conn).await
}

pub(crate) async fn by_codes(conn: &mut AsyncPgConnection, codes: &[&str]) -> QueryResult<Vec<Certificate>> {
    certificates::table.filter(certificates::code.eq_any(codes)).select(Certificate::as_select()).load(conn).await
}

/// Returns the certificates of pairs of a user and a course.
pub(crate) async fn of_pairs(
    conn: &mut AsyncPgConnection,
    users: Vec<UserId>,
    courses: Vec<CourseId>,
) -> QueryResult<Vec<Certificate>> {
    let pairs = sql::<Bool>("(user_id, course_id) IN (SELECT * FROM unnest(").bind::<Array<SqlUuid>, _>(users);
    let pairs = pairs.sql(", ").bind::<Array<SqlUuid>, _>(courses).sql("))");
    cached(certificates::table.filter(pairs).select(Certificate::as_select())).load(conn).await
}

/// Returns a page of a user's certificates, latest first, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    user: UserId,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Certificate>> {
    let rows = certificates::table.filter(certificates::user_id.eq(user)).select(Certificate::as_select());
    newest_first!(&mut conn, rows, certificates::issued_at, certificates::id, page)
}

/// Counts the certificates of a user.
pub(crate) async fn count(mut conn: &AsyncPgConnection, user: UserId) -> QueryResult<i64> {
    certificates::table.filter(certificates::user_id.eq(user)).count().get_result(&mut conn).await
}

/// Returns the latest certificates of a user.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Certificate>> {
    certificates::table
        .filter(certificates::user_id.eq(user))
        .order((certificates::issued_at.desc(), certificates::id.desc()))
        .limit(limit)
        .select(Certificate::as_select())
        .load(conn)
        .await
}

/// Returns a certificate, locked until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, id: CertificateId) -> QueryResult<Option<Certificate>> {
    let row = certificates::table.find(id).select(Certificate::as_select()).for_no_key_update();
    row.first(tx.conn()).await.optional()
}

/// Inserts a certificate; returns whether the user had none of the course.
pub(crate) async fn insert(tx: &mut Tx, row: &Certificate) -> QueryResult<bool> {
    let inserted = diesel::insert_into(certificates::table)
        .values((
            certificates::id.eq(row.id),
            certificates::code.eq(&row.code),
            certificates::user_id.eq(row.user_id),
            certificates::course_id.eq(row.course_id),
            certificates::holder_name.eq(&row.holder_name),
            certificates::course_title.eq(&row.course_title),
            certificates::issued_at.eq(row.issued_at),
        ))
        .on_conflict((certificates::user_id, certificates::course_id))
        .do_nothing()
        .execute(tx.conn())
        .await?;
    Ok(inserted == 1)
}

pub(crate) async fn revoke(
    tx: &mut Tx,
    id: CertificateId,
    reason: &str,
    now: DateTime<Utc>,
) -> QueryResult<Certificate> {
    diesel::update(certificates::table.find(id))
        .set((certificates::revoked_at.eq(now), certificates::revoke_reason.eq(reason)))
        .returning(Certificate::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn show(tx: &mut Tx, id: CertificateId, is_public: bool) -> QueryResult<Certificate> {
    diesel::update(certificates::table.find(id))
        .set(certificates::is_public.eq(is_public))
        .returning(Certificate::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(certificates::table.filter(certificates::user_id.eq(user))).execute(tx.conn()).await
}
