//! Commands for uploads, videos and files.

mod avatar;
mod caption;
mod channel_image;
mod completion;
mod encryption;
mod file;
mod image;
mod import;
mod person;
mod playlist;
mod process;
mod reconcile;
mod store;
mod sweep;
mod upload;
mod video;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

pub use avatar::remove_avatar;
pub use avatar::set_avatar;
pub use caption::{remove_captions, set_captions};
pub use channel_image::set_channel_image;
pub use channel_image::set_on_channel;
pub use completion::complete_upload;
pub use encryption::segment_key_at;
pub use file::delete_file;
pub(crate) use file::delete_unused_files;
pub use file::download_url;
pub(crate) use image::{process_image, process_old_images};
pub use import::{ImportedVideo, import_image, import_video};
pub(crate) use person::forget_person;
pub use person::my_data;
pub use playlist::{playlist, sign};
pub(crate) use process::{leave_original, process};
pub(crate) use reconcile::report_orphans;
pub use reconcile::{Report, reconcile};
pub use store::receive_store_event;
pub(crate) use store::{HANDLE_ARRIVAL, handle_arrival, remove_objects};
pub use sweep::watch_upload;
pub(crate) use sweep::{sweep_uploads, watch_uploads};
pub use upload::unattached;
pub use upload::{arrived_parts, cancel_upload, create_upload, find_own, own, part_urls, whole_url};
pub use video::delete_video;
pub use video::poster_url;
pub(crate) use video::{DELETE_OBJECTS, delete_due, delete_objects};

use super::event::UploadChanged;
use super::model::{Upload, Video, VideoId};
use super::query::video as query;
use super::{error, policy};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::Tx;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs;
use crate::platform::outbox;

/// Locks a video that the actor may manage. Other users' videos are reported as not found.
async fn manageable(tx: &mut Tx, actor: &Actor, id: VideoId) -> Result<Video> {
    let video = query::lock(tx, id).await?;
    video.filter(|video| policy::can_manage(actor, video)).ok_or_else(error::no_such_video)
}

/// The name of the job that deletes objects from the store.
pub(crate) const REMOVE_OBJECTS: &str = "media.remove_objects";
/// The lease of an attempt to complete an upload, which is renewed while the attempt runs.
const LEASE: TimeDelta = TimeDelta::minutes(1);

/// Objects that are no longer needed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Leftovers {
    /// The keys of the objects.
    pub(crate) keys: Vec<String>,
    /// The key and the store's id of a multipart upload.
    pub parts: Option<(String, String)>,
}

impl Leftovers {
    /// Returns what an unsuccessful upload may have left in the store.
    fn of(upload: &Upload) -> Leftovers {
        let parts = upload.multipart_id.clone().map(|id| (upload.arrival_key(), id));
        Leftovers { keys: vec![upload.arrival_key()], parts }
    }
}

/// Enqueues the deletion of an upload's objects. `why` is part of the idempotency key.
async fn remove_later(
    tx: &mut Tx,
    app: &App,
    upload: &Upload,
    why: &str,
    leftovers: &Leftovers,
) -> std::result::Result<(), InternalError> {
    remove_once(tx, app, &format!("{}/{why}", upload.id.uuid()), leftovers).await
}

/// Enqueues the deletion of objects, with the idempotency key `name`.
async fn remove_once(
    tx: &mut Tx,
    app: &App,
    name: &str,
    leftovers: &Leftovers,
) -> std::result::Result<(), InternalError> {
    let (payload, once) = (serde_json::to_value(leftovers)?, format!("{REMOVE_OBJECTS}/{name}"));
    jobs::enqueue(tx, &app.clock, REMOVE_OBJECTS, &payload, &once).await
}

/// Publishes the progress of an upload to its subscribers.
async fn tell(tx: &mut Tx, app: &App, upload: &Upload) -> std::result::Result<(), InternalError> {
    outbox::record(tx, &app.clock, &UploadChanged::of(upload)).await.map(drop)
}
