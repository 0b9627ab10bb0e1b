//! Tickets: the permission to send one file to the object store, and what became of it.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{FileId, UploadPurpose, VideoId};
use crate::accounts::UserId;
use crate::graphql::{ByteSize, Entity, Id};
use crate::platform::db::schema::uploads;
use crate::platform::db::stored_as_text;
use crate::platform::storage::Headers;

/// A larger file is sent in parts.
pub(crate) const LARGEST_WHOLE: i64 = 64 << 20;
/// All parts but the last have at least so many bytes (the store wants 5 MiB).
const SMALLEST_PART: i64 = 8 << 20;
/// Parts grow rather than become more (the store takes 10,000).
const PARTS: i64 = 1000;
const MIB: i64 = 1 << 20;

/// An upload's id: `upload_01j…`.
pub type UploadId = Id<Upload>;

/// The permission to send one file, and what became of it. The video or file that comes of it has the same id.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = uploads, check_for_backend(diesel::pg::Pg))]
pub struct Upload {
    /// The id.
    pub id: UploadId,
    /// Who may send the file.
    pub user_id: UserId,
    /// What the file is for.
    pub purpose: UploadPurpose,
    /// What it is called where it comes from.
    pub filename: String,
    /// What it is said to be.
    pub content_type: String,
    /// How long it is said to be.
    pub size_bytes: i64,
    /// What its SHA-256 is said to be.
    pub sha256: Option<Vec<u8>>,
    /// The size of all parts but the last; `None` if it is sent whole.
    pub part_bytes: Option<i64>,
    /// What the store calls the upload in parts; `None` until it was asked for one.
    pub multipart_id: Option<String>,
    /// Where it stands.
    pub status: UploadStatus,
    /// What had arrived when the store was last asked.
    pub received_bytes: i64,
    /// Why it failed, for its owner.
    pub failure: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// Until when it has to be complete.
    pub expires_at: DateTime<Utc>,
    /// Which attempt to complete it is at work.
    pub completing_by: Option<Uuid>,
    /// Until when no other one begins.
    pub completing_until: Option<DateTime<Utc>>,
    /// When it ended, well or not.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Entity for Upload {
    // As the uploads of users' pictures, which other mutations are for.
    const PREFIX: &'static str = "upload";
}

impl Upload {
    /// The video that comes of it.
    pub fn video_id(&self) -> VideoId {
        VideoId::new(self.id.uuid())
    }

    /// The file that comes of it, if it is not for a video.
    pub fn file_id(&self) -> FileId {
        FileId::new(self.id.uuid())
    }

    /// What the object tells those who get it: a picture is shown to everybody and never changes, a file is saved.
    pub(crate) fn headers(&self) -> Headers {
        let headers = Headers::of(&self.content_type);
        match self.purpose {
            UploadPurpose::Video => headers,
            UploadPurpose::Image => headers.kept_forever(),
            UploadPurpose::File => headers.saved_as(&self.filename),
        }
    }

    /// Whether the file can still be sent.
    pub(crate) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }

    /// Whether an attempt to complete it is at work.
    pub(crate) fn is_completing(&self, now: DateTime<Utc>) -> bool {
        self.completing_until.is_some_and(|until| until > now)
    }

    /// Where the client sends the file. A whole file can be replaced there for as long as the URL is good, also after
    /// we have looked at it, so it is a draft, which is shown to nobody. Parts can't be sent any more once they are
    /// put together, so that they go where the file is to be.
    pub(crate) fn arrival_key(&self) -> String {
        match self.part_bytes {
            Some(_) => format!("{}original", self.purpose.folder(self.id.uuid())),
            None => format!("{}{}", self.purpose.drafts(), self.id.uuid().simple()),
        }
    }

    /// Where the attempt `attempt` has the file. Another one that was taken for dead, and copies late, copies
    /// elsewhere.
    pub(crate) fn kept_key(&self, attempt: Uuid) -> String {
        match self.part_bytes {
            Some(_) => self.arrival_key(),
            None => format!("{}original-{}", self.purpose.folder(self.id.uuid()), attempt.simple()),
        }
    }

    /// How many parts it is sent in; 0 if it is sent whole.
    pub(crate) fn part_count(&self) -> i32 {
        let count = self.part_bytes.map_or(0, |part| (self.size_bytes + part - 1) / part.max(1));
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// The length of a part; `None` if there is no such part.
    pub(crate) fn part_size(&self, number: i32) -> Option<i64> {
        let whole = self.part_bytes.filter(|_| (1..=self.part_count()).contains(&number))?;
        Some(whole.min(self.size_bytes - whole * i64::from(number - 1)))
    }

    /// How much has arrived, in whole percent. It is 100 only when all has.
    pub fn percent(&self) -> i32 {
        let percent = i128::from(self.received_bytes) * 100 / i128::from(self.size_bytes.max(1));
        i32::try_from(percent).unwrap_or(100)
    }
}

