//! S3 multipart uploads.
//!
//! They are for files that are too large, or connections that are too unreliable, for a single request. The object is
//! not visible before [`Storage::complete_parts`]. After that, the presigned URLs of its parts are useless, so the
//! object cannot change.

use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::{CONNECT_TIMEOUT, Headers, InternalError, Storage};
use crate::platform::internal_error::Context;

/// The timeout of completing an upload. The store may have to copy every byte.
const COMPLETE_TIMEOUT: Duration = Duration::from_secs(600);

/// A part that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The part number, from 1.
    pub number: i32,
    /// The length in bytes.
    pub size: i64,
    /// The ETag in quotes; `None` if the store doesn't report one.
    pub etag: Option<String>,
}

impl Storage {
    /// Starts a multipart upload to `key`; returns the store's id of the upload.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn begin_parts(&self, key: &str, headers: &Headers) -> Result<String, InternalError> {
        let begin = self.client.create_multipart_upload().bucket(&self.bucket).key(key);
        let begin = begin.content_type(&headers.content_type).set_content_disposition(headers.disposition.clone());
        let begin = begin.set_cache_control(headers.cache_control.map(str::to_owned));
        let begun = begin.send().await.context(format!("begin an upload in parts to {key}"))?;
        begun.upload_id.ok_or_else(|| InternalError::new("the store gave an upload in parts no id"))
    }

    /// Presigns a URL for a `PUT` of one part of this length. It is valid for `ttl` (at most seven days).
    ///
    /// # Errors
    /// `ttl` is too long.
    pub async fn presign_part(
        &self,
        key: &str,
        id: &str,
        number: i32,
        length: i64,
        ttl: Duration,
    ) -> Result<String, InternalError> {
        let put = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(id).part_number(number);
        let signed = put.content_length(length).presigned(PresigningConfig::expires_in(ttl)?).await;
        Ok(signed.context("sign a part")?.uri().to_owned())
    }

    /// Lists the uploaded parts in order; empty if the upload doesn't exist (any more).
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn parts(&self, key: &str, id: &str) -> Result<Vec<Part>, InternalError> {
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let list = self.client.list_parts().bucket(&self.bucket).key(key).upload_id(id);
            let page = match list.set_part_number_marker(after).send().await {
                Ok(page) => page,
                Err(error) if is_gone(&error) => return Ok(Vec::new()),
                Err(error) => return Err(error).context(format!("list the parts of {key}")),
            };
            parts.extend(page.parts().iter().map(|part| Part {
                number: part.part_number().unwrap_or_default(),
                size: part.size().unwrap_or_default(),
                etag: part.e_tag().map(str::to_owned),
            }));
            after = page.next_part_number_marker().map(str::to_owned);
            if !page.is_truncated().unwrap_or_default() || after.is_none() {
                break;
            }
        }
        parts.sort_by_key(|part| part.number);
        Ok(parts)
    }

    /// Completes an upload: creates the object from the parts. Returns whether the upload existed.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request; a part was changed after it was listed.
    pub async fn complete_parts(&self, key: &str, id: &str, parts: Vec<Part>) -> Result<bool, InternalError> {
        let parts = parts.into_iter().map(|part| {
            // The embedded store reports no ETags and requires none.
            let tag = part.etag.unwrap_or_default();
            CompletedPart::builder().part_number(part.number).e_tag(tag).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(id);
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT);
        let timeouts = timeouts.operation_attempt_timeout(COMPLETE_TIMEOUT).build();
        let config = aws_sdk_s3::Config::builder().timeout_config(timeouts);
        match complete.multipart_upload(parts).customize().config_override(config).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error).context(format!("put the parts of {key} together")),
        }
    }

    /// Aborts a multipart upload and deletes its parts; succeeds if the upload doesn't exist.
    ///
    /// A part that is in flight may require a second call.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn abort_parts(&self, key: &str, id: &str) -> Result<(), InternalError> {
        let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id);
        match abort.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => Ok(()),
            // The embedded store's error for an unknown upload.
            Err(error) if error.code() == Some("AccessDenied") && self.parts(key, id).await?.is_empty() => Ok(()),
            Err(error) => Err(error).context(format!("end the upload in parts to {key}")),
        }
    }
}

fn is_gone<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("NoSuchUpload")
}
