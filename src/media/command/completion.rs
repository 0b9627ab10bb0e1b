//! Completes uploads: turns an uploaded file into a video, a picture or a download.
//!
//! Completion is triggered by an event of the store, by the client, or by polling ([`super::watch_uploads`]). The first
//! trigger starts an attempt under a lease; the others wait for its outcome. An attempt accesses the store outside of
//! transactions, then checks in a transaction that it still holds the lease, and commits its outcome.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{LEASE, Leftovers, own, remove_later, tell};
use crate::graphql::Result;
use crate::media::error;
use crate::media::event::{FileUploaded, VideoUploaded};
use crate::media::model::{CompleteUploadInput, SIGNATURE_LENGTH, Upload, UploadId, UploadPurpose, UploadStatus};
use crate::media::query::{file, upload as query};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;
use crate::platform::picture::{self, Picture};

/// How long a request waits for the outcome; a longer attempt continues in the background.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// The pause between renewals of the lease, a third of it.
const RENEWAL: Duration = Duration::from_secs(20);
/// How long a new video is kept at least, however short the grace period is, so that something can show it.
const UNSHOWN: Duration = Duration::from_secs(86_400);

/// The outcome of an attempt.
pub(crate) enum Outcome {
    /// The upload has ended, in this attempt or before.
    Ended(Upload),
    /// Another attempt is running.
    Busy(Upload),
    /// The file has not been received completely.
    NotThere(String),
}

/// Completes an upload after the file is uploaded.
///
/// If that takes too long (a large multipart upload), the upload is returned as it is and completes in the background.
///
/// # Errors
/// The upload does not exist or has ended; the file is missing or does not match its declaration.
pub async fn complete_upload(app: &App, actor: &Actor, input: CompleteUploadInput) -> Result<Upload> {
    let mut upload = own(app, actor, input.upload_id).await?;
    let deadline = Instant::now() + PATIENCE;
    if upload.is_open(app.clock.now()) {
        // A separate task, so that the attempt does not stop halfway when the request is canceled.
        let (own_app, id) = (app.clone(), upload.id);
        let attempt = app.tasks.spawn(async move { finish(&own_app, id).await });
        upload = match timeout(PATIENCE, attempt).await {
            Err(_) => return Ok(upload),
            Ok(outcome) => match outcome?? {
                Outcome::Ended(upload) => upload,
                Outcome::Busy(upload) => wait(app, upload, deadline).await?,
                Outcome::NotThere(why) => return Err(error::not_arrived(why)),
            },
        };
        if upload.is_completing(app.clock.now()) {
            return Ok(upload);
        }
    }
    if upload.status == UploadStatus::Completed { Ok(upload) } else { Err(error::ended(&upload)) }
}

/// Waits for the outcome of another attempt.
async fn wait(app: &App, mut upload: Upload, deadline: Instant) -> Result<Upload> {
    while upload.is_completing(app.clock.now()) && Instant::now() < deadline {
        sleep(POLL).await;
        let found = query::find(&mut *app.db.read().await?, upload.id).await?;
        upload = found.ok_or_else(error::no_such_upload)?;
    }
    Ok(upload)
}

/// Attempts to complete an upload, unless it has ended or another attempt is running.
///
/// # Errors
/// The database or the store failed; the attempt can be retried.
pub(crate) async fn finish(app: &App, id: UploadId) -> std::result::Result<Outcome, InternalError> {
    let attempt = app.clock.uuid();
    let upload = match claim(app, id, attempt).await? {
        Claim::Mine(upload) => upload,
        Claim::Others(outcome) => return Ok(outcome),
    };
    let gathered = tokio::select! {
        gathered = gather(app, &upload, attempt) => gathered,
        never = keep_lease(app, id, attempt) => match never {},
    };
    match gathered {
        Ok(found) => settle(app, &upload, attempt, found).await,
        Err(error) => {
            give_up(app, id, attempt).await?;
            Err(error)
        }
    }
}

enum Claim {
    Mine(Upload),
    Others(Outcome),
}

