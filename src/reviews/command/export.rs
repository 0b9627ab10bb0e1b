//! The viewer's data.

use serde_json::{Value, json};

use crate::accounts::viewer;
use crate::graphql::Result;
use crate::graphql::export::{FETCH, items};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::reviews::model::{Review, ReviewId};
use crate::reviews::query;

/// Returns the stars of the viewer's reviews, for the export of their data. The texts are with the viewer's posts.
///
/// # Errors
/// The actor is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let user = viewer(actor)?;
    let rows = query::latest_of(&mut *app.db.read().await?, user, None, FETCH).await?;
    let review = |row: Review| {
        json!({
            "id": ReviewId::new(row.post_id).encode(),
            "course": row.rating.course_id.encode(),
            "stars": row.rating.stars,
            "counts": row.rating.counted().is_some(),
        })
    };
    Ok(json!({ "reviews": items(rows.into_iter().map(review)) }))
}
