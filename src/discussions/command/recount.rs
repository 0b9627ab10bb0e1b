//! Checks the counts of posts against what they count.

use uuid::Uuid;

use super::count::counted;
use crate::discussions::query::post;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Checks the numbers of votes and replies of every post, and fixes wrong ones.
///
/// # Errors
/// The database failed.
pub(crate) async fn recount_posts(app: &App) -> Result<(), InternalError> {
    let mut after = Uuid::nil();
    loop {
        let batch = post::recount(&mut *app.db.read().await?, after).await?;
        let Some(last) = batch.last else { return Ok(()) };
        after = last;
        for id in batch.wrong {
            repair(app, id).await?;
        }
    }
}

/// Recounts the votes and replies of a post and fixes the stored numbers, holding their row lock.
///
/// A vote or a reply is written before the numbers are, so the result is exact.
async fn repair(app: &App, id: Uuid) -> Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            if post::lock_counts(tx, id).await? && post::repair_counts(tx, id).await? > 0 {
                tracing::warn!(post = %id, "the counts of a post were wrong");
                counted(tx, app, id).await?;
            }
            Ok(())
        })
        .await
}
