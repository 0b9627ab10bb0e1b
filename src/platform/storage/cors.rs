//! CORS rules of the bucket.

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};

use super::{CHECKSUM, Storage};
use crate::platform::internal_error::{Context, InternalError};

/// How long browsers may cache the rules, in seconds.
const REMEMBERED: i32 = 3600;

impl Storage {
    /// Allows only pages of `origins` to use presigned URLs for uploads and downloads.
    ///
    /// Range requests are included. Replaces all CORS rules of the bucket.
    ///
    /// Source: the S3 API, PutBucketCors
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html>).
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn set_cors(&self, origins: &[String]) -> Result<(), InternalError> {
        let what = || format!("set the CORS rules of the bucket {}", self.bucket);
        let rule = CorsRule::builder()
            .set_allowed_origins(Some(origins.to_vec()))
            .set_allowed_methods(Some(["GET", "HEAD", "PUT"].map(str::to_owned).to_vec()))
            .set_allowed_headers(Some(["content-type", "range", CHECKSUM].map(str::to_owned).to_vec()))
            .set_expose_headers(Some(["ETag", "Content-Range", "Accept-Ranges"].map(str::to_owned).to_vec()))
            .max_age_seconds(REMEMBERED)
            .build()
            .context(what())?;
        let rules = CorsConfiguration::builder().cors_rules(rule).build().context(what())?;
        let put = self.client.put_bucket_cors().bucket(&self.bucket).cors_configuration(rules);
        put.send().await.context(what()).map(drop)
    }
}
