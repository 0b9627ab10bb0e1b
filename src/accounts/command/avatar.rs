//! Commands for user pictures. The file goes directly from the client to the object store:
//!
//! 1. [`create_upload`] returns a presigned URL that accepts one file of the announced type and size;
//! 2. the client uploads the file there;
//! 3. [`complete_upload`] copies the file to its public key, validates the copy, and sets it as the user's picture;
//! 4. a job makes the JPEG files that pages show ([`process`]).
//!
//! [`sweep_uploads`] removes uploads that were not completed, and files that were uploaded too late.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::session::viewer;
use crate::accounts::event::UserChanged;
use crate::accounts::model::{
    AvatarUpload, AvatarUploadId, CompleteAvatarUploadInput, CreateAvatarUploadInput, LARGEST_AVATAR,
    RemoveAvatarInput, StartedUpload, UPLOAD_LIFETIME, User, UserId, renditions,
};
use crate::accounts::query::{avatar as query, user};
use crate::accounts::{error, policy};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::idempotency::{self, Turn};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;
use crate::platform::image::ImageType;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::outbox;
use crate::platform::picture::{self, Picture, Verdict};
use crate::platform::storage::Headers;

/// The job that deletes an object from the object store.
pub(crate) const DELETE_OBJECT: &str = "accounts.delete_object";
/// The job that makes the renditions of a picture.
pub(crate) const PROCESS_AVATAR: &str = "accounts.process_avatar";
/// How many uploads a user may begin within [`UPLOAD_LIFETIME`].
const MOST_UPLOADS: usize = 10;
/// How long after its expiry an upload is swept.
///
/// A transfer that began in time may still end then.
const LATE: TimeDelta = TimeDelta::minutes(15);

/// Creates an upload with a presigned URL for a picture of the viewer.
///
/// # Errors
/// The input is invalid; rate limited if the viewer has begun too many uploads.
pub(crate) async fn create_upload(app: &App, actor: &Actor, input: CreateAvatarUploadInput) -> Result<StartedUpload> {
    let user_id = viewer(actor)?;
    let image = check(&input)?;
    let now = app.clock.now();
    let new = AvatarUpload {
        id: AvatarUploadId::new(app.clock.uuid()),
        user_id,
        content_type: image.as_str().to_owned(),
        size_bytes: input.size_bytes,
        expires_at: now + UPLOAD_LIFETIME,
        ended_at: None,
    };
    let upload = app
        .db
        .transaction(async |tx| {
            let claimed = match input.once.claim(tx, app, user_id.uuid(), "createAvatarUpload", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return query::find(tx.conn(), id).await?.ok_or_else(idempotency::gone),
            };
            user::lock(tx, user_id).await?.ok_or_else(error::no_such_user)?;
            let expiries = query::expiries(tx, user_id, now).await?;
            if let Some(first) = expiries.first().filter(|_| expiries.len() >= MOST_UPLOADS) {
                return Err(Error::RateLimited { wait: (*first - now).to_std().unwrap_or(Duration::ZERO) });
            }
            query::insert(tx, &new).await?;
            claimed.keep(tx, new.id.uuid()).await?;
            Ok(new.clone())
        })
        .await?;
    let lifetime = (upload.expires_at - now).to_std().unwrap_or_default().max(Duration::from_secs(1));
    let length = u64::try_from(upload.size_bytes)?;
    let url = app.storage.presign_put(&upload.draft_key(), image.as_str(), length, None, lifetime).await?;
    Ok(StartedUpload { upload, url })
}

fn check(input: &CreateAvatarUploadInput) -> Result<ImageType> {
    let mut check = Check::new();
    let image = ImageType::named(&input.content_type);
    if image.is_none() {
        let message = "Pictures can be image/jpeg, image/png or image/webp.";
        check.error(UserErrorCode::Invalid, "contentType", message);
    }
    if !(1..=LARGEST_AVATAR).contains(&input.size_bytes) {
        let message = format!("The file has {} bytes; 1 to {LARGEST_AVATAR} are allowed.", input.size_bytes);
        check.error(UserErrorCode::OutOfRange, "sizeBytes", message);
    }
    check.finish()?;
    image.ok_or_else(|| InternalError::new("a media type was accepted and is none").into())
}

