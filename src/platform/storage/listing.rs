//! What is in the bucket.

use aws_sdk_s3::error::ProvideErrorMetadata;
use chrono::{DateTime, Utc};

use super::{Fault, Storage};
use crate::platform::fault::Context;

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size: i64,
    /// When it came to be.
    pub modified: DateTime<Utc>,
}

/// An upload in parts that nobody has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenParts {
    /// Where to.
    pub key: String,
    /// What the store calls it.
    pub id: String,
    /// Since when.
    pub begun: DateTime<Utc>,
}

impl Storage {
    /// Some objects whose keys begin with `prefix`, in the order of their keys, from the one after `after` on. The
    /// last page is empty.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Listed>, Fault> {
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

    /// The uploads in parts below `prefix` that nobody has ended, at most 1,000; `None` if the store can't tell (the
    /// embedded one can't).
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn open_parts(&self, prefix: &str) -> Result<Option<Vec<OpenParts>>, Fault> {
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
