//! Tickets: giving them out, giving out URLs for them, giving them up.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Leftovers, remove_later, tell};
use crate::accounts::viewer;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::page::Page;
use crate::graphql::{Error, Result};
use crate::media::error;
use crate::media::model::{
    CancelUploadInput, CreateUploadInput, LARGEST_WHOLE, PartUrl, Upload, UploadId, UploadPartUrlsInput, UploadPurpose,
    UploadStatus, part_bytes,
};
use crate::media::policy;
use crate::media::query::upload as query;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;
use crate::platform::storage::Part;

/// URLs that are given out at a time.
const URLS: usize = 100;
const LONGEST_FILENAME: usize = 255;
/// The largest file whose SHA-256 can be announced: an attempt to complete it may have to read all of it, and must end
/// before another one begins.
const LARGEST_SUMMED: i64 = 32 << 30;

/// Gives out the permission to upload a file.
///
/// # Errors
/// The input's mistakes; the actor does not teach, or has too many uploads in progress.
pub(crate) async fn create_upload(app: &App, actor: &Actor, input: CreateUploadInput) -> Result<Upload> {
    let user_id = viewer(actor)?;
    if !policy::can_upload(actor) {
        return Err(Error::Forbidden("Only instructors upload files.".into()));
    }
    let (filename, sha256) = check(app, &input)?;
    let (now, size) = (app.clock.now(), input.size_bytes.0);
    let in_parts = input.multipart || size > LARGEST_WHOLE;
    let mut upload = Upload {
        id: UploadId::new(app.clock.uuid()),
        user_id,
        purpose: input.purpose,
        filename,
        content_type: input.content_type,
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
    };
    let most = app.config.uploads.at_a_time;
    app.db
        .transaction(async |tx| {
            query::lock_user(tx, user_id).await?;
            if query::count_open(tx, user_id, now).await? >= most {
                return Err(error::too_many_uploads(most));
            }
            query::insert(tx, &upload).await?;
            Ok(())
        })
        .await?;
    if in_parts {
        upload.multipart_id = Some(begin_parts(app, &upload).await?);
    }
    Ok(upload)
}

/// The file's name and its SHA-256, if that was announced.
fn check(app: &App, input: &CreateUploadInput) -> Result<(String, Option<Vec<u8>>)> {
    let mut check = Check::new();
    let filename = match input.purpose {
        // Others see it, among the files on their disk.
        UploadPurpose::File => check.name("filename", &input.filename, LONGEST_FILENAME),
        _ => check.required("filename", &input.filename, LONGEST_FILENAME),
    };
    let types = input.purpose.types();
    if !types.contains(&input.content_type.as_str()) {
        let message = format!("{} is one of {}.", input.purpose.as_str(), types.join(", "));
        check.error(UserErrorCode::Invalid, "contentType", message);
    }
    let (size, largest) = (input.size_bytes.0, input.purpose.largest(app.config.uploads.largest));
    if !(1..=largest).contains(&size) {
        let message = format!("The file has {size} bytes; 1 to {largest} are allowed.");
        check.error(UserErrorCode::OutOfRange, "sizeBytes", message);
    }
    let sha256 = input.sha256.as_ref().and_then(|text| hex::decode(text).ok()).filter(|sum| sum.len() == 32);
    if input.sha256.is_some() && sha256.is_none() {
        check.error(UserErrorCode::Invalid, "sha256", "A SHA-256 has 64 hexadecimal digits.");
    }
    if sha256.is_some() && size > LARGEST_SUMMED {
        let message = format!("A SHA-256 can be announced of files of at most {LARGEST_SUMMED} bytes.");
        check.error(UserErrorCode::NotAllowed, "sha256", message);
    }
    check.finish()?;
    Ok((filename, sha256))
}

/// Asks the store for an upload in parts. The ticket is there already, so that whatever happens is found by the sweep.
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
            // It is good for nothing and would count as one in progress.
            cancel(app, upload.id).await?;
            Err(error.into())
        }
    }
}

