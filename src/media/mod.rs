//! Videos: their way from an instructor's disk to a student's player.
//!
//! The bytes never pass through this program: a client sends them to the object store, and the store says that they
//! have arrived. What is stored here is what the program found out about them.

mod event;
mod model;

pub use event::VideoUploaded;
pub use model::{Video, VideoId, VideoStatus};
