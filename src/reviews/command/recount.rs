//! Checks the ratings of courses against their reviews.

use uuid::Uuid;

use crate::catalog::{self, CourseId};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::reviews::query;

/// Checks the ratings of every course against its reviews, and fixes wrong ones.
///
/// # Errors
/// The database failed.
pub(crate) async fn recount_ratings(app: &App) -> Result<(), InternalError> {
    let mut after = Uuid::nil();
    loop {
        let mut conn = app.db.read().await?;
        let batch = catalog::ratings(&mut conn, after).await?;
        let Some((last, _)) = batch.last() else { return Ok(()) };
        after = last.uuid();
        let ids: Vec<CourseId> = batch.iter().map(|(id, _)| *id).collect();
        let counted = query::count_stars(&mut conn, &ids).await?;
        drop(conn);
        for (id, stored) in batch {
            if counted.get(&id).copied().unwrap_or_default() != stored {
                repair(app, id).await?;
            }
        }
    }
}

/// Recounts the ratings of a course and fixes the stored numbers, holding their row lock.
///
/// A review is written before the numbers are, so the result is exact.
async fn repair(app: &App, id: CourseId) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let Some(stored) = catalog::lock_ratings(tx, id).await? else { return Ok(()) };
            let counted = query::count_stars(tx.conn(), &[id]).await?.remove(&id).unwrap_or_default();
            if counted != stored {
                tracing::warn!(course = %id.encode(), ?stored, ?counted, "a course's ratings were wrong");
                let mut more = counted;
                more.iter_mut().zip(stored).for_each(|(more, stored)| *more -= stored);
                catalog::add_ratings(tx, id, more).await?;
            }
            Ok(())
        })
        .await
}
