//! Videos: their way from an instructor's disk to a student's player.
//!
//! The bytes never pass through this program: a client sends them to the object store, and the store says that they
//! have arrived. What is stored here is what the program found out about them.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod model;
mod policy;
mod query;

pub use command::{Report, my_data, receive_store_event, reconcile};
pub use event::VideoUploaded;
pub use graphql::{MediaMutation, MediaQuery, MediaSubscription};
pub use job::handlers;
pub use model::{Upload, UploadId, UploadStatus, Video, VideoId, VideoStatus};
