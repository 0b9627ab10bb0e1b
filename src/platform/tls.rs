//! TLS as a client: rustls with ring, and the certificates that this machine trusts.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};

use super::fault::{Context, Fault};

/// The authorities that this machine trusts, read once; empty on a machine that has none.
pub fn roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        // One that cannot be read or parsed is one that nothing is signed with.
        let (_trusted, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    ROOTS.get_or_init(read).clone()
}

/// A client that trusts [`roots`]. It names its provider: the process has no default one.
///
/// # Errors
/// Never in practice: ring supports the default versions of the protocol.
pub fn client() -> Result<ClientConfig, Fault> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().context("TLS")?;
    Ok(builder.with_root_certificates(roots()).with_no_client_auth())
}
