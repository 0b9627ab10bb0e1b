//! Object storage (videos, images, documents) in an S3-compatible store.
//!
//! Large files never pass through this server: clients upload and download them directly, with the presigned URLs of
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

use super::internal_error::{Context, InternalError};
pub use listing::{Listed, OpenParts};
pub use parts::Part;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long reading an object's body may take after the response headers have arrived.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 3;

/// The largest object, in bytes, that [`Storage::get`] reads into memory.
const GET_LIMIT: u64 = 64 << 20;

/// How long all clients get the same URL of a shared object. The URL is valid for twice as long.
const SHARED_FOR: TimeDelta = TimeDelta::days(1);
/// How many URLs of shared objects are cached. So a page with many of them doesn't sign each one again.
const SHARED_KEPT: u64 = 20_000;
/// The request header that carries the SHA-256 of an upload, in base64.
pub const CHECKSUM: &str = "x-amz-checksum-sha256";

/// The `Cache-Control` header of objects whose content never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The location of the store and its credentials.
pub struct Settings {
    /// The URL of the store, such as `http://127.0.0.1:9000`; `None` for AWS. A URL enables path-style addressing.
    pub endpoint: Option<String>,
    /// The name of the bucket.
    pub bucket: String,
    /// The region, for example `eu-central-1`; stores without regions mostly accept `us-east-1`.
    pub region: String,
    /// The access key ID.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
}

/// One bucket of an object store; a clone is the same bucket.
#[derive(Clone)]
pub struct Storage {
    client: Client,
    bucket: String,
    /// The region to name when the bucket is created; needed only on AWS outside `us-east-1`.
    location: Option<BucketLocationConstraint>,
    /// Presigned URLs of shared objects by key, with the start of their validity.
    shared: Cache<String, (DateTime<Utc>, Arc<str>)>,
}

/// The metadata of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The length in bytes.
    pub size: u64,
    /// The media type (RFC 9110, 8.3). `application/octet-stream` if the store doesn't report one.
    pub content_type: String,
    /// The ETag without quotes (RFC 9110, 8.8.3); empty if the store doesn't report one.
    pub etag: String,
}

/// The response headers that are stored with an object.
#[derive(Clone, Debug)]
pub struct Headers {
    content_type: String,
    cache_control: Option<&'static str>,
    disposition: Option<String>,
}

impl Headers {
    /// Sets only the media type (RFC 9110, 8.3), and no `Cache-Control`.
    pub fn of(content_type: &str) -> Headers {
        Headers { content_type: content_type.to_owned(), cache_control: None, disposition: None }
    }

    /// Lets clients cache the object forever: the content at its key must never change.
    #[must_use]
    pub fn kept_forever(self) -> Headers {
        Headers { cache_control: Some(FOREVER), ..self }
    }

    /// Makes browsers save the object under this file name instead of displaying it (RFC 6266).
    #[must_use]
    pub fn saved_as(self, filename: &str) -> Headers {
        let name = encoded(&filename.replace(['/', '\\'], "_"));
        Headers { disposition: Some(format!("attachment; filename*=UTF-8''{name}")), ..self }
    }
}

/// The result of copying an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The SHA-256 of the content, if the store computed it during the copy.
    pub sha256: Option<Vec<u8>>,
}

