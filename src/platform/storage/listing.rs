//! Listing the objects and the unfinished uploads in the bucket.

use aws_sdk_s3::error::ProvideErrorMetadata;
use chrono::{DateTime, Utc};

use super::{InternalError, Storage};
use crate::platform::internal_error::Context;

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The length in bytes.
    pub size: i64,
    /// When it was last modified.
    pub modified: DateTime<Utc>,
}

/// A multipart upload that was neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenParts {
    /// The key of the future object.
    pub key: String,
    /// The store's id of the upload.
    pub id: String,
    /// When it was started.
    pub begun: DateTime<Utc>,
}

impl Storage {
    /// Lists a page of objects whose keys begin with `prefix`, in key order.
    ///
    /// The page starts after the key `after`. An empty page marks the end.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Listed>, InternalError> {
        let mut list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        if !after.is_empty() {
            list = list.start_after(after);
        }
        let page = list.send().await.context(format!("list the objects below {prefix}"))?;
        let listed = page.contents().iter().filter_map(|object| {
            Some(Listed {
                key: object.key()?.to_owned(),
                size: object.size().unwrap_or_default(),
                modified: instant(object.last_modified()?)?,
            })
        });
        Ok(listed.collect())
    }

    /// Lists the unfinished multipart uploads below `prefix`, at most 1,000.
    ///
    /// `None` if the store doesn't support it, like the embedded one.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn open_parts(&self, prefix: &str) -> Result<Option<Vec<OpenParts>>, InternalError> {
        let list = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix);
        let page = match list.send().await {
            Ok(page) => page,
            Err(error) if error.code() == Some("NotImplemented") => return Ok(None),
            Err(error) => return Err(error).context(format!("list the uploads in parts below {prefix}")),
        };
        let open = page.uploads().iter().filter_map(|upload| {
            let (key, id) = (upload.key()?.to_owned(), upload.upload_id()?.to_owned());
            Some(OpenParts { key, id, begun: instant(upload.initiated()?)? })
        });
        Ok(Some(open.collect()))
    }
}

fn instant(time: &aws_sdk_s3::primitives::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos())
}