async fn claim(app: &App, id: UploadId, attempt: Uuid) -> std::result::Result<Claim, InternalError> {
    app.db
        .transaction(async |tx| {
            let now = app.clock.now();
            let Some(upload) = query::lock(tx, id).await? else {
                return Ok(Claim::Others(Outcome::NotThere("There is no such upload.".into())));
            };
            if !upload.is_open(now) {
                return Ok(Claim::Others(Outcome::Ended(upload)));
            }
            if upload.is_completing(now) {
                return Ok(Claim::Others(Outcome::Busy(upload)));
            }
            query::set_completing(tx, id, Some((attempt, now + LEASE)))
                .await
                .map(Claim::Mine)
                .map_err(InternalError::from)
        })
        .await
}

/// Renews the lease of an attempt until it is dropped.
///
/// If the database cannot be reached for as long as the lease, another attempt takes over, and [`settle`] notices.
async fn keep_lease(app: &App, id: UploadId, attempt: Uuid) -> Infallible {
    loop {
        sleep(RENEWAL).await;
        let until = app.clock.now() + LEASE;
        let renewed = app
            .db
            .transaction(async |tx| Ok::<_, InternalError>(query::renew_completing(tx, id, attempt, until).await?));
        if let Err(error) = renewed.await {
            tracing::warn!(error = error.report(), "the lease of an upload was not renewed");
        }
    }
}

/// Releases the lease, so that the next attempt can start.
async fn give_up(app: &App, id: UploadId, attempt: Uuid) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let upload = query::lock(tx, id).await?;
            if upload.is_some_and(|upload| upload.completing_by == Some(attempt)) {
                query::set_completing(tx, id, None).await?;
            }
            Ok(())
        })
        .await
}

/// What the store contains.
enum Found {
    Nothing(String),
    /// The file does not match its declaration.
    Wrong(String),
    Right {
        content_type: &'static str,
        sha256: Option<Vec<u8>>,
        /// Only of pictures.
        picture: Option<Picture>,
    },
}

/// Moves the file to its final key, where it can no longer change, and validates it.
async fn gather(app: &App, upload: &Upload, attempt: Uuid) -> std::result::Result<Found, InternalError> {
    let key = upload.kept_key(attempt);
    let nothing = || Ok(Found::Nothing("The file has not arrived.".into()));
    let mut sha256 = None;
    match &upload.part_bytes {
        Some(_) => {
            if let Some(why) = put_together(app, upload).await? {
                return Ok(Found::Nothing(why));
            }
        }
        None => {
            let draft = upload.arrival_key();
            let Some(sent) = app.storage.head(&draft).await? else { return nothing() };
            if let Some(wrong) = wrong_size(upload, sent.size) {
                return Ok(Found::Wrong(wrong));
            }
            let Some(copied) = app.storage.copy(&draft, &key, &upload.headers()).await? else { return nothing() };
            sha256 = copied.sha256;
        }
    }
    let Some(object) = app.storage.head(&key).await? else { return nothing() };
    if let Some(wrong) = wrong_size(upload, object.size) {
        return Ok(Found::Wrong(wrong));
    }
    let start = app.storage.start_of(&key, SIGNATURE_LENGTH).await?.unwrap_or_default();
    let content_type = match upload.purpose.recognise(&upload.content_type, &start) {
        Ok(content_type) => content_type,
        Err(wrong) => return Ok(Found::Wrong(wrong)),
    };
    if sha256.is_none() && upload.sha256.is_some() {
        sha256 = app.storage.sha256(&key).await?;
    }
    if let Some(wrong) = wrong_sum(upload, sha256.as_deref()) {
        return Ok(Found::Wrong(wrong));
    }
    let picture = match upload.purpose {
        UploadPurpose::Image => {
            let Some(file) = app.storage.get(&key).await? else { return nothing() };
            match picture::measure(file).await? {
                Ok(picture) => Some(picture),
                Err(wrong) => return Ok(Found::Wrong(wrong)),
            }
        }
        UploadPurpose::Video | UploadPurpose::File => None,
    };
    Ok(Found::Right { content_type, sha256, picture })
}

fn wrong_sum(upload: &Upload, sum: Option<&[u8]>) -> Option<String> {
    let (announced, sum) = (upload.sha256.as_deref()?, sum.unwrap_or_default());
    let message = || format!("The file's SHA-256 is {}; {} was announced.", hex::encode(sum), hex::encode(announced));
    (announced != sum).then(message)
}

