//! Between the store and files on this machine, for the few who have to work on large objects; and whole folders.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::Storage;
use crate::platform::fault::{Context, Fault};

/// How long a transfer may stand still.
const STALLED: Duration = Duration::from_secs(60);

impl Storage {
    /// Writes an object's content to a new file at `path`; returns whether there was one.
    ///
    /// # Errors
    /// The store can't be reached or refuses, or the disk is full.
    pub async fn download(&self, key: &str, path: &Path) -> Result<bool, Fault> {
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

    /// The SHA-256 of an object's content; `None` if there is none.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn sha256(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
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

    /// Stores a file in place of what was at `key`.
    ///
    /// # Errors
    /// The file can't be read; the store can't be reached or refuses.
    pub async fn put_file(&self, key: &str, content_type: &str, path: &Path) -> Result<(), Fault> {
        let content = tokio::fs::read(path).await.context(format!("read {}", path.display()))?;
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(ByteStream::from(content)).send().await.context(format!("store the object {key}")).map(drop)
    }

    /// Removes every object whose key begins with `prefix`; returns how many there were.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn delete_below(&self, prefix: &str) -> Result<usize, Fault> {
        let mut deleted = 0;
        loop {
            // What was listed is gone before the next page is asked for, so that every page is the first one.
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
