//! `ffmpeg` and `ffprobe`, two programs that look at videos and convert them. They are optional.
//!
//! What they are given comes from anybody. So they run as processes of their own, with a bound on memory, output and
//! time; they may open local files only, in formats that name no other files; and they end with this program, however
//! it ends.

mod convert;
mod probe;
mod process;
mod workspace;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use convert::Renditions;
pub use probe::Probe;
pub use workspace::Workspace;

use self::process::Process;
use crate::config::video::{Ffmpeg as Place, Video};
use crate::platform::fault::{Context, Fault};

/// What is opened without a look at the files that it names. A playlist, for example, could name `/etc/passwd`.
const FORMATS: &str = "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf";

/// What became of a video: what was asked for, or why the file is no good, for its owner.
pub type Verdict<T> = std::result::Result<T, String>;

/// The two programs; a clone has the same places.
#[derive(Clone)]
pub struct Ffmpeg {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
    /// Videos that may be converted at a time.
    places: Arc<Semaphore>,
    /// Where working folders are made.
    folder: PathBuf,
}

impl Ffmpeg {
    /// Looks for the programs; `None` if they are not there, or not wanted. Removes what a process that was killed left
    /// in `data`.
    ///
    /// # Errors
    /// The settings name a folder without them, or the working folder can't be used.
    pub async fn find(settings: &Video, path: Option<&OsStr>, data: &Path) -> Result<Option<Ffmpeg>, Fault> {
        // From the root: the programs run in folders of their own.
        let folder = std::path::absolute(data.join("work")).context("where the working folder is")?;
        workspace::sweep(folder.clone()).await?;
        let folders: Vec<PathBuf> = match &settings.ffmpeg {
            Place::Off => return Ok(None),
            Place::Folder(folder) => vec![std::path::absolute(folder).context("LYCEUM_FFMPEG")?],
            Place::Path => path.into_iter().flat_map(std::env::split_paths).collect(),
        };
        let program = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
        let (Some(ffmpeg), Some(ffprobe)) = (program("ffmpeg"), program("ffprobe")) else {
            return match &settings.ffmpeg {
                Place::Folder(folder) => {
                    let message = format!("LYCEUM_FFMPEG: there is no ffmpeg and ffprobe in {}", folder.display());
                    Err(Fault::new(message))
                }
                _ => Ok(None),
            };
        };
        let places = Arc::new(Semaphore::new(settings.transcodes));
        let mut found = Ffmpeg { ffmpeg, ffprobe, version: String::new(), places, folder };
        let told = Process::new(&found.ffmpeg, ["-version"]).output(Duration::from_secs(20)).await;
        let told = told.context("cannot run ffmpeg; LYCEUM_FFMPEG=off does without it")?;
        let words = String::from_utf8_lossy(&told.output);
        found.version = words.split_whitespace().nth(2).unwrap_or("of an unknown version").to_owned();
        Ok(Some(found))
    }

    /// What `ffmpeg` calls its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A place to convert a video, until it is dropped; `None` if all are taken.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// A new working folder, which is removed when it is dropped, or at the next start after a crash.
    ///
    /// # Errors
    /// It can't be made.
    pub async fn workspace(&self) -> Result<Workspace, Fault> {
        Workspace::make(&self.folder).await
    }
}
