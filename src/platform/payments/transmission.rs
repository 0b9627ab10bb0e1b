//! Signatures of PayPal's webhooks: RSA with SHA-256 over `<id>|<time>|<webhook id>|<CRC-32 of the body>`, by a
//! certificate whose URL the request names.
//!
//! Source: <https://developer.paypal.com/api/rest/webhooks/rest/#verify-webhook-notifications>.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hyper::{HeaderMap, Request};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::sync::Semaphore;
use url::Url;
use webpki::{EndEntityCert, KeyUsage};

use super::Unverified;
use crate::platform::fetch::Fetcher;
use crate::platform::internal_error::InternalError;

/// A certificate, and those that lead to a root.
type Chain = Arc<Vec<CertificateDer<'static>>>;

/// The timeout for fetching a certificate.
const FETCH: Duration = Duration::from_secs(5);
/// How old a transmission may be. PayPal sends an event again for three days.
const TOLERANCE: TimeDelta = TimeDelta::days(4);
/// The number of certificates that are kept.
const MOST_KEPT: usize = 16;
/// The number of certificates that are fetched at a time: what names them is not signed.
const MOST_FETCHED: usize = 4;
/// Where the certificates are at PayPal.
const PATH: &str = "/v1/notifications/certs/";
/// The signature algorithm that PayPal uses.
const ALGORITHM: &str = "SHA256withRSA";

/// What the headers of a webhook say.
pub(super) struct Transmission<'a> {
    id: &'a str,
    time: &'a str,
    certificate: Url,
    signature: Vec<u8>,
}

impl<'a> Transmission<'a> {
    /// Reads the headers.
    pub(super) fn read(headers: &'a HeaderMap) -> Result<Transmission<'a>, Unverified> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Unverified::Forged);
        if header("paypal-auth-algo")? != ALGORITHM {
            return Err(Unverified::Forged);
        }
        Ok(Transmission {
            id: header("paypal-transmission-id")?,
            time: header("paypal-transmission-time")?,
            certificate: header("paypal-cert-url")?.parse().map_err(|_| Unverified::Forged)?,
            signature: BASE64_STANDARD.decode(header("paypal-transmission-sig")?).map_err(|_| Unverified::Forged)?,
        })
    }
}

/// The certificates of PayPal, which are kept.
pub(super) struct Certificates {
    /// The hosts that certificates are fetched from, as URLs without a path.
    origins: Vec<String>,
    /// The name that certificates are issued to.
    name: &'static str,
    roots: Arc<RootCertStore>,
    fetcher: Fetcher,
    /// Chains by URL.
    kept: Mutex<HashMap<Url, Chain>>,
    fetches: Semaphore,
}

impl Certificates {
    /// For the API at `url`, with certificates that go back to one of `roots`.
    pub(super) fn new(url: &str, roots: Arc<RootCertStore>) -> Result<Certificates, InternalError> {
        // The API is at api-m.paypal.com, its certificates are at api.paypal.com.
        let origins = vec![url.to_owned(), url.replace("//api-m.", "//api.")];
        let name = match url.contains("sandbox") {
            true => "messageverificationcerts.sandbox.paypal.com",
            false => "messageverificationcerts.paypal.com",
        };
        Ok(Certificates {
            origins,
            name,
            roots,
            fetcher: Fetcher::new(FETCH)?,
            kept: Mutex::default(),
            fetches: Semaphore::new(MOST_FETCHED),
        })
    }

    /// Checks the signature of a webhook over the id of the webhook and the raw body.
    ///
    /// # Errors
    /// `Unavailable` if the certificate cannot be fetched; PayPal sends the event again.
    pub(super) async fn verify(
        &self,
        transmission: &Transmission<'_>,
        (webhook_id, body): (&str, &[u8]),
        now: DateTime<Utc>,
    ) -> Result<(), Unverified> {
        let sent = DateTime::parse_from_rfc3339(transmission.time).map_err(|_| Unverified::Forged)?;
        if (now - sent.to_utc()).abs() > TOLERANCE {
            return Err(Unverified::Stale);
        }
        let chain = self.chain(&transmission.certificate).await?;
        let Some((leaf, intermediates)) = chain.split_first() else { return Err(Unverified::Forged) };
        let Transmission { id, time, signature, .. } = transmission;
        let message = format!("{id}|{time}|{webhook_id}|{}", crc32fast::hash(body));
        self.check(leaf, intermediates, (message.as_bytes(), signature), now).map_err(|error| {
            tracing::warn!(%error, "a certificate or a signature of PayPal is not valid");
            Unverified::Forged
        })
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        (message, signature): (&[u8], &[u8]),
        now: DateTime<Utc>,
    ) -> Result<(), webpki::Error> {
        let leaf = EndEntityCert::try_from(leaf)?;
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.roots.roots,
            intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::server_auth(),
            None,
            None,
        )?;
        let name = ServerName::try_from(self.name).map_err(|_| webpki::Error::MalformedDnsIdentifier)?;
        leaf.verify_is_valid_for_subject_name(&name)?;
        leaf.verify_signature(webpki::ring::RSA_PKCS1_2048_8192_SHA256, message, signature)
    }

    /// Returns the chain at a URL of PayPal's host.
    async fn chain(&self, url: &Url) -> Result<Chain, Unverified> {
        let mut origins = self.origins.iter().filter_map(|origin| origin.parse().ok());
        if !origins.any(|origin: Url| origin.origin() == url.origin()) || !url.path().starts_with(PATH) {
            return Err(Unverified::Forged);
        }
        if let Some(chain) = self.chains().get(url) {
            return Ok(chain.clone());
        }
        // PayPal sends again what is not accepted now.
        let _permit = self.fetches.try_acquire().map_err(|_| Unverified::Unavailable)?;
        let chain = self.fetch(url).await.map_err(|error| {
            tracing::warn!(error = error.report(), "a certificate of PayPal cannot be fetched");
            Unverified::Unavailable
        })?;
        let mut kept = self.chains();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(url.clone(), chain.clone());
        Ok(chain)
    }

    fn chains(&self) -> MutexGuard<'_, HashMap<Url, Chain>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, url: &Url) -> Result<Chain, InternalError> {
        let response = self.fetcher.send(Request::get(url.as_str()).body(String::new())?).await?;
        if !response.status().is_success() {
            return Err(InternalError::new(format!("PayPal answers {}", response.status())));
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(response.body()).collect();
        Ok(Arc::new(chain?))
    }
}
