//! Settings of videos.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// How videos are converted and played.
#[derive(Clone, Debug)]
pub struct Video {
    /// Where `ffmpeg` and `ffprobe` are looked for.
    pub ffmpeg: Ffmpeg,
    /// Videos that are converted at a time.
    pub transcodes: usize,
    /// How long addresses to play from are good beyond the video's length.
    pub playback: Duration,
    /// Sessions of one user that play at a time; 0 is no limit.
    pub max_players: usize,
    /// How long a deleted or replaced video, or an unused file, can be used again.
    pub grace: Duration,
}

/// Where `ffmpeg` and `ffprobe` are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ffmpeg {
    /// On the search path; it is no problem if they are not there.
    Path,
    /// In this folder, where they have to be.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}

impl Video {
    pub(super) fn read(reader: &mut Reader) -> Video {
        let ffmpeg = match reader.text("LYCEUM_FFMPEG") {
            None => Ffmpeg::Path,
            Some("off") => Ffmpeg::Off,
            Some(folder) => Ffmpeg::Folder(folder.into()),
        };
        Video {
            ffmpeg,
            transcodes: reader.number("LYCEUM_TRANSCODES", 1, 1..=64) as usize,
            playback: Duration::from_secs(60 * reader.number("LYCEUM_PLAYBACK_MINUTES", 30, 1..=1440)),
            max_players: reader.number("LYCEUM_MAX_PLAYERS", 0, 0..=1000) as usize,
            grace: Duration::from_secs(86_400 * reader.number("LYCEUM_VIDEO_GRACE_DAYS", 7, 0..=365)),
        }
    }
}
