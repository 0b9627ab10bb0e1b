//! Commands for the counts and aggregates of courses.

use uuid::Uuid;

use crate::catalog::model::CourseId;
use crate::catalog::query::stats as query;
use crate::entitlements;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Refreshes the sort keys of all courses whose stats have changed, in batches.
///
/// # Errors
/// The database failed.
pub async fn refresh_sort_keys(app: &App) -> Result<(), InternalError> {
    let mut after = Uuid::nil();
    loop {
        let refreshed =
            app.db.transaction(async |tx| Ok::<_, InternalError>(query::refresh_sort_keys(tx, after).await?)).await?;
        let Some(last) = refreshed.last else { return Ok(()) };
        after = last;
    }
}

/// Checks the student count of every course against its entitlements, and fixes wrong ones.
///
/// # Errors
/// The database failed.
pub(crate) async fn recount_students(app: &App) -> Result<(), InternalError> {
    let mut after = Uuid::nil();
    loop {
        let mut conn = app.db.read().await?;
        let batch = query::batch(&mut conn, after).await?;
        let Some((last, _)) = batch.last() else { return Ok(()) };
        after = last.uuid();
        let ids: Vec<Uuid> = batch.iter().map(|(id, _)| id.uuid()).collect();
        let counted = entitlements::count_students(&mut conn, &ids).await?;
        drop(conn);
        for (id, stored) in batch {
            if counted.get(&id.uuid()).copied().unwrap_or_default() != stored {
                repair(app, id).await?;
            }
        }
    }
}

/// Recounts a course's students and fixes the stored count, holding its row lock.
///
/// An enrollment writes the entitlement before it updates the count, so the result is exact.
async fn repair(app: &App, id: CourseId) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(stored) = query::lock_students(tx, id).await? else { return Ok(()) };
            let counted = entitlements::count_students(tx.conn(), &[id.uuid()]).await?;
            let counted = counted.get(&id.uuid()).copied().unwrap_or_default();
            if counted != stored {
                tracing::warn!(course = %id.encode(), stored, counted, "a course's number of students was wrong");
                query::add_students(tx, id, counted - stored).await?;
            }
            Ok(())
        })
        .await
}
