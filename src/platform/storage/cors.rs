//! Who may use the bucket from a page.

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};

use super::{CHECKSUM, Storage};
use crate::platform::fault::{Context, Fault};

/// How long browsers may remember the rules, in seconds.
const REMEMBERED: i32 = 3600;

impl Storage {
    /// Lets pages of `origins`, and no others, send files to signed addresses and read from them, also in ranges;
    /// replaces all rules that the bucket has.
    ///
    /// Source: the S3 API, PutBucketCors
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html>).
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn set_cors(&self, origins: &[String]) -> Result<(), Fault> {
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