fn wrong_size(upload: &Upload, size: u64) -> Option<String> {
    let right = u64::try_from(upload.size_bytes).is_ok_and(|announced| announced == size);
    (!right).then(|| format!("The file has {size} bytes; {} were announced.", upload.size_bytes))
}

/// Completes the multipart upload in the store; returns a message if parts are missing.
///
/// The list of parts comes from the store, not from the client.
async fn put_together(app: &App, upload: &Upload) -> std::result::Result<Option<String>, InternalError> {
    let Some(id) = &upload.multipart_id else { return Ok(Some("No part has arrived.".into())) };
    let (key, count) = (upload.arrival_key(), upload.part_count());
    let mut parts = app.storage.parts(&key, id).await?;
    parts.retain(|part| upload.part_size(part.number) == Some(part.size));
    let arrived = i32::try_from(parts.len()).unwrap_or(i32::MAX);
    if arrived == count && app.storage.complete_parts(&key, id, parts).await? {
        return Ok(None);
    }
    // An earlier attempt may have completed it and then failed.
    let done = app.storage.head(&key).await?.is_some();
    Ok((!done).then(|| format!("{arrived} of {count} parts have arrived.")))
}

/// Commits the outcome, unless another attempt has taken over after the lease expired.
async fn settle(
    app: &App,
    upload: &Upload,
    attempt: Uuid,
    found: Found,
) -> std::result::Result<Outcome, InternalError> {
    let key = upload.kept_key(attempt);
    app.db
        .transaction(async |tx| {
            let Some(current) = query::lock(tx, upload.id).await? else {
                return Ok(Outcome::NotThere("There is no such upload.".into()));
            };
            if current.completing_by != Some(attempt) {
                if key != upload.arrival_key() {
                    let copy = Leftovers { keys: vec![key.clone()], parts: None };
                    remove_later(tx, app, upload, &attempt.to_string(), &copy).await?;
                }
                return Ok(Outcome::Busy(current));
            }
            match &found {
                Found::Nothing(why) => {
                    query::set_completing(tx, upload.id, None).await?;
                    Ok(Outcome::NotThere(why.clone()))
                }
                Found::Wrong(why) => fail(tx, app, &current, key.clone(), why).await.map(Outcome::Ended),
                Found::Right { content_type, sha256, picture } => {
                    let sha256 = sha256.as_deref();
                    let arrived = query::Arrived { object_key: &key, content_type, sha256, picture: picture.as_ref() };
                    succeed(tx, app, &current, &arrived).await.map(Outcome::Ended)
                }
            }
        })
        .await
}

async fn fail(
    tx: &mut Tx,
    app: &App,
    upload: &Upload,
    key: String,
    why: &str,
) -> std::result::Result<Upload, InternalError> {
    let ended = query::end(tx, upload, UploadStatus::Failed, Some(why), app.clock.now()).await?;
    let mut leftovers = Leftovers::of(upload);
    leftovers.keys.push(key);
    remove_later(tx, app, upload, "failed", &leftovers).await?;
    tell(tx, app, &ended).await?;
    Ok(ended)
}

async fn succeed(
    tx: &mut Tx,
    app: &App,
    upload: &Upload,
    arrived: &query::Arrived<'_>,
) -> std::result::Result<Upload, InternalError> {
    let now = app.clock.now();
    match upload.purpose {
        UploadPurpose::Video => {
            // Deleted unless something shows it before.
            let delete_after = now + app.config.video.grace.max(UNSHOWN);
            query::insert_video(tx, upload, arrived, delete_after, now).await?;
            outbox::record(tx, &app.clock, &VideoUploaded { video_id: upload.video_id() }).await?;
        }
        UploadPurpose::Image | UploadPurpose::File => {
            file::insert(tx, upload, arrived, now).await?;
            outbox::record(tx, &app.clock, &FileUploaded { file_id: upload.file_id() }).await?;
        }
    }
    let ended = query::end(tx, upload, UploadStatus::Completed, None, now).await?;
    let draft = upload.arrival_key();
    if draft != arrived.object_key {
        remove_later(tx, app, upload, "completed", &Leftovers { keys: vec![draft], parts: None }).await?;
    }
    tell(tx, app, &ended).await?;
    Ok(ended)
}
