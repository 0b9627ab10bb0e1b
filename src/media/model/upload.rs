//! Uploads of single files to the object store.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{FileId, UploadPurpose, VideoId};
use crate::accounts::UserId;
use crate::graphql::{ByteSize, Entity, Id, Idempotency};
use crate::platform::auth::Role;
use crate::platform::db::schema::uploads;
use crate::platform::db::stored_as_text;
use crate::platform::storage::Headers;

/// The maximum size of an upload in a single request, in bytes. Larger files are multipart uploads.
pub(crate) const LARGEST_WHOLE: i64 = 64 << 20;
/// The minimum size of every part but the last, in bytes. The store requires at least 5 MiB.
const SMALLEST_PART: i64 = 8 << 20;
/// The maximum number of parts; parts of larger files are larger. The store allows 10,000.
const PARTS: i64 = 1000;
const MIB: i64 = 1 << 20;

/// An upload's id: `upload_01j…`.
pub type UploadId = Id<Upload>;

/// The permission to upload one file, and its outcome. The resulting video or file has the same id.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = uploads, check_for_backend(diesel::pg::Pg))]
pub struct Upload {
    /// The id.
    pub id: UploadId,
    /// The user who may upload the file.
    pub user_id: UserId,
    /// The purpose of the file.
    pub purpose: UploadPurpose,
    /// The original filename.
    pub filename: String,
    /// The declared media type.
    pub content_type: String,
    /// The declared size in bytes.
    pub size_bytes: i64,
    /// The declared SHA-256.
    pub sha256: Option<Vec<u8>>,
    /// The size of every part but the last, in bytes; `None` for a single request.
    pub part_bytes: Option<i64>,
    /// The store's id of the multipart upload; `None` until it is created.
    pub multipart_id: Option<String>,
    /// The status.
    pub status: UploadStatus,
    /// The number of bytes received, as of the last check of the store.
    pub received_bytes: i64,
    /// Why it failed, as a message for the owner.
    pub failure: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires: it must be completed before.
    pub expires_at: DateTime<Utc>,
    /// The running attempt to complete it.
    pub completing_by: Option<Uuid>,
    /// When the lease of the running attempt expires; another attempt may start then.
    pub completing_until: Option<DateTime<Utc>>,
    /// When it ended, successfully or not.
    pub ended_at: Option<DateTime<Utc>>,
    /// What will show the file, as the feature that owns it wrote it.
    pub attach_to: Option<Value>,
    /// When the file was attached, or could not be.
    pub attached_at: Option<DateTime<Utc>>,
    /// The encoded id of the object that shows the file.
    pub attached_to: Option<String>,
    /// Why the file was not attached, as a message for the owner.
    pub attach_failure: Option<String>,
}

/// What will show the file of an upload.
#[derive(Clone, Debug)]
pub struct Target {
    /// The purpose that the upload must have.
    pub purpose: UploadPurpose,
    /// The role that its uploader needs.
    pub role: Role,
    /// The target, for the feature that owns it.
    pub value: Value,
}

impl Entity for Upload {
    const PREFIX: &'static str = "upload";
}

impl Upload {
    /// Returns the id of the resulting video.
    pub fn video_id(&self) -> VideoId {
        VideoId::new(self.id.uuid())
    }

    /// Returns the id of the resulting file, if the purpose is not a video.
    pub fn file_id(&self) -> FileId {
        FileId::new(self.id.uuid())
    }

    /// Returns the response headers of the object.
    ///
    /// Pictures are public and immutable; files are downloaded.
    pub fn headers(&self) -> Headers {
        let headers = Headers::of(&self.content_type);
        match self.purpose {
            UploadPurpose::Video => headers,
            UploadPurpose::Image => headers.kept_forever(),
            UploadPurpose::File => headers.saved_as(&self.filename),
        }
    }

    /// Returns whether the file can still be uploaded.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }

    /// Returns whether an attempt to complete it is running.
    pub fn is_completing(&self, now: DateTime<Utc>) -> bool {
        self.completing_until.is_some_and(|until| until > now)
    }

    /// Returns whether the file is yet to be attached.
    pub fn is_unattached(&self) -> bool {
        self.attach_to.is_some() && self.attached_at.is_none()
    }

    /// Returns the key that the client uploads to.
    ///
    /// The object of a single-request upload can be overwritten until its URL expires, even after the server has
    /// validated it. So this key is that of a draft, which is not served. A multipart upload cannot change once it is
    /// completed, so its parts are uploaded to the final key.
    pub fn arrival_key(&self) -> String {
        match self.part_bytes {
            Some(_) => format!("{}original", self.purpose.folder(self.id.uuid())),
            None => format!("{}{}", self.purpose.drafts(), self.id.uuid().simple()),
        }
    }

