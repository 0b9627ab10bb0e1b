//! SQL that reads the audit trail; `platform::audit` writes it.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::model::{AuditEntry, AuditFilter};
use crate::graphql::page::Page;
use crate::graphql::{Id, Time};
use crate::platform::db::RunQueryDsl;
use crate::platform::db::schema::audit_entries;

type Rows<'a> = audit_entries::BoxedQuery<'a, Pg>;

/// Returns a page of the trail in the page's direction; the trail is ordered newest first.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    filter: &AuditFilter,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<AuditEntry>> {
    use audit_entries::{at, id};
    let mut rows = filtered(filter);
    // In the form `<= AND (< OR <)`, an index scan can start at the cursor.
    if let Some((time, row)) = page.after {
        rows = rows.filter(at.le(time)).filter(at.lt(time).or(id.lt(Id::<AuditEntry>::new(row))));
    }
    if let Some((time, row)) = page.before {
        rows = rows.filter(at.ge(time)).filter(at.gt(time).or(id.gt(Id::<AuditEntry>::new(row))));
    }
    rows = match page.backward {
        true => rows.order((at.asc(), id.asc())),
        false => rows.order((at.desc(), id.desc())),
    };
    rows.limit(page.fetch()).select(AuditEntry::as_select()).load(&mut conn).await
}

pub(crate) async fn count(mut conn: &AsyncPgConnection, filter: &AuditFilter) -> QueryResult<i64> {
    filtered(filter).count().get_result(&mut conn).await
}

fn filtered(filter: &AuditFilter) -> Rows<'_> {
    use audit_entries::{action, actor_id, at, subject_id};
    let mut rows = audit_entries::table.into_boxed();
    if let Some(wanted) = &filter.actions {
        rows = rows.filter(action.eq_any(wanted.iter().map(|wanted| wanted.as_str()).collect::<Vec<_>>()));
    }
    if let Some(wanted) = filter.actor_id {
        rows = rows.filter(actor_id.eq(wanted));
    }
    if let Some(wanted) = filter.subject_id {
        rows = rows.filter(subject_id.eq(wanted));
    }
    if let Some(Time(from)) = filter.created_from {
        rows = rows.filter(at.ge(from));
    }
    if let Some(Time(to)) = filter.created_to {
        rows = rows.filter(at.lt(to));
    }
    rows
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[Id<AuditEntry>]) -> QueryResult<Vec<AuditEntry>> {
    audit_entries::table.filter(audit_entries::id.eq_any(ids)).select(AuditEntry::as_select()).load(conn).await
}