/// Sets the uploaded file as the viewer's picture.
///
/// A copy is validated, because the client can replace its own file for as long as the URL is valid. An upload can be
/// completed only once; if that fails halfway, the client must begin another one.
///
/// # Errors
/// There is no such upload, or nothing was uploaded; the file is not what was announced, in which case it is deleted.
pub(crate) async fn complete_upload(app: &App, actor: &Actor, input: CompleteAvatarUploadInput) -> Result<User> {
    let id = viewer(actor)?;
    let found = query::find(&mut *app.db.read().await?, input.upload_id).await?;
    let upload = found.filter(|upload| upload.user_id == id).ok_or_else(error::no_such_upload)?;
    let (draft, key) = (upload.draft_key(), upload.avatar_key());
    if upload.ended_at.is_none() && app.storage.head(&draft).await?.is_none() {
        return Err(if upload.expires_at > app.clock.now() { error::not_uploaded() } else { error::no_such_upload() });
    }
    if let Some(user) = claim(app, &upload).await? {
        return Ok(user);
    }
    let headers = Headers::of(&upload.content_type).kept_forever();
    let checked = match app.storage.copy(&draft, &key, &headers).await? {
        Some(_) => check_copy(app, &upload).await?,
        None => Err("The file has disappeared.".to_owned()),
    };
    app.db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            delete_object(tx, app, &draft).await?;
            let Ok(picture) = &checked else {
                delete_object(tx, app, &key).await?;
                return Ok(user);
            };
            let (payload, once) = (json!({ "user_id": id, "key": key }), format!("{PROCESS_AVATAR}/{key}"));
            jobs::enqueue(tx, &app.clock, PROCESS_AVATAR, &payload, &once).await?;
            Ok(set_avatar(tx, app, &user, Some((&key, picture))).await?)
        })
        .await
        .and_then(|user| checked.map(|_| user).map_err(error::not_as_announced))
}

/// Claims the upload, so that no other request completes it.
///
/// Returns the user if an identical request has already completed the upload and the picture is set.
async fn claim(app: &App, upload: &AvatarUpload) -> Result<Option<User>> {
    app.db
        .transaction(async |tx| {
            let user = user::lock(tx, upload.user_id).await?.ok_or_else(error::no_such_user)?;
            if user.avatar_key.as_ref() == Some(&upload.avatar_key()) {
                return Ok(Some(user));
            }
            let now = app.clock.now();
            match upload.expires_at > now && query::end(tx, upload.id, now).await? {
                true => Ok(None),
                false => Err(error::no_such_upload()),
            }
        })
        .await
}

/// Returns the properties of the copy of an uploaded file, or what is wrong with it.
async fn check_copy(app: &App, upload: &AvatarUpload) -> std::result::Result<Verdict<Picture>, InternalError> {
    let key = upload.avatar_key();
    let size = app.storage.head(&key).await?.map(|object| object.size).unwrap_or_default();
    if size != u64::try_from(upload.size_bytes)? {
        return Ok(Err(format!("The file has {size} bytes; {} were announced.", upload.size_bytes)));
    }
    let file = app.storage.get(&key).await?.unwrap_or_default();
    match ImageType::of(&file).map(ImageType::as_str) {
        Some(found) if found == upload.content_type => picture::measure(file).await,
        Some(found) => Ok(Err(format!("The file is {found}; {} was announced.", upload.content_type))),
        None => Ok(Err("The file is not a JPEG, PNG or WebP picture.".into())),
    }
}

/// Makes the renditions of a user's picture. A picture that cannot be decoded is removed.
///
/// # Errors
/// The store or the database failed. The job must be retried.
pub(crate) async fn process(app: &App, id: UserId, key: &str) -> std::result::Result<(), InternalError> {
    if !query::is_shown(&mut *app.db.read().await?, id, key).await? {
        return Ok(());
    }
    let rendered = match app.storage.get(key).await? {
        Some(file) => picture::render(file).await?,
        None => Err("The file has disappeared.".into()),
    };
    let prefix = renditions(key);
    let picture = match rendered {
        Ok(rendered) => rendered.store(&app.storage, &prefix).await?,
        Err(why) => {
            tracing::info!(user = %id.encode(), why, "a user's picture cannot be shown and is removed");
            return drop_avatar(app, id, key).await;
        }
    };
    let shown = app.db.transaction(async |tx| Ok::<_, InternalError>(query::set_picture(tx, id, key, &picture).await?));
    // It was replaced in the meantime, without these objects.
    if !shown.await? {
        app.storage.delete_below(&prefix).await?;
    }
    Ok(())
}

