//! The errors that a client can act on.

use super::model::{Upload, UploadPurpose, UploadStatus};
use crate::graphql::{Error, UserErrorCode};

/// There is no such video.
pub fn no_such_video() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["videoId"], "There is no such video, or it is not yours.")
}

pub(crate) fn no_such_captions() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["language"], "The video has no captions in this language.")
}

pub(crate) fn too_many_captions(most: usize) -> Error {
    let message = format!("A video has captions in at most {most} languages.");
    Error::invalid(UserErrorCode::NotAllowed, &["language"], message)
}

pub(crate) fn in_use(referrer: &str) -> Error {
    let message = format!("The video is shown by {referrer}. Give that another one, or none, first.");
    Error::invalid(UserErrorCode::NotAllowed, &["videoId"], &message)
}

pub(crate) fn no_such_file() -> Error {
    let message = "There is no such file, or it belongs to neither you nor the channel's owner.";
    Error::invalid(UserErrorCode::NotFound, &["fileId"], message)
}

pub(crate) fn no_picture() -> Error {
    let message = "The file was not uploaded as an image: its purpose must be IMAGE.";
    Error::invalid(UserErrorCode::NotAllowed, &["fileId"], message)
}

const FIELD: &[&str] = &["uploadId"];

pub(crate) fn no_such_upload() -> Error {
    Error::invalid(UserErrorCode::NotFound, FIELD, "There is no such upload.")
}

pub(crate) fn too_many_uploads(most: i64) -> Error {
    let message = format!("You have {most} uploads in progress; complete or cancel one first.");
    Error::invalid(UserErrorCode::NotAllowed, &[], message)
}

/// The file does not fit into what is left of the owner's quota.
pub(crate) fn no_room(stored: i64, quota: i64) -> Error {
    let mebibytes = |bytes: i64| bytes >> 20;
    let message = format!(
        "Your videos and files take {} MiB of {} MiB; this one does not fit. Delete what you no longer need.",
        mebibytes(stored),
        mebibytes(quota)
    );
    Error::invalid(UserErrorCode::NotAllowed, &["sizeBytes"], message)
}

/// Returns the error for an upload that has ended with another outcome than requested.
pub(crate) fn ended(upload: &Upload) -> Error {
    let (code, message) = match upload.status {
        UploadStatus::Completed => (UserErrorCode::NotAllowed, "The upload is complete."),
        UploadStatus::Canceled => (UserErrorCode::NotAllowed, "The upload was canceled; begin another one."),
        UploadStatus::Failed => {
            let why = upload.failure.as_deref().unwrap_or("The upload failed; begin another one.");
            (UserErrorCode::Invalid, why)
        }
        _ => (UserErrorCode::Expired, "The upload was not complete in time; begin another one."),
    };
    Error::invalid(code, FIELD, message)
}

pub(crate) fn other_purpose(needed: UploadPurpose) -> Error {
    let message = format!("For this target, the purpose is {}.", needed.as_str());
    Error::invalid(UserErrorCode::NotAllowed, &["purpose"], message)
}

pub(crate) fn no_such_user() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["userId"], "There is no such user.")
}

pub(crate) fn no_own_file() -> Error {
    Error::invalid(UserErrorCode::NotFound, &["fileId"], "There is no such file, or it is not yours.")
}

pub(crate) fn file_in_use() -> Error {
    let message = "A course, a lesson or another object refers to the file; remove it there first.";
    Error::invalid(UserErrorCode::NotAllowed, &["fileId"], message)
}

pub(crate) fn not_arrived(why: String) -> Error {
    Error::invalid(UserErrorCode::NotAllowed, FIELD, why)
}

pub(crate) fn being_completed() -> Error {
    let message = "The upload is being completed at this moment; try again in a second.";
    Error::invalid(UserErrorCode::TryAgain, FIELD, message)
}

pub(crate) fn not_in_parts() -> Error {
    Error::invalid(UserErrorCode::NotAllowed, FIELD, "The upload is not in parts; its url takes the whole file.")
}
