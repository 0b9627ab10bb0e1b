//! `ffmpeg` and `ffprobe`, optional programs that inspect and convert videos.
//!
//! Their input is untrusted. So they run as separate processes with limits on memory, output, and time; they may open
//! only local files, in formats that don't refer to other files; and they exit with this process, however it exits.

mod convert;
mod probe;
mod process;
mod workspace;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use convert::Renditions;
pub use probe::Probe;
pub use workspace::Workspace;

use self::process::Process;
use crate::config::video::{Ffmpeg as Place, Video};
use crate::platform::internal_error::{Context, InternalError};

/// The allowed formats, none of which refers to other files. A playlist, for example, could refer to `/etc/passwd`.
const FORMATS: &str = "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf";

/// The outcome for a video. If the file is unusable, it is an error message for its owner.
pub type Verdict<T> = std::result::Result<T, String>;

/// The two programs; a clone shares the conversion slots.
#[derive(Clone)]
pub struct Ffmpeg {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
    /// The parent folder of workspaces.
    folder: PathBuf,
}

impl Ffmpeg {
    /// Finds the programs; `None` if they are not installed or are disabled.
    ///
    /// Also removes the workspaces in `data` that a killed process left behind.
    ///
    /// # Errors
    /// The programs are not in the configured folder or can't be run, or the workspaces' folder can't be used.
    pub async fn find(settings: &Video, path: Option<&OsStr>, data: &Path) -> Result<Option<Ffmpeg>, InternalError> {
        // Absolute, because the programs run in other folders.
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
                    Err(InternalError::new(message))
                }
                _ => Ok(None),
            };
        };
        let mut found = Ffmpeg { ffmpeg, ffprobe, version: String::new(), folder };
        let told = Process::new(&found.ffmpeg, ["-version"]).output(Duration::from_secs(20)).await;
        let told = told.context("cannot run ffmpeg; LYCEUM_FFMPEG=off does without it")?;
        let words = String::from_utf8_lossy(&told.output);
        found.version = words.split_whitespace().nth(2).unwrap_or("of an unknown version").to_owned();
        Ok(Some(found))
    }

    /// The version that `ffmpeg` reports.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Creates a workspace. It is removed when it is dropped, or at the next start after a crash.
    ///
    /// # Errors
    /// The folder can't be created.
    pub async fn workspace(&self) -> Result<Workspace, InternalError> {
        Workspace::make(&self.folder).await
    }
}