    /// Returns the final key of the file in the attempt `attempt`.
    ///
    /// The key of a copy is unique to the attempt, so that a late copy by an attempt whose lease has expired overwrites
    /// nothing.
    pub fn kept_key(&self, attempt: Uuid) -> String {
        match self.part_bytes {
            Some(_) => self.arrival_key(),
            None => format!("{}original-{}", self.purpose.folder(self.id.uuid()), attempt.simple()),
        }
    }

    /// Returns the number of parts; 0 for a single request.
    pub fn part_count(&self) -> i32 {
        let count = self.part_bytes.map_or(0, |part| (self.size_bytes + part - 1) / part.max(1));
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// Returns the size of a part in bytes; `None` if there is no such part.
    pub fn part_size(&self, number: i32) -> Option<i64> {
        let whole = self.part_bytes.filter(|_| (1..=self.part_count()).contains(&number))?;
        Some(whole.min(self.size_bytes - whole * i64::from(number - 1)))
    }

    /// Returns the received part of the file in percent, rounded down.
    pub fn percent(&self) -> i32 {
        let percent = i128::from(self.received_bytes) * 100 / i128::from(self.size_bytes.max(1));
        i32::try_from(percent).unwrap_or(100)
    }
}

/// Returns the size of the parts of a file, in bytes.
pub fn part_bytes(size: i64) -> i64 {
    let even = (size + PARTS - 1) / PARTS;
    ((even + MIB - 1) / MIB * MIB).max(SMALLEST_PART)
}

/// Returns the id of the upload, video or file that an object belongs to, if any.
pub(crate) fn owner_of(key: &str) -> Option<UploadId> {
    let mut purposes = UploadPurpose::ALL.into_iter();
    let id = purposes.find_map(|purpose| match key.strip_prefix(purpose.drafts()) {
        Some(id) => Some(id),
        None => Some(key.strip_prefix(purpose.folders())?.split_once('/')?.0),
    })?;
    // The parser also accepts other formats; keys use only this one.
    Uuid::try_parse(id).ok().filter(|uuid| uuid.simple().to_string() == id).map(UploadId::new)
}

/// Selects uploads.
#[derive(Clone, Debug, InputObject)]
pub struct UploadFilter {
    /// Only uploads with one of these statuses.
    #[graphql(default_with = "UploadFilter::default().statuses")]
    pub statuses: Vec<UploadStatus>,
}

impl Default for UploadFilter {
    fn default() -> UploadFilter {
        UploadFilter { statuses: vec![UploadStatus::Created, UploadStatus::Uploading] }
    }
}

/// The status of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UploadStatus {
    /// Nothing has been received yet.
    Created,
    /// Part of the file has been received, or all of it and it is being validated.
    Uploading,
    /// The file is valid and can be used.
    Completed,
    /// The file does not match its declaration and was deleted. Start a new upload.
    Failed,
    /// The owner canceled the upload.
    Canceled,
    /// The upload was not completed in time.
    Expired,
}

stored_as_text!(UploadStatus {
    Created = "CREATED",
    Uploading = "UPLOADING",
    Completed = "COMPLETED",
    Failed = "FAILED",
    Canceled = "CANCELED",
    Expired = "EXPIRED",
});

impl UploadStatus {
    /// Returns whether the status is final.
    pub fn is_end(self) -> bool {
        !matches!(self, UploadStatus::Created | UploadStatus::Uploading)
    }
}

