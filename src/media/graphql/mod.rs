//! Videos in the schema.

mod upload;
mod upload_mutation;
mod upload_query;
mod upload_subscription;

use async_graphql::{MergedObject, MergedSubscription};

/// The queries of videos.
#[derive(Default, MergedObject)]
pub struct MediaQuery(upload_query::UploadQuery);

/// The mutations of videos.
#[derive(Default, MergedObject)]
pub struct MediaMutation(upload_mutation::UploadMutation);

/// What is pushed of videos.
#[derive(Default, MergedSubscription)]
pub struct MediaSubscription(upload_subscription::UploadSubscription);