/// The size of the parts of a file.
pub(crate) fn part_bytes(size: i64) -> i64 {
    let even = (size + PARTS - 1) / PARTS;
    ((even + MIB - 1) / MIB * MIB).max(SMALLEST_PART)
}

/// The upload, or what came of it with the same id, that an object belongs to; `None` if it is none of ours.
pub(crate) fn owner_of(key: &str) -> Option<UploadId> {
    let mut purposes = UploadPurpose::ALL.into_iter();
    let id = purposes.find_map(|purpose| match key.strip_prefix(purpose.drafts()) {
        Some(id) => Some(id),
        None => Some(key.strip_prefix(purpose.folders())?.split_once('/')?.0),
    })?;
    // Uuid's parser knows other forms, too; keys have this one.
    Uuid::try_parse(id).ok().filter(|uuid| uuid.simple().to_string() == id).map(UploadId::new)
}

/// Where an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UploadStatus {
    /// Nothing has been seen to arrive.
    Created,
    /// Some of it has arrived, or all of it and it is being looked at.
    Uploading,
    /// The file is what it was said to be, and can be used.
    Completed,
    /// The file was not what it was said to be. It was removed; begin another upload.
    Failed,
    /// Its owner has given it up.
    Cancelled,
    /// It was not complete in time.
    Expired,
}

stored_as_text!(UploadStatus {
    Created = "CREATED",
    Uploading = "UPLOADING",
    Completed = "COMPLETED",
    Failed = "FAILED",
    Cancelled = "CANCELLED",
    Expired = "EXPIRED",
});

impl UploadStatus {
    /// Whether nothing comes after it.
    pub fn is_end(self) -> bool {
        !matches!(self, UploadStatus::Created | UploadStatus::Uploading)
    }
}

/// The file that somebody wants to upload.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CreateUploadInput {
    /// What it is for.
    #[graphql(default_with = "UploadPurpose::Video")]
    pub(crate) purpose: UploadPurpose,
    /// What the file is called, 1 to 255 characters: what a download is called, otherwise only shown.
    pub(crate) filename: String,
    /// A VIDEO is `video/mp4`, `video/quicktime`, `video/webm` or `video/x-matroska`; an IMAGE is `image/jpeg`,
    /// `image/png` or `image/webp`. A FILE is a document (PDF, text, CSV, Markdown, JSON, RTF, EPUB, those of office
    /// programs), a picture, sound, or a ZIP or gzip archive; for another type the error says which there are.
    pub(crate) content_type: String,
    /// The file's length: of an IMAGE at most 10 MiB, of a FILE at most 500 MiB, of a VIDEO as the server is set up.
    pub(crate) size_bytes: ByteSize,
    /// The file's SHA-256, 64 hexadecimal digits, for a file of at most 32 GiB. Another content is rejected then.
    pub(crate) sha256: Option<String>,
    /// Sends the file in parts, which can be resumed, whatever its size. A file of more than 64 MiB is always sent in
    /// parts.
    #[graphql(default)]
    pub(crate) multipart: bool,
}

/// Which parts to send next.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct UploadPartUrlsInput {
    /// Which upload.
    pub(crate) upload_id: UploadId,
    /// The numbers of the parts, from 1, at most 100; if left out, the first 100 of those that have not arrived.
    pub(crate) numbers: Option<Vec<i32>>,
}

/// An upload whose file was sent.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CompleteUploadInput {
    /// Which upload.
    pub(crate) upload_id: UploadId,
}

/// An upload to give up.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct CancelUploadInput {
    /// Which upload.
    pub(crate) upload_id: UploadId,
}

/// Where to send one part.
#[derive(Clone, Debug)]
pub(crate) struct PartUrl {
    /// Which part.
    pub(crate) number: i32,
    /// Its length.
    pub(crate) size: i64,
    /// Where to `PUT` it.
    pub(crate) url: String,
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
