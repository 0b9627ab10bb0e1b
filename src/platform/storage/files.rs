//! Transfers between the store and local files, and operations on whole folders.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::Storage;
use crate::platform::internal_error::{Context, InternalError};

/// How long a transfer may stall before it fails.
const STALLED: Duration = Duration::from_secs(60);

impl Storage {
    /// Downloads an object to a new file at `path`; returns whether the object exists.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request, or the file can't be created or written.
    pub async fn download(&self, key: &str, path: &Path) -> Result<bool, InternalError> {
        let what = || format!("fetch the object {key} to {}", path.display());
        let mut body = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object.body,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(false),
            Err(error) => return Err(error).context(what()),
        };
        let mut file = tokio::fs::File::create_new(path).await.context(what())?;
        while let Some(chunk) = tokio::time::timeout(STALLED, body.try_next()).await.context(what())?.context(what())? {
            file.write_all(&chunk).await.context(what())?;
        }
        file.flush().await.context(what())?;
        Ok(true)
    }

    /// Computes the SHA-256 of an object's content; `None` if the object doesn't exist.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn sha256(&self, key: &str) -> Result<Option<Vec<u8>>, InternalError> {
        let what = || format!("read the object {key}");
        let mut body = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object.body,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(error).context(what()),
        };
        let mut hash = Sha256::new();
        while let Some(chunk) = tokio::time::timeout(STALLED, body.try_next()).await.context(what())?.context(what())? {
            hash.update(&chunk);
        }
        Ok(Some(hash.finalize().to_vec()))
    }

    /// Uploads a file, replacing any object at `key`.
    ///
    /// # Errors
    /// The file can't be read; the store is unreachable or rejects the request.
    pub async fn put_file(&self, key: &str, content_type: &str, path: &Path) -> Result<(), InternalError> {
        let content = tokio::fs::read(path).await.context(format!("read {}", path.display()))?;
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(ByteStream::from(content)).send().await.context(format!("store the object {key}")).map(drop)
    }

    /// Deletes all objects whose keys begin with `prefix`; returns their number.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn delete_below(&self, prefix: &str) -> Result<usize, InternalError> {
        let mut deleted = 0;
        loop {
            // The listed objects are deleted before the next page is requested, so every page is the first one.
            let page = self.list(prefix, "").await?;
            if page.is_empty() {
                return Ok(deleted);
            }
            for object in &page {
                self.delete(&object.key).await?;
            }
            deleted += page.len();
        }
    }
}