impl Storage {
    /// Returns a client for the bucket. Nothing is sent yet.
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
            // Not every compatible store supports the newer checksums, and in a presigned URL the default checksum
            // would be that of an empty body.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        Storage { client: Client::from_conf(config.build()), bucket, location, shared: Cache::new(SHARED_KEPT) }
    }

    /// Creates the bucket if it doesn't exist. Several nodes may do so concurrently.
    ///
    /// # Errors
    /// The store is unreachable or rejects the credentials, or another account owns the bucket.
    pub async fn ensure_bucket(&self) -> Result<(), InternalError> {
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

    /// Stores an object, replacing any object at `key`.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn put(&self, key: &str, content_type: &str, content: Bytes) -> Result<(), InternalError> {
        self.put_as(key, &Headers::of(content_type), content).await
    }

    /// Stores an object with these headers, replacing any object at `key`.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn put_as(&self, key: &str, headers: &Headers, content: Bytes) -> Result<(), InternalError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(&headers.content_type);
        let put = put.set_cache_control(headers.cache_control.map(str::to_owned));
        let put = put.set_content_disposition(headers.disposition.clone());
        put.body(ByteStream::from(content)).send().await.context(format!("store the object {key}")).map(drop)
    }

    /// Returns the content of an object; `None` if it doesn't exist.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request, or the object is larger than 64 MiB, the limit for reading into
    /// memory.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, InternalError> {
        let what = || format!("fetch the object {key}");
        let object = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(error).context(what()),
        };
        // Content-Length is required, and HTTP enforces it.
        if object.content_length.and_then(|length| u64::try_from(length).ok()).is_none_or(|length| length > GET_LIMIT) {
            return Err(InternalError::new("its length is unknown or above 64 MiB")).context(what());
        }
        let body = tokio::time::timeout(BODY_TIMEOUT, object.body.collect()).await.context(what())?;
        Ok(Some(body.context(what())?.into_bytes()))
    }

    /// Returns the metadata of an object; `None` if it doesn't exist.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, InternalError> {
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

    /// Returns the first bytes of an object, at most `length`; `None` if it doesn't exist.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn start_of(&self, key: &str, length: u64) -> Result<Option<Bytes>, InternalError> {
        let what = || format!("fetch the start of the object {key}");
        let range = format!("bytes=0-{}", length.saturating_sub(1));
        let mut body = match self.client.get_object().bucket(&self.bucket).key(key).range(range).send().await {
            Ok(object) => object.body,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(error).context(what()),
        };
        let read = async {
            let mut start = Vec::new();
            // The store may ignore the range, and the object may be large.
            while let Some(chunk) = body.try_next().await? {
                start.extend_from_slice(&chunk);
                if start.len() as u64 >= length {
                    break;
                }
            }
            start.truncate(usize::try_from(length)?);
            Ok::<_, InternalError>(Some(start.into()))
        };
        tokio::time::timeout(BODY_TIMEOUT, read).await.context(what())?.context(what())
    }

    /// Copies an object within the store; `None` if the source doesn't exist.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request; the object is larger than 5 GiB.
    pub async fn copy(&self, from: &str, to: &str, headers: &Headers) -> Result<Option<Copied>, InternalError> {
        let copy = self.client.copy_object().bucket(&self.bucket).key(to);
        let copy = copy.copy_source(format!("{}/{}", self.bucket, encoded(from)));
        let copy = copy.metadata_directive(MetadataDirective::Replace).content_type(&headers.content_type);
        let copy = copy.set_content_disposition(headers.disposition.clone());
        // Makes the store compute the checksum.
        let copy = copy.checksum_algorithm(ChecksumAlgorithm::Sha256);
        let copied = match copy.set_cache_control(headers.cache_control.map(str::to_owned)).send().await {
            Ok(copied) => copied,
            Err(error) if error.raw_response().is_some_and(|response| response.status().as_u16() == 404) => {
                return Ok(None);
            }
            Err(error) => return Err(error).context(format!("copy the object {from} to {to}")),
        };
        // Use only the checksum of this copy. The embedded store keeps the checksum that a client sent with earlier
        // content of the same key, and reports it for copies too.
        let sum = copied.copy_object_result.and_then(|result| result.checksum_sha256);
        Ok(Some(Copied { sha256: sum.and_then(|sum| STANDARD.decode(sum).ok()).filter(|sum| sum.len() == 32) }))
    }

    /// Deletes an object; succeeds if it doesn't exist.
    ///
    /// # Errors
    /// The store is unreachable or rejects the request.
    pub async fn delete(&self, key: &str) -> Result<(), InternalError> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.context(format!("delete the object {key}")).map(drop)
    }

    /// Presigns a URL for a `PUT` of the described content. It is valid for `ttl` (at most seven days) from now.
    ///
    /// The signature covers the media type, the length in bytes and, if given, the SHA-256 of the content. The upload
    /// must send exactly these headers; the checksum is `x-amz-checksum-sha256`, in base64. Most stores reject content
    /// with another checksum, but not all do, and the embedded store keeps the content that it rejects.
    ///
    /// An upload that starts before the expiry may finish after it.
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
    ) -> Result<String, InternalError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let put = put.content_length(i64::try_from(length)?).set_checksum_sha256(sha256.map(checksum));
        let signed = put.presigned(PresigningConfig::expires_in(ttl)?).await.context("sign an upload")?;
        Ok(signed.uri().to_owned())
    }

    /// Presigns a URL for `GET`, valid for `ttl` (at most seven days) from now. Range requests are allowed.
    ///
    /// # Errors
    /// `ttl` is too long.
    pub async fn presign_get(&self, key: &str, ttl: Duration) -> Result<String, InternalError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let signed = get.presigned(PresigningConfig::expires_in(ttl)?).await.context("sign a download")?;
        Ok(signed.uri().to_owned())
    }

    /// Presigns a URL for `GET` that is valid for at least a day from `now`.
    ///
    /// All callers get the same URL within a day (UTC), so that browsers and proxies can cache the object.
    ///
    /// # Errors
    /// The URL can't be signed.
    pub async fn presign_shared(&self, key: &str, now: DateTime<Utc>) -> Result<Arc<str>, InternalError> {
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

/// Encodes a SHA-256 for the header [`CHECKSUM`].
pub fn checksum(sha256: &[u8]) -> String {
    STANDARD.encode(sha256)
}

/// Percent-encodes a key for a URL, or a name for a header (RFC 8187).
fn encoded(key: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    key.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
