//! Signatures of webhooks as Stripe has them: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`. There are several
//! `v1` while a secret is replaced.
//!
//! Source: Stripe, "Verify webhook signatures manually" (docs.stripe.com/webhooks/signature).

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Unverified;
use crate::platform::internal_error::{Context, InternalError};

/// How far the time of a signature may be from now.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The number of signatures in a header that are looked at.
const MOST_SIGNATURES: usize = 8;

fn mac(key: &[u8], seconds: i64, body: &[u8]) -> Result<Hmac<Sha256>, InternalError> {
    let mac = Hmac::<Sha256>::new_from_slice(key).context("a key of webhooks")?;
    Ok(mac.chain_update(format!("{seconds}.")).chain_update(body))
}

/// Returns the header for a body that is sent at `now`.
pub(super) fn sign(key: &[u8], body: &[u8], now: DateTime<Utc>) -> Result<String, InternalError> {
    let seconds = now.timestamp();
    Ok(format!("t={seconds},v1={}", hex::encode(mac(key, seconds, body)?.finalize().into_bytes())))
}

/// Checks the header of a body that was received at `now`, in constant time.
pub(super) fn verify(key: &[u8], header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), Unverified> {
    let parts = |name: &'static str| header.split(',').filter_map(move |part| part.trim().strip_prefix(name));
    let seconds: i64 = parts("t=").next().and_then(|text| text.parse().ok()).ok_or(Unverified::Forged)?;
    let expected = mac(key, seconds, body).map_err(|_| Unverified::Forged)?;
    let mut signatures = parts("v1=").take(MOST_SIGNATURES).filter_map(|text| hex::decode(text).ok());
    if !signatures.any(|signature| expected.clone().verify_slice(&signature).is_ok()) {
        return Err(Unverified::Forged);
    }
    let sent = DateTime::from_timestamp(seconds, 0).ok_or(Unverified::Forged)?;
    if (now - sent).abs() > TOLERANCE { Err(Unverified::Stale) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_signs_and_only_for_five_minutes() {
        let (now, body) = (DateTime::from_timestamp(1_800_000_000, 0).unwrap(), b"{}".as_slice());
        let header = sign(b"key", body, now).unwrap();
        assert_eq!(verify(b"key", &header, body, now), Ok(()));
        assert_eq!(verify(b"key", &header, body, now + TOLERANCE), Ok(()));
        let late = now + TOLERANCE + TimeDelta::seconds(1);
        assert_eq!(verify(b"key", &header, body, late), Err(Unverified::Stale));
        assert_eq!(verify(b"key", &header, body, now - TOLERANCE - TimeDelta::seconds(1)), Err(Unverified::Stale));
        assert_eq!(verify(b"key", &header, b"{ }", now), Err(Unverified::Forged), "another body");
        assert_eq!(verify(b"another key", &header, body, now), Err(Unverified::Forged));
        let two = format!("{},v1={}", sign(b"an old key", body, now).unwrap(), header.split("v1=").nth(1).unwrap());
        assert_eq!(verify(b"key", &two, body, now), Ok(()), "while the secret is replaced");
        let newer = header.replace("t=1800000000", "t=1800000001");
        let shorter = &header[..header.len() - 2];
        for forged in [newer.as_str(), shorter, "", "t=1800000000", "v1=00", "t=x,v1=00", "t=1800000000,v1=zz"] {
            assert_eq!(verify(b"key", forged, body, now), Err(Unverified::Forged), "{forged}");
        }
    }
}
