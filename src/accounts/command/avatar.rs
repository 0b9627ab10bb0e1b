//! Pictures of users. The file goes from the client to the object store without passing through this server:
//!
//! 1. [`create_upload`] gives out a URL that takes one file of the announced type and length;
//! 2. the client puts the file there;
//! 3. [`complete_upload`] copies what is there to where pictures are shown from, looks at the copy, and shows it.
//!
//! Uploads that are not completed, and what was uploaded after all, are removed by [`sweep_uploads`].

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::session::viewer;
use crate::accounts::event::UserChanged;
use crate::accounts::model::{
    AvatarUpload, AvatarUploadId, CompleteAvatarUploadInput, CreateAvatarUploadInput, LARGEST_AVATAR,
    RemoveAvatarInput, StartedUpload, UPLOAD_LIFETIME, User,
};
use crate::accounts::query::{avatar as query, user};
use crate::accounts::{error, policy};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client};
use crate::platform::db::Tx;
use crate::platform::fault::Fault;
use crate::platform::image::{ImageType, SIGNATURE_LENGTH};
use crate::platform::jobs;
use crate::platform::outbox;
use crate::platform::storage::Headers;

/// The job that removes an object from the store.
pub(crate) const DELETE_OBJECT: &str = "accounts.delete_object";
/// How many uploads a user may begin within [`UPLOAD_LIFETIME`].
const MOST_UPLOADS: usize = 10;
/// An upload that began in time may end later.
const LATE: TimeDelta = TimeDelta::minutes(15);

/// Gives out a URL to upload a picture to.
///
/// # Errors
/// The input's mistakes. The viewer has begun too many uploads.
pub(crate) async fn create_upload(app: &App, actor: &Actor, input: CreateAvatarUploadInput) -> Result<StartedUpload> {
    let user_id = viewer(actor)?;
    let image = check(&input)?;
    let now = app.clock.now();
    let upload = AvatarUpload {
        id: AvatarUploadId::new(app.clock.uuid()),
        user_id,
        content_type: image.as_str().to_owned(),
        size_bytes: input.size_bytes,
        expires_at: now + UPLOAD_LIFETIME,
        ended_at: None,
    };
    app.db
        .transaction(async |tx| {
            user::lock(tx, user_id).await?.ok_or_else(error::no_such_user)?;
            let expiries = query::expiries(tx, user_id, now).await?;
            if let Some(first) = expiries.first().filter(|_| expiries.len() >= MOST_UPLOADS) {
                return Err(Error::RateLimited { wait: (*first - now).to_std().unwrap_or(Duration::ZERO) });
            }
            query::insert(tx, &upload).await?;
            Ok(())
        })
        .await?;
    let (length, lifetime) = (u64::try_from(upload.size_bytes)?, UPLOAD_LIFETIME.to_std()?);
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
    image.ok_or_else(|| Fault::new("a media type was accepted and is none").into())
}

/// Makes the uploaded file the viewer's picture. What is looked at is a copy: the client can replace its own file for
/// as long as the URL is good. An upload is completed once; should that fail half-way, the client begins another one.
///
/// # Errors
/// There is no such upload, or nothing was uploaded; the file is not what was announced: it is removed then.
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
    let wrong = match app.storage.copy(&draft, &key, &headers).await? {
        Some(_) => fault_of(app, &upload).await?,
        None => Some("The file has disappeared.".to_owned()),
    };
    app.db
        .transaction(async |tx| {
            let user = user::lock(tx, id).await?.ok_or_else(error::no_such_user)?;
            delete_object(tx, app, &draft).await?;
            if wrong.is_some() {
                delete_object(tx, app, &key).await?;
                return Ok(user);
            }
            set_avatar(tx, app, &user, Some(&key)).await
        })
        .await
        .and_then(|user| wrong.map_or(Ok(user), |why| Err(error::not_as_announced(why))))
}

/// Makes sure that nobody else completes the upload. Returns the user if somebody has, and the picture is shown: this
/// is the second of two equal requests.
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

/// What is wrong with the copy of an uploaded file, if anything is.
async fn fault_of(app: &App, upload: &AvatarUpload) -> std::result::Result<Option<String>, Fault> {
    let key = upload.avatar_key();
    let size = app.storage.head(&key).await?.map(|object| object.size).unwrap_or_default();
    if size != u64::try_from(upload.size_bytes)? {
        return Ok(Some(format!("The file has {size} bytes; {} were announced.", upload.size_bytes)));
    }
    let start = app.storage.start_of(&key, SIGNATURE_LENGTH).await?.unwrap_or_default();
    Ok(match ImageType::of(&start).map(ImageType::as_str) {
        Some(found) if found == upload.content_type => None,
        Some(found) => Some(format!("The file is {found}; {} was announced.", upload.content_type)),
        None => Some("The file is not a JPEG, PNG or WebP picture.".into()),
    })
}

/// Takes a picture away; there need not be one.
///
/// # Errors
/// It is somebody else's and the actor is no administrator; there is no such user.
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
            set_avatar(tx, app, &user, None).await
        })
        .await
}

async fn set_avatar(tx: &mut Tx, app: &App, user: &User, key: Option<&str>) -> Result<User> {
    let changed = query::set_avatar(tx, user.id, key, app.clock.now()).await?;
    if let Some(old) = &user.avatar_key {
        delete_object(tx, app, old).await?;
    }
    outbox::record(tx, &app.clock, &UserChanged { user_id: user.id }).await?;
    Ok(changed)
}

/// Has an object removed after the commit.
pub(super) async fn delete_object(tx: &mut Tx, app: &App, key: &str) -> std::result::Result<(), Fault> {
    let (payload, once) = (json!({ "key": key }), format!("{DELETE_OBJECT}/{key}"));
    jobs::enqueue(tx, &app.clock, DELETE_OBJECT, &payload, &once).await
}

/// Removes what was uploaded with permissions that have expired, and the permissions.
///
/// # Errors
/// The database failed, or the store did for at least one: that one is tried again the next time.
pub(crate) async fn sweep_uploads(app: &App) -> std::result::Result<(), Fault> {
    let before = app.clock.now() - LATE;
    let (mut after, mut swept, mut failed) = (AvatarUploadId::new(uuid::Uuid::nil()), 0, None);
    loop {
        let expired = query::expired(&mut *app.db.read().await?, before, after).await?;
        let Some(last) = expired.last() else { break };
        after = last.id;
        for upload in &expired {
            match sweep(app, upload).await {
                Ok(()) => swept += 1,
                Err(fault) => failed = Some(fault),
            }
        }
    }
    tracing::info!(swept, "expired uploads were removed");
    failed.map_or(Ok(()), Err)
}

async fn sweep(app: &App, upload: &AvatarUpload) -> std::result::Result<(), Fault> {
    app.storage.delete(&upload.draft_key()).await?;
    let key = upload.avatar_key();
    // A process may have died, or been overtaken, after it had copied. Nobody can begin to show it any more.
    let shown = query::is_shown(&mut *app.db.read().await?, upload.user_id, &key).await?;
    if !shown {
        app.storage.delete(&key).await?;
    }
    query::delete(&mut *app.db.read().await?, upload.id).await?;
    Ok(())
}
