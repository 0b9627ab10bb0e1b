//! Settings of video conversion and playback.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// The settings of video conversion and playback.
#[derive(Clone, Debug)]
pub struct Video {
    /// Where `ffmpeg` and `ffprobe` are looked for.
    pub ffmpeg: Ffmpeg,
    /// The maximum number of videos that this process converts concurrently.
    pub transcodes: usize,
    /// How long playback URLs stay valid beyond the video's duration.
    pub playback: Duration,
    /// Whether players get the URL of the original although there is HLS.
    pub serve_originals: bool,
    /// The maximum number of sessions of one user that play concurrently; 0 means no limit.
    pub max_players: usize,
    /// The share of a video that completes its lesson when it was watched, in percent.
    pub completion_percent: i32,
    /// The retention of deleted or replaced videos and of unused files, which can be used again.
    pub grace: Duration,
}

/// Where `ffmpeg` and `ffprobe` are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ffmpeg {
    /// On the `PATH`; they may be missing.
    Path,
    /// In this folder; it is an error if they are missing.
    Folder(PathBuf),
    /// Disabled.
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
            transcodes: reader.number("LYCEUM_TRANSCODES", 1..=64) as usize,
            playback: Duration::from_secs(60 * reader.number("LYCEUM_PLAYBACK_MINUTES", 1..=1440)),
            serve_originals: reader.choice("LYCEUM_SERVE_ORIGINALS", &["until-converted", "always"]) == "always",
            max_players: reader.number("LYCEUM_MAX_PLAYERS", 0..=1000) as usize,
            completion_percent: i32::try_from(reader.number("LYCEUM_COMPLETION_PERCENT", 1..=100)).unwrap_or(100),
            grace: Duration::from_secs(86_400 * reader.number("LYCEUM_VIDEO_GRACE_DAYS", 0..=365)),
        }
    }
}