/// Removes a user's picture if it is still the one at `key`.
async fn drop_avatar(app: &App, id: UserId, key: &str) -> std::result::Result<(), InternalError> {
    app.db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?;
            if let Some(user) = user.filter(|user| user.avatar_key.as_deref() == Some(key)) {
                set_avatar(tx, app, &user, None).await?;
            }
            Ok(())
        })
        .await
}

/// Processes a batch of the pictures that an earlier version of the program received.
///
/// # Errors
/// The store or the database failed; the next run continues.
pub(crate) async fn process_old(app: &App) -> std::result::Result<(), InternalError> {
    let users = query::unprocessed(&mut *app.db.read().await?).await?;
    for (id, key) in users {
        process(app, id, &key).await?;
    }
    Ok(())
}

/// Removes a user's picture; does nothing if there is none.
///
/// # Errors
/// The picture is another user's and the actor is not an administrator; there is no such user.
pub(crate) async fn remove(app: &App, actor: &Actor, client: &Client, input: RemoveAvatarInput) -> Result<User> {
    let viewer = viewer(actor)?;
    let id = input.user_id.unwrap_or(viewer);
    if !policy::can_step_in_for(actor, id) {
        return Err(Error::Forbidden("Only administrators take away the pictures of others.".into()));
    }
    app.db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            if user.avatar_key.is_none() {
                return Ok(user);
            }
            if id != viewer {
                let subject = Some(id.uuid());
                let entry =
                    Entry { action: Action::AvatarRemoved, actor: actor.id(), subject, client, details: json!({}) };
                audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            }
            Ok(set_avatar(tx, app, &user, None).await?)
        })
        .await
}

pub(super) async fn set_avatar(
    tx: &mut Tx,
    app: &App,
    user: &User,
    shown: Option<(&str, &Picture)>,
) -> std::result::Result<User, InternalError> {
    let changed = query::set_avatar(tx, user.id, shown, app.clock.now()).await?;
    if let Some(old) = &user.avatar_key {
        delete_object(tx, app, old).await?;
    }
    outbox::record(tx, &app.clock, &UserChanged { user_id: user.id }).await?;
    Ok(changed)
}

/// Enqueues a job that deletes an object with its renditions after the commit.
pub(super) async fn delete_object(tx: &mut Tx, app: &App, key: &str) -> std::result::Result<(), InternalError> {
    let (payload, once) = (json!({ "key": key }), format!("{DELETE_OBJECT}/{key}"));
    jobs::enqueue(tx, &app.clock, DELETE_OBJECT, &payload, &once).await
}

/// Deletes an object with its renditions.
///
/// # Errors
/// The store failed.
pub(crate) async fn remove_object(app: &App, key: &str) -> std::result::Result<(), InternalError> {
    app.storage.delete_below(&renditions(key)).await?;
    app.storage.delete(key).await
}

/// Deletes expired uploads and their files.
///
/// # Errors
/// The database failed, or the object store failed for at least one upload, which is retried on the next run.
pub(crate) async fn sweep_uploads(app: &App) -> std::result::Result<(), InternalError> {
    let before = app.clock.now() - LATE;
    let (mut after, mut swept, mut failed) = (AvatarUploadId::new(uuid::Uuid::nil()), 0, None);
    loop {
        let expired = query::expired(&mut *app.db.read().await?, before, after).await?;
        let Some(last) = expired.last() else { break };
        after = last.id;
        for upload in &expired {
            match sweep(app, upload).await {
                Ok(()) => swept += 1,
                Err(error) => failed = Some(error),
            }
        }
    }
    tracing::info!(swept, "expired uploads were removed");
    failed.map_or(Ok(()), Err)
}

async fn sweep(app: &App, upload: &AvatarUpload) -> std::result::Result<(), InternalError> {
    app.storage.delete(&upload.draft_key()).await?;
    let key = upload.avatar_key();
    // A process may have crashed or been overtaken after it made the copy. No process can publish the copy any more.
    let shown = query::is_shown(&mut *app.db.read().await?, upload.user_id, &key).await?;
    if !shown {
        remove_object(app, &key).await?;
    }
    query::delete(&mut app.db.write().await?, upload.id).await?;
    Ok(())
}
