//! Commands for uploads: create, sign URLs, cancel.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Leftovers, remove_later, tell};
use crate::accounts::{UserId, viewer};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{self, Turn};
use crate::graphql::{Error, Result};
use crate::media::error;
use crate::media::model::{
    CancelUploadInput, LARGEST_WHOLE, NewUpload, PartUrl, Target, Upload, UploadId, UploadPartUrlsInput, UploadPurpose,
    UploadStatus, part_bytes,
};
use crate::media::policy;
use crate::media::query::upload as query;
use crate::platform::App;
use crate::platform::auth::{Actor, Role};
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::storage::Part;

/// The maximum number of part URLs per request.
const URLS: usize = 100;
const LONGEST_FILENAME: usize = 255;
/// The window in which uploads that are open to students are counted, and their maximum number in it.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
const MOST_IN_WINDOW: usize = 10;
/// The maximum size of a file with a declared SHA-256, in bytes.
///
/// An attempt to complete the upload may have to read the whole file before its lease expires.
const LARGEST_SUMMED: i64 = 32 << 30;

/// Creates an upload, whose file will be attached to `target`, if there is one.
///
/// # Errors
/// The input is invalid, or has another purpose than the target needs; the actor lacks the role for the target, has too
/// many uploads in progress, or has used up the quota.
pub async fn create_upload(app: &App, actor: &Actor, input: NewUpload, target: Option<Target>) -> Result<Upload> {
    let user_id = viewer(actor)?;
    if !policy::can_upload(actor, target.as_ref()) {
        return Err(Error::Forbidden("Only instructors upload files other than their own picture.".into()));
    }
    let needed = target.as_ref().map(|target| target.purpose);
    let purpose = input.purpose.or(needed).unwrap_or(UploadPurpose::Video);
    if let Some(needed) = needed.filter(|needed| *needed != purpose) {
        return Err(error::other_purpose(needed));
    }
    let (filename, sha256) = check(app, &input, purpose)?;
    let is_for_everybody = target.as_ref().is_some_and(|target| target.role == Role::Student);
    let target = target.map(|target| target.value);
    let (now, size) = (app.clock.now(), input.size_bytes.0);
    let mutation = format!("createUpload {target:?}");
    let in_parts = input.multipart || size > LARGEST_WHOLE;
    let mut upload = Upload {
        id: UploadId::new(app.clock.uuid()),
        user_id,
        purpose,
        filename,
        content_type: input.content_type.clone(),
        size_bytes: size,
        sha256,
        part_bytes: in_parts.then(|| part_bytes(size)),
        multipart_id: None,
        status: UploadStatus::Created,
        received_bytes: 0,
        failure: None,
        created_at: now,
        expires_at: now + app.config.uploads.lifetime,
        completing_by: None,
        completing_until: None,
        ended_at: None,
        attach_to: target,
        attached_at: None,
        attached_to: None,
        attach_failure: None,
    };
    let (most, quota) = (app.config.uploads.at_a_time, app.config.uploads.quota);
    let earlier = app
        .db
        .transaction(async |tx| {
            let claimed = match input.once.claim(tx, app, user_id.uuid(), &mutation, &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return query::lock(tx, id).await?.ok_or_else(idempotency::gone).map(Some),
            };
            query::lock_user(tx, user_id).await?;
            if let Some(target) = upload.attach_to.as_ref().filter(|_| is_for_everybody) {
                check_rate(tx, user_id, target, now).await?;
            }
            if query::count_open(tx, user_id, now).await? >= most {
                return Err(error::too_many_uploads(most));
            }
            if let Some(quota) = quota {
                let stored = query::stored_bytes(tx, user_id, now).await?;
                if size > quota - stored {
                    return Err(error::no_room(stored, quota));
                }
            }
            query::insert(tx, &upload).await?;
            claimed.keep(tx, upload.id.uuid()).await?;
            Ok(None)
        })
        .await?;
    if let Some(earlier) = earlier {
        return Ok(earlier);
    }
    if in_parts {
        upload.multipart_id = Some(begin_parts(app, &upload).await?);
    }
    Ok(upload)
}

/// Limits how often a user replaces what everybody may upload.
///
/// The previous file leaves the quota of its owner at once, so that the quota is no limit.
async fn check_rate(tx: &mut Tx, user: UserId, target: &Value, now: DateTime<Utc>) -> Result<()> {
    let begun = query::begun(tx, user, target, now - WINDOW).await?;
    match begun.first().filter(|_| begun.len() >= MOST_IN_WINDOW) {
        Some(first) => Err(Error::RateLimited { wait: (*first + WINDOW - now).to_std().unwrap_or(Duration::ZERO) }),
        None => Ok(()),
    }
}

