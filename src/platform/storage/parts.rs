//! Uploads in parts (S3's multipart uploads): for files that are too large, or connections too poor, for one request.
//!
//! Nobody sees what is being uploaded until [`Storage::complete_parts`]; from then on the URLs of its parts are good
//! for nothing, so that the object stays what it is.

use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::{CONNECT_TIMEOUT, Fault, Headers, Storage};
use crate::platform::fault::Context;

/// A store may have to copy every byte to put an object together.
const COMPLETE_TIMEOUT: Duration = Duration::from_secs(600);

/// A part that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its place in the file, from 1.
    pub number: i32,
    /// Its length in bytes.
    pub size: i64,
    /// The tag of its content, in quotes, if the store says it.
    pub etag: Option<String>,
}

impl Storage {
    /// Begins an upload in parts to `key`; returns what the store calls it.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn begin_parts(&self, key: &str, headers: &Headers) -> Result<String, Fault> {
        let begin = self.client.create_multipart_upload().bucket(&self.bucket).key(key);
        let begin = begin.content_type(&headers.content_type).set_content_disposition(headers.disposition.clone());
        let begin = begin.set_cache_control(headers.cache_control.map(str::to_owned));
        let begun = begin.send().await.context(format!("begin an upload in parts to {key}"))?;
        begun.upload_id.ok_or_else(|| Fault::new("the store gave an upload in parts no id"))
    }

    /// A URL to which anyone may `PUT` one part within `ttl` (at most seven days): it is signed for the length.
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
    ) -> Result<String, Fault> {
        let put = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(id).part_number(number);
        let signed = put.content_length(length).presigned(PresigningConfig::expires_in(ttl)?).await;
        Ok(signed.context("sign a part")?.uri().to_owned())
    }

    /// The parts that have arrived, in order; none if there is no such upload (any more).
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn parts(&self, key: &str, id: &str) -> Result<Vec<Part>, Fault> {
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

    /// Makes an object of the parts. Returns whether there was such an upload.
    ///
    /// # Errors
    /// The store can't be reached or refuses; a part is not what it was when it was listed.
    pub async fn complete_parts(&self, key: &str, id: &str, parts: Vec<Part>) -> Result<bool, Fault> {
        let parts = parts.into_iter().map(|part| {
            // The embedded store lists no tags, and asks for none.
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

    /// Ends an upload in parts and removes those that have arrived. It is no error if there is none; a part that is on
    /// its way may need a second call.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn abort_parts(&self, key: &str, id: &str) -> Result<(), Fault> {
        let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id);
        match abort.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => Ok(()),
            // What the embedded store says of an upload that it does not know.
            Err(error) if error.code() == Some("AccessDenied") && self.parts(key, id).await?.is_empty() => Ok(()),
            Err(error) => Err(error).context(format!("end the upload in parts to {key}")),
        }
    }
}

fn is_gone<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("NoSuchUpload")
}