/// The file to upload.
#[derive(Clone, Debug, InputObject)]
pub struct NewUpload {
    /// The purpose of the file; defaults to what `attachTo` needs, or else to VIDEO.
    pub purpose: Option<UploadPurpose>,
    /// The filename, 1 to 255 characters. Downloads of a FILE have this name.
    pub filename: String,
    /// The media type. For a VIDEO: `video/mp4`, `video/quicktime`, `video/webm` or `video/x-matroska`. For an IMAGE:
    /// `image/jpeg`, `image/png` or `image/webp`. For a FILE: documents (PDF, text, CSV, Markdown, JSON, RTF, EPUB,
    /// office formats), pictures, audio, and ZIP or gzip archives; the error for an unsupported type lists the
    /// supported ones.
    pub content_type: String,
    /// The exact size of the file in bytes. The maximum is 10 MiB for an IMAGE, 500 MiB for a FILE, and configured for
    /// a VIDEO.
    pub size_bytes: ByteSize,
    /// The SHA-256 of the file, 64 hexadecimal digits, for files of at most 32 GiB. A file with another SHA-256 is
    /// rejected.
    pub sha256: Option<String>,
    /// Whether to upload the file in parts, so that the upload can be resumed. Files larger than 64 MiB are always
    /// uploaded in parts.
    #[graphql(default)]
    pub multipart: bool,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The parts to upload next.
#[derive(Clone, Debug, InputObject)]
pub struct UploadPartUrlsInput {
    /// The upload.
    pub upload_id: UploadId,
    /// The part numbers, starting at 1, at most 100; defaults to the first 100 parts that have not been received.
    pub numbers: Option<Vec<i32>>,
}

/// The upload to complete.
#[derive(Clone, Debug, InputObject)]
pub struct CompleteUploadInput {
    /// The upload.
    pub upload_id: UploadId,
}

/// The upload to cancel.
#[derive(Clone, Debug, InputObject)]
pub struct CancelUploadInput {
    /// The upload.
    pub upload_id: UploadId,
}

/// The URL for one part.
#[derive(Clone, Debug)]
pub struct PartUrl {
    /// The part number, starting at 1.
    pub number: i32,
    /// The size in bytes.
    pub size: i64,
    /// The URL for a `PUT` request with the part.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(size: i64, part: Option<i64>) -> Upload {
        Upload {
            id: Id::new(Uuid::from_u128(7)),
            user_id: Id::new(Uuid::from_u128(1)),
            purpose: UploadPurpose::Video,
            filename: "a.mp4".into(),
            content_type: "video/mp4".into(),
            size_bytes: size,
            sha256: None,
            part_bytes: part,
            multipart_id: None,
            status: UploadStatus::Created,
            received_bytes: 0,
            failure: None,
            created_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH,
            completing_by: None,
            completing_until: None,
            ended_at: None,
            attach_to: None,
            attached_at: None,
            attached_to: None,
            attach_failure: None,
        }
    }

    #[test]
    fn parts_keep_to_the_limits_of_the_store_and_are_the_whole_file() {
        let largest = 4_194_304 * MIB;
        for size in [1, SMALLEST_PART, SMALLEST_PART + 1, LARGEST_WHOLE + 1, 8000 * MIB + 1, 5 << 40, largest] {
            let part = part_bytes(size);
            let upload = upload(size, Some(part));
            assert!((5 * MIB..=5 << 30).contains(&part) || size > largest, "{size}: {part}");
            assert!((1..=10_000).contains(&upload.part_count()), "{size}");
            let sizes: Vec<i64> = (1..=upload.part_count()).map(|number| upload.part_size(number).unwrap()).collect();
            assert_eq!(sizes.iter().sum::<i64>(), size);
            assert!(sizes.iter().all(|size| (1..=part).contains(size)));
            assert_eq!((upload.part_size(0), upload.part_size(upload.part_count() + 1)), (None, None));
        }
        assert_eq!((upload(9, None).part_count(), upload(9, None).part_size(1)), (0, None));
    }

    #[test]
    fn only_a_whole_file_is_a_hundred_percent() {
        let percent = |received, size| Upload { received_bytes: received, ..upload(size, None) }.percent();
        assert_eq!([percent(0, 3), percent(1, 3), percent(i64::MAX - 1, i64::MAX), percent(3, 3)], [0, 33, 99, 100]);
    }

    #[test]
    fn an_objects_key_tells_whose_it_is() {
        let (whole, parts, attempt) = (upload(9, None), upload(9, Some(5)), Uuid::from_u128(3));
        let id = whole.id.uuid();
        for purpose in UploadPurpose::ALL {
            let (whole, parts) = (Upload { purpose, ..whole.clone() }, Upload { purpose, ..parts.clone() });
            for key in [whole.arrival_key(), whole.kept_key(attempt), parts.arrival_key(), parts.kept_key(attempt)] {
                assert_eq!(owner_of(&key), Some(whole.id), "{key}");
            }
            assert_ne!(whole.arrival_key(), whole.kept_key(attempt));
            assert_ne!(whole.kept_key(attempt), whole.kept_key(Uuid::from_u128(4)));
            for key in [format!("{}{id}/a", purpose.folders()), format!("{}{}", purpose.folders(), id.simple())] {
                assert_eq!(owner_of(&key), None, "{key}");
            }
        }
        let avatar = format!("avatars/{}", id.simple());
        for key in [avatar.as_str(), "", "uploads/videos/", "videos//a", "videos/x/original", "files/"] {
            assert_eq!(owner_of(key), None, "{key}");
        }
    }
}
