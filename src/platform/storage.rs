//! Objects (videos, pictures, documents) in an S3-compatible store.
//!
//! Large files never pass through this server: a client uploads and downloads them itself with the URLs from
//! [`Storage::presign_put`] and [`Storage::presign_get`].

mod cors;
mod files;
mod listing;
mod parts;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, ChecksumAlgorithm, CreateBucketConfiguration, MetadataDirective};
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use moka::sync::Cache;

use super::fault::{Context, Fault};
pub use listing::{Listed, OpenParts};
pub use parts::Part;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the body of an object may take after its head has arrived.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 3;

/// The largest object, in bytes, that [`Storage::get`] takes into memory.
const GET_LIMIT: u64 = 64 << 20;

/// How long everybody is given the same URL of a shared object; it is good for twice as long.
const SHARED_FOR: TimeDelta = TimeDelta::days(1);
/// How many URLs of shared objects are kept, so that a page full of them does not sign one for each.
const SHARED_KEPT: u64 = 20_000;
/// The header of an upload that tells the SHA-256 of its content.
pub const CHECKSUM: &str = "x-amz-checksum-sha256";

/// What objects tell browsers and proxies whose content never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Where the objects are and who may touch them.
pub struct Settings {
    /// The URL of the store, for example `http://127.0.0.1:9000`; buckets are then addressed by path. `None` for AWS.
    pub endpoint: Option<String>,
    /// The name of the bucket.
    pub bucket: String,
    /// The region, for example `eu-central-1`; stores without regions mostly accept `us-east-1`.
    pub region: String,
    /// The access key's id.
    pub access_key: String,
    /// The secret of the access key.
    pub secret_key: String,
}

/// One bucket of an object store; a clone is the same bucket.
#[derive(Clone)]
pub struct Storage {
    client: Client,
    bucket: String,
    /// The region to name when the bucket is made; only AWS, outside its first region, wants one.
    location: Option<BucketLocationConstraint>,
    /// URLs of shared objects by key, with the instant from which on they are good.
    shared: Cache<String, (DateTime<Utc>, Arc<str>)>,
}

/// What the store knows about an object without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its length in bytes.
    pub size: u64,
    /// Its media type (RFC 9110, 8.3); `application/octet-stream` if the store doesn't say.
    pub content_type: String,
    /// The tag of this version of its content, without quotes (RFC 9110, 8.8.3); empty if the store doesn't say.
    pub etag: String,
}

/// What an object tells those who get it.
#[derive(Clone, Debug)]
pub struct Headers {
    content_type: String,
    cache_control: Option<&'static str>,
    disposition: Option<String>,
}

impl Headers {
    /// Its media type (RFC 9110, 8.3), and nothing of who may keep it.
    pub fn of(content_type: &str) -> Headers {
        Headers { content_type: content_type.to_owned(), cache_control: None, disposition: None }
    }

    /// Readers may keep it forever: nothing else must ever be shown at its key.
    #[must_use]
    pub fn kept_forever(self) -> Headers {
        Headers { cache_control: Some(FOREVER), ..self }
    }

    /// Browsers save it under this name and never show it (RFC 6266).
    #[must_use]
    pub fn saved_as(self, filename: &str) -> Headers {
        let name = encoded(&filename.replace(['/', '\\'], "_"));
        Headers { disposition: Some(format!("attachment; filename*=UTF-8''{name}")), ..self }
    }
}

/// A copy of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The SHA-256 of its content, if the store has computed it while it copied.
    pub sha256: Option<Vec<u8>>,
}