/// The actor's own upload. Somebody else's does not exist.
///
/// # Errors
/// There is no such upload.
pub(crate) async fn own(app: &App, actor: &Actor, id: UploadId) -> Result<Upload> {
    let user = viewer(actor)?;
    let found = query::find(&mut *app.db.read().await?, id).await?;
    found.filter(|upload| upload.user_id == user).ok_or_else(error::no_such_upload)
}

/// The same; `None` if there is none.
///
/// # Errors
/// Nobody is signed in.
pub(crate) async fn find_own(app: &App, actor: &Actor, id: UploadId) -> Result<Option<Upload>> {
    match own(app, actor, id).await {
        Err(Error::Invalid(_)) => Ok(None),
        found => found.map(Some),
    }
}

/// A page of the actor's uploads that stand there, and, if wanted, how many there are in all.
///
/// # Errors
/// Nobody is signed in.
pub(crate) async fn list_own(
    app: &App,
    actor: &Actor,
    statuses: &[UploadStatus],
    page: &Page<query::UploadKey>,
    wants_total: bool,
) -> Result<(Vec<Upload>, i64)> {
    let user = viewer(actor)?;
    let mut conn = app.db.read().await?;
    let rows = query::of_user(&mut conn, user, statuses, page).await?;
    let total = if wants_total { query::count_of_user(&mut conn, user, statuses).await? } else { 0 };
    Ok((rows, total))
}

/// The numbers and lengths of the parts that have arrived.
///
/// # Errors
/// The store failed.
pub(crate) async fn arrived_parts(app: &App, upload: &Upload) -> std::result::Result<Vec<(i32, i64)>, InternalError> {
    let Some(id) = upload.multipart_id.as_deref().filter(|_| upload.is_open(app.clock.now())) else {
        return Ok(Vec::new());
    };
    let parts = app.storage.parts(&upload.arrival_key(), id).await?;
    Ok(parts.into_iter().map(|part| (part.number, part.size)).collect())
}

/// Where to send a file whole; `None` if it is sent in parts, or the upload is over.
///
/// # Errors
/// The URL can't be signed.
pub(crate) async fn whole_url(app: &App, upload: &Upload) -> std::result::Result<Option<String>, InternalError> {
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

/// Fresh URLs for parts, and what has arrived so far.
///
/// # Errors
/// There is no such upload, it is over or not in parts; there are no such parts.
pub(crate) async fn part_urls(app: &App, actor: &Actor, input: UploadPartUrlsInput) -> Result<(Upload, Vec<PartUrl>)> {
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

/// How many bytes have arrived; a part of a wrong length is none.
pub(super) fn received(upload: &Upload, parts: &[Part]) -> i64 {
    parts.iter().filter(|part| upload.part_size(part.number) == Some(part.size)).map(|part| part.size).sum()
}

/// Notes, and tells, how many bytes have arrived.
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

/// Gives an upload up and removes what has arrived. Once more changes nothing.
///
/// # Errors
/// There is no such upload, or it has ended otherwise.
pub(crate) async fn cancel_upload(app: &App, actor: &Actor, input: CancelUploadInput) -> Result<Upload> {
    let upload = own(app, actor, input.upload_id).await?;
    cancel(app, upload.id).await
}

/// The same, without asking who wants it.
pub(super) async fn cancel(app: &App, id: UploadId) -> Result<Upload> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let upload = query::lock(tx, id).await?.ok_or_else(error::no_such_upload)?;
            match upload.status {
                UploadStatus::Cancelled => return Ok(upload),
                status if status.is_end() => return Err(error::ended(&upload)),
                _ if upload.is_completing(now) => return Err(error::being_completed()),
                _ => {}
            }
            let upload = query::end(tx, &upload, UploadStatus::Cancelled, None, now).await?;
            remove_later(tx, app, &upload, "cancelled", &Leftovers::of(&upload)).await?;
            tell(tx, app, &upload).await?;
            Ok(upload)
        })
        .await
}
