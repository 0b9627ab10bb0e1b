//! Processes uploaded videos: inspects and converts them in a local working directory.
//!
//! Processing is idempotent: each run writes the same objects.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

use super::encryption;
use crate::media::event::{VideoProcessed, VideoProgressed};
use crate::media::model::{Video, VideoId, VideoStatus};
use crate::media::query::process::{self as query, Progress};
use crate::media::query::video;
use crate::platform::App;
use crate::platform::db::Tx;
use crate::platform::ffmpeg::{Ffmpeg, Probe, Verdict, Workspace};
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::jobs::Postponed;
use crate::platform::outbox;

/// The minimum interval between progress updates.
const TOLD: Duration = Duration::from_secs(1);
/// The share of the conversion in the progress, in percent; the rest is the upload to the store.
const CONVERTING: f64 = 90.0;

/// Processes a video. Without `ffmpeg`, only the original can be played.
///
/// # Errors
/// The store, the database or the disk failed, or this node is stopping. The job must be retried.
pub(crate) async fn process(app: &App, id: VideoId) -> Result<(), InternalError> {
    let Some(video) = video::by_ids(&*app.db.read().await?, &[id]).await?.pop() else { return Ok(()) };
    let left = video.status == VideoStatus::Ready && video.failure.is_some();
    if video.status.is_end() && !left {
        return Ok(());
    }
    let Some(ffmpeg) = &app.ffmpeg else { return end(app, id, &at(app, VideoStatus::Ready, 100)).await };
    let work = ffmpeg.workspace().await?;
    let (told, heard) = watch::channel(0);
    let outcome = tokio::select! {
        outcome = make(app, ffmpeg, &work, &video, &told) => outcome?,
        () = follow(app, id, heard) => return Err(InternalError::new("nobody follows the progress any more")),
        () = app.stopping.cancelled() => return Err(Postponed(Duration::ZERO).into()),
    };
    match outcome {
        Ok(progress) => end(app, id, &progress).await,
        Err(why) => end(app, id, &Progress { failure: Some(why), ..at(app, VideoStatus::Failed, 0) }).await,
    }
}

/// Makes the original playable after processing has failed too often.
///
/// The cause was not the file itself. If the dead job is replayed and succeeds, its outcome replaces this one.
///
/// # Errors
/// The database failed.
pub(crate) async fn leave_original(app: &App, id: VideoId) -> Result<(), InternalError> {
    let video = video::by_ids(&*app.db.read().await?, &[id]).await?.pop();
    if video.is_none_or(|video| video.status.is_end()) {
        return Ok(());
    }
    let why = "It could not be converted here; the original plays.".to_owned();
    end(app, id, &Progress { failure: Some(why), ..at(app, VideoStatus::Ready, 100) }).await
}

fn at(app: &App, status: VideoStatus, progress_percent: i32) -> Progress {
    Progress {
        status,
        progress_percent,
        failure: None,
        duration_ms: None,
        width: None,
        height: None,
        poster_key: None,
        playlist_key: None,
        updated_at: app.clock.now(),
    }
}

/// Commits the outcome. If the video was deleted in the meantime, deletes its objects.
async fn end(app: &App, id: VideoId, progress: &Progress) -> Result<(), InternalError> {
    let there = app
        .db
        .transaction(async |tx| {
            let there = query::set(tx, id, progress).await?;
            let video = if there { video::lock(tx, id).await? } else { None };
            if let Some(video) = video {
                let event = VideoProcessed { video_id: id, duration_seconds: video.duration_seconds() };
                outbox::record(tx, &app.clock, &event).await?;
                tell(tx, app, id, progress.status, progress.progress_percent).await?;
            }
            Ok::<_, InternalError>(there)
        })
        .await?;
    if !there {
        app.storage.delete_below(&Video::folder(id)).await?;
    }
    Ok(())
}

/// Publishes the progress of the processing to its subscribers.
async fn tell(tx: &mut Tx, app: &App, id: VideoId, status: VideoStatus, percent: i32) -> Result<(), InternalError> {
    outbox::record(tx, &app.clock, &VideoProgressed { video_id: id, status, percent }).await.map(drop)
}