impl Storage {
    /// A client for the bucket. Nothing is sent yet.
    pub fn connect(settings: Settings) -> Storage {
        let Settings { endpoint, bucket, region, access_key, secret_key } = settings;
        let location = (endpoint.is_none() && region != "us-east-1").then(|| region.as_str().into());
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT);
        let http = HttpClientBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(region))
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "settings"))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts.operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
            // Not every compatible store knows the newer checksums, and in a signed URL the default one would be that
            // of an empty body.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        Storage { client: Client::from_conf(config.build()), bucket, location, shared: Cache::new(SHARED_KEPT) }
    }

    /// Makes the bucket if it isn't there. Several nodes may do so at once.
    ///
    /// # Errors
    /// The store can't be reached or refuses the key, or the bucket belongs to somebody else.
    pub async fn ensure_bucket(&self) -> Result<(), Fault> {
        let Err(error) = self.client.head_bucket().bucket(&self.bucket).send().await else { return Ok(()) };
        if !error.as_service_error().is_some_and(|error| error.is_not_found()) {
            return Err(error).context(format!("look for the bucket {}", self.bucket));
        }
        let mut create = self.client.create_bucket().bucket(&self.bucket);
        if let Some(location) = &self.location {
            let configuration = CreateBucketConfiguration::builder().location_constraint(location.clone());
            create = create.create_bucket_configuration(configuration.build());
        }
        match create.send().await {
            Err(error) if !error.as_service_error().is_some_and(|error| error.is_bucket_already_owned_by_you()) => {
                Err(error).context(format!("make the bucket {}", self.bucket))
            }
            _ => Ok(()),
        }
    }

    /// Stores an object in place of what was at `key`.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn put(&self, key: &str, content_type: &str, content: Bytes) -> Result<(), Fault> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(ByteStream::from(content)).send().await.context(format!("store the object {key}")).map(drop)
    }

    /// The content of an object; `None` if there is none.
    ///
    /// # Errors
    /// The store can't be reached or refuses, or the object is larger than 64 MiB: too much to hold in memory.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Fault> {
        let what = || format!("fetch the object {key}");
        let object = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(error).context(what()),
        };
        // The length was announced, and HTTP holds the sender to it.
        if object.content_length.and_then(|length| u64::try_from(length).ok()).is_none_or(|length| length > GET_LIMIT) {
            return Err(Fault::new("its length is unknown or above 64 MiB")).context(what());
        }
        let body = tokio::time::timeout(BODY_TIMEOUT, object.body.collect()).await.context(what())?;
        Ok(Some(body.context(what())?.into_bytes()))
    }

    /// What the store knows about an object; `None` if there is none.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, Fault> {
        let object = match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => return Ok(None),
            Err(error) => return Err(error).context(format!("look for the object {key}")),
        };
        Ok(Some(ObjectInfo {
            size: object.content_length.and_then(|length| length.try_into().ok()).unwrap_or(0),
            content_type: object.content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            etag: object.e_tag.unwrap_or_default().trim_matches('"').to_owned(),
        }))
    }

    /// The first bytes of an object, at most `length`; `None` if there is none.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn start_of(&self, key: &str, length: u64) -> Result<Option<Bytes>, Fault> {
        let what = || format!("fetch the start of the object {key}");
        let range = format!("bytes=0-{}", length.saturating_sub(1));
        let mut body = match self.client.get_object().bucket(&self.bucket).key(key).range(range).send().await {
            Ok(object) => object.body,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(error).context(what()),
        };
        let read = async {
            let mut start = Vec::new();
            // A store may ignore the range, and the object may be large.
            while let Some(chunk) = body.try_next().await? {
                start.extend_from_slice(&chunk);
                if start.len() as u64 >= length {
                    break;
                }
            }
            start.truncate(usize::try_from(length)?);
            Ok::<_, Fault>(Some(start.into()))
        };
        tokio::time::timeout(BODY_TIMEOUT, read).await.context(what())?.context(what())
    }

    /// Copies an object within the store; `None` if there is none.
    ///
    /// # Errors
    /// The store can't be reached or refuses; the object has more than 5 GiB.
    pub async fn copy(&self, from: &str, to: &str, headers: &Headers) -> Result<Option<Copied>, Fault> {
        let copy = self.client.copy_object().bucket(&self.bucket).key(to);
        let copy = copy.copy_source(format!("{}/{}", self.bucket, encoded(from)));
        let copy = copy.metadata_directive(MetadataDirective::Replace).content_type(&headers.content_type);
        let copy = copy.set_content_disposition(headers.disposition.clone());
        // Then the store computes the sum itself.
        let copy = copy.checksum_algorithm(ChecksumAlgorithm::Sha256);
        let copied = match copy.set_cache_control(headers.cache_control.map(str::to_owned)).send().await {
            Ok(copied) => copied,
            Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 404) => {
                return Ok(None);
            }
            Err(error) => return Err(error).context(format!("copy the object {from} to {to}")),
        };
        // Only what the store says of this copy counts. The embedded one keeps, and tells of copies too, a sum that a
        // client had sent with an earlier content of the same key.
        let sum = copied.copy_object_result.and_then(|result| result.checksum_sha256);
        Ok(Some(Copied { sha256: sum.and_then(|sum| STANDARD.decode(sum).ok()).filter(|sum| sum.len() == 32) }))
    }

    /// Removes an object; it is no error if there is none.
    ///
    /// # Errors
    /// The store can't be reached or refuses.
    pub async fn delete(&self, key: &str) -> Result<(), Fault> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.context(format!("delete the object {key}")).map(drop)
    }

    /// A URL to which anyone may `PUT` exactly one kind of content within `ttl` (at most seven days) from now: it is
    /// signed for the media type, the length in bytes and, if it is known, the content's SHA-256, and the upload has to
    /// send these headers just so: the last one is `x-amz-checksum-sha256`, in base64. Most stores refuse other content
    /// then, but not all; and the embedded one keeps what it has refused.
    ///
    /// An upload that began in time may end later.
    ///
    /// # Errors
    /// `ttl` is too long.
    pub async fn presign_put(
        &self,
        key: &str,
        content_type: &str,
        length: u64,
        sha256: Option<&[u8]>,
        ttl: Duration,
    ) -> Result<String, Fault> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let put = put.content_length(i64::try_from(length)?).set_checksum_sha256(sha256.map(checksum));
        let signed = put.presigned(PresigningConfig::expires_in(ttl)?).await.context("sign an upload")?;
        Ok(signed.uri().to_owned())
    }

    /// A URL from which anyone may `GET` an object within `ttl` (at most seven days) from now, also in ranges.
    ///
    /// # Errors
    /// `ttl` is too long.
    pub async fn presign_get(&self, key: &str, ttl: Duration) -> Result<String, Fault> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let signed = get.presigned(PresigningConfig::expires_in(ttl)?).await.context("sign a download")?;
        Ok(signed.uri().to_owned())
    }

    /// A URL from which anyone may `GET` an object for a day or longer from `now` on. All who ask within a day (UTC)
    /// get the same one, so that browsers and proxies keep what is behind it.
    ///
    /// # Errors
    /// The URL can't be signed.
    pub async fn presign_shared(&self, key: &str, now: DateTime<Utc>) -> Result<Arc<str>, Fault> {
        let from = now.duration_trunc(SHARED_FOR)?;
        if let Some((_, url)) = self.shared.get(key).filter(|(signed, _)| *signed == from) {
            return Ok(url);
        }
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let config = PresigningConfig::builder().start_time(SystemTime::from(from));
        let config = config.expires_in((SHARED_FOR * 2).to_std()?).build()?;
        let signed = get.presigned(config).await.context("sign a download")?;
        let url: Arc<str> = signed.uri().into();
        self.shared.insert(key.to_owned(), (from, url.clone()));
        Ok(url)
    }
}

/// A SHA-256 as it stands in the header [`CHECKSUM`].
pub fn checksum(sha256: &[u8]) -> String {
    STANDARD.encode(sha256)
}

/// A key as it stands in a URL, or a name in a header (RFC 8187).
fn encoded(key: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    key.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
