//! TLS client configuration: rustls with ring and the operating system's root certificates.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};

use super::internal_error::{Context, InternalError};

/// The operating system's root certificates, read once; empty if none are installed.
pub fn roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        // Certificates that cannot be read or parsed are ignored.
        let (_trusted, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    ROOTS.get_or_init(read).clone()
}

/// Returns a client configuration that trusts [`roots`]. It sets its crypto provider: the process has no default one.
///
/// # Errors
/// Never in practice: ring supports the default versions of the protocol.
pub fn client() -> Result<ClientConfig, InternalError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().context("TLS")?;
    Ok(builder.with_root_certificates(roots()).with_no_client_auth())
}