/// Validates the input. Returns the filename and the declared SHA-256.
fn check(app: &App, input: &NewUpload, purpose: UploadPurpose) -> Result<(String, Option<Vec<u8>>)> {
    let mut check = Check::new();
    let filename = check.required("filename", &input.filename, LONGEST_FILENAME);
    let types = purpose.types();
    if !types.contains(&input.content_type.as_str()) {
        let what = format!("is not a type for the purpose {}; allowed are {}", purpose.as_str(), types.join(", "));
        check.malformed("contentType", &input.content_type, &what);
    }
    let (size, largest) = (input.size_bytes.0, purpose.largest(app.config.uploads.largest));
    if !(1..=largest).contains(&size) {
        let message = format!("The file has {size} bytes; 1 to {largest} are allowed.");
        check.error(UserErrorCode::OutOfRange, "sizeBytes", message);
    }
    let sha256 = input.sha256.as_ref().and_then(|text| hex::decode(text).ok()).filter(|sum| sum.len() == 32);
    if let (Some(text), None) = (&input.sha256, &sha256) {
        check.malformed("sha256", text, "is not a SHA-256; it has 64 hexadecimal digits");
    }
    if sha256.is_some() && size > LARGEST_SUMMED {
        let message = format!("A SHA-256 can be announced of files of at most {LARGEST_SUMMED} bytes.");
        check.error(UserErrorCode::NotAllowed, "sha256", message);
    }
    check.finish()?;
    Ok((filename, sha256))
}

/// Creates the multipart upload in the store. The row exists already, so the sweep cleans up after a failure.
async fn begin_parts(app: &App, upload: &Upload) -> Result<String> {
    let key = upload.arrival_key();
    let begun = app.storage.begin_parts(&key, &upload.headers()).await;
    let noted = match &begun {
        Ok(id) => query::set_multipart_id(&mut app.db.write().await?, upload.id, id).await?,
        Err(_) => false,
    };
    match begun {
        Ok(id) if noted => Ok(id),
        Ok(id) => {
            app.storage.abort_parts(&key, &id).await?;
            Err(error::no_such_upload())
        }
        Err(error) => {
            // The upload is unusable and would count as one in progress.
            cancel(app, upload.id).await?;
            Err(error.into())
        }
    }
}

/// Returns one of the actor's uploads. Other users' uploads are reported as not found.
///
/// # Errors
/// The upload does not exist; the actor is not signed in.
pub async fn own(app: &App, actor: &Actor, id: UploadId) -> Result<Upload> {
    let user = viewer(actor)?;
    let found = query::find(&mut *app.db.read().await?, id).await?;
    found.filter(|upload| upload.user_id == user).ok_or_else(error::no_such_upload)
}

/// Like [`own`], but returns `None` if the upload does not exist.
///
/// # Errors
/// The actor is not signed in.
pub async fn find_own(app: &App, actor: &Actor, id: UploadId) -> Result<Option<Upload>> {
    match own(app, actor, id).await {
        Err(Error::Invalid(_)) => Ok(None),
        found => found.map(Some),
    }
}

/// Returns a completed upload whose file is to be attached; `None` if it was attached, has no target, or is gone.
///
/// # Errors
/// The database failed.
pub async fn unattached(app: &App, id: UploadId) -> std::result::Result<Option<Upload>, InternalError> {
    let found = query::find(&mut *app.db.read().await?, id).await?;
    Ok(found.filter(|upload| upload.status == UploadStatus::Completed && upload.is_unattached()))
}

/// Returns the numbers and sizes of the received parts.
///
/// # Errors
/// The store failed.
pub async fn arrived_parts(app: &App, upload: &Upload) -> std::result::Result<Vec<(i32, i64)>, InternalError> {
    let Some(id) = upload.multipart_id.as_deref().filter(|_| upload.is_open(app.clock.now())) else {
        return Ok(Vec::new());
    };
    let parts = app.storage.parts(&upload.arrival_key(), id).await?;
    Ok(parts.into_iter().map(|part| (part.number, part.size)).collect())
}

/// Returns the URL for a single-request upload.
///
/// `None` for a multipart upload, or if the upload has ended or expired.
///
/// # Errors
/// The URL cannot be signed.
pub async fn whole_url(app: &App, upload: &Upload) -> std::result::Result<Option<String>, InternalError> {
    let now = app.clock.now();
    if upload.part_bytes.is_some() || !upload.is_open(now) {
        return Ok(None);
    }
    let (length, lifetime) = (u64::try_from(upload.size_bytes)?, time_left(upload, now));
    let (key, sha256) = (upload.arrival_key(), upload.sha256.as_deref());
    app.storage.presign_put(&key, &upload.content_type, length, sha256, lifetime).await.map(Some)
}

