//! Settings of the object store and of uploads.

use std::time::Duration;

use super::check::check_url;
use super::reader::Reader;

/// The object store for videos, images and downloads.
#[derive(Clone, Debug)]
pub struct S3 {
    /// The endpoint URL; `None` means AWS.
    pub endpoint: Option<String>,
    /// The bucket name.
    pub bucket: String,
    /// The region of the bucket.
    pub region: String,
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
}

impl S3 {
    pub(super) fn read(reader: &mut Reader) -> Option<S3> {
        let endpoint = reader.text("S3_ENDPOINT").map(str::to_owned);
        let bucket = reader.text("S3_BUCKET").map(str::to_owned);
        if endpoint.is_none() && bucket.is_none() {
            return None;
        }
        let (access_key, secret_key) = (reader.required("S3_ACCESS_KEY_ID"), reader.required("S3_SECRET_ACCESS_KEY"));
        check_url(reader, "S3_ENDPOINT", endpoint.as_deref(), &["http", "https"]);
        Some(S3 {
            endpoint,
            bucket: bucket.unwrap_or_else(|| "lyceum".into()),
            region: reader.text_or_default("S3_REGION").to_owned(),
            access_key,
            secret_key,
        })
    }
}

/// The limits on uploads.
#[derive(Clone, Debug)]
pub struct Uploads {
    /// The maximum size of one file, in bytes.
    pub largest: i64,
    /// The maximum number of uploads that one user may have in progress.
    pub at_a_time: i64,
    /// The maximum size of one user's videos and files together, in bytes; `None` for no limit.
    pub quota: Option<i64>,
    /// How long an upload may take.
    pub lifetime: Duration,
    /// The secret with which the store authenticates its events; if `None`, the webhook is off.
    pub hook_secret: Option<String>,
}

impl Uploads {
    pub(super) fn read(reader: &mut Reader) -> Uploads {
        Uploads {
            largest: reader.number("LYCEUM_MAX_UPLOAD_MIB", 1..=4_194_304).cast_signed() << 20,
            at_a_time: reader.number("LYCEUM_MAX_UPLOADS", 1..=1000).cast_signed(),
            quota: match reader.number("LYCEUM_STORAGE_QUOTA_MIB", 0..=u32::MAX) {
                0 => None,
                quota => Some(quota.cast_signed() << 20),
            },
            lifetime: Duration::from_secs(3600 * reader.number("LYCEUM_UPLOAD_HOURS", 1..=168)),
            hook_secret: reader.hook_secret("LYCEUM_STORAGE_HOOK_SECRET"),
        }
    }
}
