//! Imports reviews. For the command line, where there is no actor.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::catalog::{self, CourseId};
use crate::discussions::{self, ImportedPost, ImportedThread, PostKind};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::reviews::model::NewReview;
use crate::reviews::query;

/// A review to import.
#[derive(Clone, Debug)]
pub struct ImportedReview {
    /// The course.
    pub course_id: CourseId,
    /// The stars, 1 to 5.
    pub stars: i16,
    /// The post.
    pub post: ImportedPost,
    /// The response of the course's team.
    pub response: Option<ImportedPost>,
}

/// Imports reviews with their votes, in one transaction and without events. Their stars count.
///
/// A course that has reviews gets no more: what was imported before stays.
///
/// # Errors
/// Something that is referred to does not exist; the database failed.
pub async fn import(app: &App, reviews: &[ImportedReview]) -> Result<(), InternalError> {
    let thread = |review: &ImportedReview| ImportedThread {
        kind: PostKind::Review,
        course_id: review.course_id,
        lesson_id: None,
        post: review.post.clone(),
        question: None,
        replies: review.response.iter().cloned().collect(),
    };
    let threads: Vec<ImportedThread> = reviews.iter().map(thread).collect();
    app.db
        .transaction(async |tx| {
            let ids = discussions::import(tx, app, &threads).await?;
            let mut rows = Vec::new();
            // In the order of their ids, so that two of these transactions cannot deadlock.
            let mut counts: BTreeMap<Uuid, [i32; 5]> = BTreeMap::new();
            for (review, id) in reviews.iter().zip(ids) {
                let Some(post_id) = id else { continue };
                let ImportedReview { course_id, stars, ref post, .. } = *review;
                let author_id = post.author_id;
                let new = NewReview { post_id, course_id, author_id, stars, is_shown: true, is_refunded: false };
                rows.push((new, i32::try_from(post.voters.len())?));
                let of_course = counts.entry(course_id.uuid()).or_default();
                (1..).zip(of_course).filter(|(place, _)| *place == stars).for_each(|(_, count)| *count += 1);
            }
            query::insert_all(tx, &rows).await?;
            for (course, more) in counts {
                catalog::add_ratings(tx, CourseId::new(course), more).await?;
            }
            Ok(())
        })
        .await
}