fn time_left(upload: &Upload, now: DateTime<Utc>) -> Duration {
    (upload.expires_at - now).to_std().unwrap_or_default().max(Duration::from_secs(1))
}

/// Returns new URLs for parts, and the upload with its current progress.
///
/// # Errors
/// The upload does not exist, has ended, or is not in parts; a part number is invalid.
pub async fn part_urls(app: &App, actor: &Actor, input: UploadPartUrlsInput) -> Result<(Upload, Vec<PartUrl>)> {
    let upload = own(app, actor, input.upload_id).await?;
    let now = app.clock.now();
    if !upload.is_open(now) {
        return Err(error::ended(&upload));
    }
    let id = upload.multipart_id.as_deref().ok_or_else(error::not_in_parts)?;
    let key = upload.arrival_key();
    let arrived = app.storage.parts(&key, id).await?;
    let numbers = match input.numbers {
        Some(numbers) => checked(&upload, numbers)?,
        None => {
            let missing = |number: &i32| arrived.iter().all(|part| part.number != *number);
            (1..=upload.part_count()).filter(missing).take(URLS).collect()
        }
    };
    let mut urls = Vec::with_capacity(numbers.len());
    for number in numbers {
        let size = upload.part_size(number).unwrap_or_default();
        let url = app.storage.presign_part(&key, id, number, size, time_left(&upload, now)).await?;
        urls.push(PartUrl { number, size, url });
    }
    Ok((note_received(app, upload.id, received(&upload, &arrived)).await?, urls))
}

fn checked(upload: &Upload, numbers: Vec<i32>) -> Result<Vec<i32>> {
    if !(1..=URLS).contains(&numbers.len()) {
        let message = format!("{} parts are named; 1 to {URLS} are allowed.", numbers.len());
        return Err(Error::invalid(UserErrorCode::OutOfRange, &["numbers"], message));
    }
    match numbers.iter().find(|number| upload.part_size(**number).is_none()) {
        None => Ok(numbers),
        Some(wrong) => {
            let message = format!("There is no part {wrong}; the parts are 1 to {}.", upload.part_count());
            Err(Error::invalid(UserErrorCode::OutOfRange, &["numbers"], message))
        }
    }
}

/// Returns the number of bytes received; parts of the wrong size do not count.
pub(super) fn received(upload: &Upload, parts: &[Part]) -> i64 {
    parts.iter().filter(|part| upload.part_size(part.number) == Some(part.size)).map(|part| part.size).sum()
}

/// Stores and publishes the number of bytes received.
pub(super) async fn note_received(app: &App, id: UploadId, received: i64) -> Result<Upload> {
    app.db
        .transaction(async |tx| {
            let upload = query::lock(tx, id).await?.ok_or_else(error::no_such_upload)?;
            if upload.ended_at.is_some() || upload.received_bytes == received || received > upload.size_bytes {
                return Ok(upload);
            }
            let status = if received > 0 { UploadStatus::Uploading } else { UploadStatus::Created };
            let upload = query::set_received(tx, id, received, status).await?;
            tell(tx, app, &upload).await?;
            Ok(upload)
        })
        .await
}

/// Cancels an upload and deletes what was received. Does nothing if it is already canceled.
///
/// # Errors
/// The upload does not exist, is being completed, or has ended with another outcome.
pub async fn cancel_upload(app: &App, actor: &Actor, input: CancelUploadInput) -> Result<Upload> {
    let upload = own(app, actor, input.upload_id).await?;
    cancel(app, upload.id).await
}

/// Like [`cancel_upload`], but without authorization.
pub(super) async fn cancel(app: &App, id: UploadId) -> Result<Upload> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let upload = query::lock(tx, id).await?.ok_or_else(error::no_such_upload)?;
            match upload.status {
                UploadStatus::Canceled => return Ok(upload),
                status if status.is_end() => return Err(error::ended(&upload)),
                _ if upload.is_completing(now) => return Err(error::being_completed()),
                _ => {}
            }
            let upload = query::end(tx, &upload, UploadStatus::Canceled, None, now).await?;
            remove_later(tx, app, &upload, "canceled", &Leftovers::of(&upload)).await?;
            tell(tx, app, &upload).await?;
            Ok(upload)
        })
        .await
}
