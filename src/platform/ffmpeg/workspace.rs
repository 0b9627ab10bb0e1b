//! Temporary folders. The owner locks a file in the folder; the lock is released when the process exits.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::platform::internal_error::{Context, InternalError};

const LOCK: &str = "lock";

/// An exclusive temporary folder; removed when this is dropped.
pub struct Workspace {
    folder: PathBuf,
    _lock: File,
}

impl Workspace {
    pub(super) async fn make(parent: &Path) -> Result<Workspace, InternalError> {
        let folder = parent.join(Uuid::new_v4().simple().to_string());
        let what = format!("make the folder {}", folder.display());
        let made = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&folder)?;
            let lock = File::create_new(folder.join(LOCK))?;
            lock.lock()?;
            Ok::<_, std::io::Error>(Workspace { folder, _lock: lock })
        });
        made.await?.context(what)
    }

    /// The path of the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "a working folder was not removed");
        }
    }
}

/// Removes the folders in `parent` that no running process owns.
pub(super) async fn sweep(parent: PathBuf) -> Result<(), InternalError> {
    let what = format!("clean up the folder {}", parent.display());
    tokio::task::spawn_blocking(move || {
        let Ok(entries) = fs::read_dir(&parent) else { return Ok(()) };
        for folder in entries.map(|entry| Ok::<_, std::io::Error>(entry?.path())) {
            let folder = folder?;
            let lock = match File::open(folder.join(LOCK)) {
                Ok(lock) => lock,
                // Just created, or partly removed: the next start decides.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match lock.try_lock() {
                Ok(()) => fs::remove_dir_all(&folder)?,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(())
    })
    .await?
    .context(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_works_in_is_removed_and_nothing_else() {
        let parent = std::env::temp_dir().join(format!("lyceum-work-{}", Uuid::new_v4().simple()));
        let (busy, done) = (Workspace::make(&parent).await.unwrap(), Workspace::make(&parent).await.unwrap());
        let folder = done.folder().to_owned();
        drop(done);
        assert!(!folder.exists());
        // As after a crash: the lock is released, but the folder still exists.
        let left = parent.join("left");
        fs::create_dir_all(left.join("v0")).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("v0/00000.m4s"), "half a segment").unwrap();
        sweep(parent.clone()).await.unwrap();
        assert!(!left.exists() && busy.folder().exists());
        drop(busy);
        sweep(parent.clone()).await.unwrap();
        fs::remove_dir(parent).unwrap();
    }
}
