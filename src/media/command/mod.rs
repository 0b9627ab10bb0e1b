//! What is done with uploads, videos and files.

mod caption;
mod completion;
mod file;
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

pub(super) use caption::{remove_captions, set_captions};
pub(super) use completion::complete_upload;
pub(super) use file::delete_unused_files;
pub use file::download_url;
pub(super) use person::forget_person;
pub use person::my_data;
pub use playlist::{playlist, sign};
pub(super) use process::{leave_original, process};
pub(super) use reconcile::report_orphans;
pub use reconcile::{Report, reconcile};
pub use store::receive_store_event;
pub(super) use store::{HANDLE_ARRIVAL, handle_arrival, remove_objects};
pub(super) use sweep::{sweep_uploads, watch_upload, watch_uploads};
pub(super) use upload::{arrived_parts, cancel_upload, create_upload, find_own, list_own, own, part_urls, whole_url};
pub(super) use video::{DELETE_OBJECTS, delete_due, delete_objects, delete_video};

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

/// Locks a video that the actor may change. Those of others do not exist.
async fn manageable(tx: &mut Tx, actor: &Actor, id: VideoId) -> Result<Video> {
    let video = query::lock(tx, id).await?;
    video.filter(|video| policy::can_manage(actor, video)).ok_or_else(error::no_such_video)
}

/// The job that removes objects from the store.
pub(super) const REMOVE_OBJECTS: &str = "media.remove_objects";
/// The longest that an attempt to complete an upload takes.
const LEASE: TimeDelta = TimeDelta::minutes(15);

/// Objects that nothing refers to any more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Leftovers {
    /// Objects.
    pub(super) keys: Vec<String>,
    /// An upload in parts: its key, and what the store calls it.
    pub(super) parts: Option<(String, String)>,
}

impl Leftovers {
    /// What an upload that nothing came of may have left in the store.
    fn of(upload: &Upload) -> Leftovers {
        let parts = upload.multipart_id.clone().map(|id| (upload.arrival_key(), id));
        Leftovers { keys: vec![upload.arrival_key()], parts }
    }
}

/// Has objects removed after the commit. `why` makes a second wish a wish of its own.
async fn remove_later(
    tx: &mut Tx,
    app: &App,
    upload: &Upload,
    why: &str,
    leftovers: &Leftovers,
) -> std::result::Result<(), InternalError> {
    remove_once(tx, app, &format!("{}/{why}", upload.id.uuid()), leftovers).await
}

/// Has objects removed after the commit, unless the wish `name` is there already.
async fn remove_once(
    tx: &mut Tx,
    app: &App,
    name: &str,
    leftovers: &Leftovers,
) -> std::result::Result<(), InternalError> {
    let (payload, once) = (serde_json::to_value(leftovers)?, format!("{REMOVE_OBJECTS}/{name}"));
    jobs::enqueue(tx, &app.clock, REMOVE_OBJECTS, &payload, &once).await
}

/// Tells those who follow the upload where it stands.
async fn tell(tx: &mut Tx, app: &App, upload: &Upload) -> std::result::Result<(), InternalError> {
    let event = UploadChanged { upload_id: upload.id, status: upload.status, percent: upload.percent() };
    outbox::record(tx, &app.clock, &event).await.map(drop)
}
