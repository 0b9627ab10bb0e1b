//! The clips that the lessons show. `make-clips.sh` has made them; `lyceum seed` needs no ffmpeg.

use std::collections::BTreeMap;

use bytes::Bytes;
use rust_embed::RustEmbed;

use crate::accounts::UserId;
use crate::media::{self, ImportedVideo, VideoId};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// Debug builds read the files from disk at run time.
#[derive(RustEmbed)]
#[folder = "src/cli/seed/clips"]
struct Files;

/// A clip, and the titles of its chapters with their starts in seconds.
pub(super) struct Clip {
    name: &'static str,
    seconds: i32,
    pub(super) chapters: [(i32, &'static str); 3],
}

pub(super) const CLIPS: [Clip; 3] = [
    Clip { name: "dawn", seconds: 72, chapters: [(0, "Welcome"), (20, "The player"), (50, "Renditions")] },
    Clip { name: "reef", seconds: 48, chapters: [(0, "Two rules"), (18, "Growth"), (36, "No end")] },
    Clip { name: "depth", seconds: 36, chapters: [(0, "Far away"), (9, "Closer"), (18, "Edges of edges")] },
];

/// Stores the clips with everything that the processing of an uploaded video makes; returns their ids.
pub(super) async fn import(app: &App, owner: UserId) -> Result<Vec<VideoId>, InternalError> {
    let mut ids = Vec::new();
    for clip in &CLIPS {
        let video = ImportedVideo {
            filename: format!("{}.mp4", clip.name),
            original: file(clip, "original.mp4")?,
            poster: file(clip, "poster.jpg")?,
            hls: hls(clip)?,
            duration_ms: i64::from(clip.seconds) * 1000,
            width: 1280,
            height: 720,
            captions: vec![
                ("de".into(), "Deutsch".into(), text(clip, "de.vtt")?),
                ("en".into(), "English".into(), text(clip, "en.vtt")?),
            ],
        };
        ids.push(media::import_video(app, owner, video).await?);
    }
    Ok(ids)
}

fn hls(clip: &Clip) -> Result<BTreeMap<String, Bytes>, InternalError> {
    let folder = format!("{}/hls/", clip.name);
    let paths = Files::iter().filter_map(|path| Some(path.strip_prefix(&folder)?.to_owned()));
    paths.map(|path| Ok((path.clone(), file(clip, &format!("hls/{path}"))?))).collect()
}

fn file(clip: &Clip, path: &str) -> Result<Bytes, InternalError> {
    let path = format!("{}/{path}", clip.name);
    let file = Files::get(&path).ok_or_else(|| InternalError::new(format!("{path} is not in the program")))?;
    Ok(file.data.into_owned().into())
}

fn text(clip: &Clip, path: &str) -> Result<String, InternalError> {
    Ok(String::from_utf8(file(clip, path)?.into())?)
}
