//! Keyset pagination.

/// Loads a page of `$rows`, ordered by the time `$at` and the id `$id`, newest first.
///
/// A backward page is loaded in reverse order. One statement serves all pages: a missing cursor is replaced by the
/// smallest or largest possible key. The condition `<= AND (< OR <)` lets an index scan start at the cursor; Diesel's
/// expressions offer no row comparison that does.
#[macro_export]
macro_rules! newest_first {
    ($conn:expr, $rows:expr, $at:expr, $id:expr, $page:expr) => {{
        let page = $page;
        let (after_at, after_id) = page.after.unwrap_or((chrono::DateTime::<chrono::Utc>::MAX_UTC, uuid::Uuid::max()));
        let (before_at, before_id) = page.before.unwrap_or((chrono::DateTime::UNIX_EPOCH, uuid::Uuid::nil()));
        let rows = $rows
            .filter($at.le(after_at))
            .filter($at.lt(after_at).or($id.lt(after_id)))
            .filter($at.ge(before_at))
            .filter($at.gt(before_at).or($id.gt(before_id)))
            .limit(page.fetch());
        if page.backward {
            rows.order(($at.asc(), $id.asc())).load($conn).await
        } else {
            rows.order(($at.desc(), $id.desc())).load($conn).await
        }
    }};
}

/// Like [`newest_first`], oldest first.
#[macro_export]
macro_rules! oldest_first {
    ($conn:expr, $rows:expr, $at:expr, $id:expr, $page:expr) => {{
        let page = $page;
        let (after_at, after_id) = page.after.unwrap_or((chrono::DateTime::UNIX_EPOCH, uuid::Uuid::nil()));
        let (before_at, before_id) =
            page.before.unwrap_or((chrono::DateTime::<chrono::Utc>::MAX_UTC, uuid::Uuid::max()));
        let rows = $rows
            .filter($at.ge(after_at))
            .filter($at.gt(after_at).or($id.gt(after_id)))
            .filter($at.le(before_at))
            .filter($at.lt(before_at).or($id.lt(before_id)))
            .limit(page.fetch());
        if page.backward {
            rows.order(($at.desc(), $id.desc())).load($conn).await
        } else {
            rows.order(($at.asc(), $id.asc())).load($conn).await
        }
    }};
}

pub use {newest_first, oldest_first};