/// Stores the progress received from the channel, at most once per interval; never returns.
async fn follow(app: &App, id: VideoId, mut heard: watch::Receiver<i32>) {
    while heard.changed().await.is_ok() {
        let percent = *heard.borrow_and_update();
        let written = app.db.transaction(async |tx| {
            if query::set_percent(tx, id, percent).await? {
                tell(tx, app, id, VideoStatus::Processing, percent).await?;
            }
            Ok::<_, InternalError>(())
        });
        if let Err(error) = written.await {
            tracing::warn!(error = error.report(), "a video's progress was not written");
        }
        tokio::time::sleep(TOLD).await;
    }
    std::future::pending().await
}

/// Creates the poster image and the renditions, or returns why the file is unusable.
async fn make(
    app: &App,
    ffmpeg: &Ffmpeg,
    work: &Workspace,
    video: &Video,
    told: &watch::Sender<i32>,
) -> Result<Verdict<Progress>, InternalError> {
    let original = work.file("original");
    if !app.storage.download(&video.object_key, &original).await? {
        return Ok(Err("The file has disappeared.".into()));
    }
    let probe = match ffmpeg.probe(&original).await? {
        Ok(probe) => probe,
        Err(why) => return Ok(Err(why)),
    };
    let mut progress = Progress {
        duration_ms: Some(i64::try_from(probe.duration.as_millis())?),
        width: Some(probe.width),
        height: Some(probe.height),
        ..at(app, VideoStatus::Processing, 0)
    };
    app.db
        .transaction(async |tx| {
            query::set(tx, video.id, &progress).await.context("a video")?;
            tell(tx, app, video.id, VideoStatus::Processing, 0).await
        })
        .await?;
    let folder = Video::folder(video.id);
    let poster = work.file("poster.jpg");
    if let Err(why) = ffmpeg.poster(&original, &probe, &poster).await? {
        return Ok(Err(why));
    }
    let poster_key = format!("{folder}poster.jpg");
    app.storage.put_file(&poster_key, "image/jpeg", &poster).await?;
    let Some(secret) = encryption::secret(app, video.id).await? else {
        return Ok(Err("The video was deleted.".into()));
    };
    if let Err(why) = convert(app, ffmpeg, work, (&original, &probe, &folder), secret, told).await? {
        return Ok(Err(why));
    }
    progress.status = VideoStatus::Ready;
    progress.progress_percent = 100;
    progress.poster_key = Some(poster_key);
    progress.playlist_key = Some(format!("{folder}hls/master.m3u8"));
    Ok(Ok(progress))
}

/// Creates the renditions of `original`, encrypts them with the keys of `secret` and uploads them below `folder`.
async fn convert(
    app: &App,
    ffmpeg: &Ffmpeg,
    work: &Workspace,
    (original, probe, folder): (&Path, &Probe, &str),
    secret: Vec<u8>,
    told: &watch::Sender<i32>,
) -> Result<Verdict<()>, InternalError> {
    let hls = work.file("hls");
    tokio::fs::create_dir(&hls).await?;
    let tell = |percent: f64| {
        told.send_if_modified(|last| {
            // Progress never decreases, and reaches 100 only with the outcome.
            let percent = (percent as i32).clamp(*last, 99);
            std::mem::replace(last, percent) != percent
        });
    };
    if let Err(why) = ffmpeg.hls(original, probe, &hls, |part| tell(part * CONVERTING)).await? {
        return Ok(Err(why));
    }
    encryption::encrypt(hls.clone(), secret).await?;
    let files = files_below(hls.clone()).await?;
    let whole = files.len().max(1) as f64;
    for (number, file) in files.iter().enumerate() {
        let name = file.strip_prefix(&hls)?.to_string_lossy();
        app.storage.put_file(&format!("{folder}hls/{name}"), content_type(&name), file).await?;
        tell(CONVERTING + (100.0 - CONVERTING) * (number as f64 / whole));
    }
    Ok(Ok(()))
}

pub(super) fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("m4s") => "video/iso.segment",
        _ => "video/mp4",
    }
}

/// Lists the files below a folder, playlists last.
///
/// In this order, a stored playlist only names stored files.
async fn files_below(folder: PathBuf) -> Result<Vec<PathBuf>, InternalError> {
    let listed = tokio::task::spawn_blocking(move || {
        let (mut folders, mut files) = (vec![folder], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let place = if entry.file_type()?.is_dir() { &mut folders } else { &mut files };
                place.push(entry.path());
            }
        }
        files.sort_by_key(|file| (file.extension().is_some_and(|ending| ending == "m3u8"), file.clone()));
        Ok::<_, std::io::Error>(files)
    });
    listed.await?.context("list what was made of a video")
}
