//! Clients of HTTP. With the program's own TLS: reqwest's would want a default provider, and read the machine's
//! certificates for each client.

use lyceum::platform::tls;
use reqwest::{Client, ClientBuilder, IntoUrl, Response, Result};

pub(crate) fn builder() -> ClientBuilder {
    Client::builder().tls_backend_preconfigured(tls::client().unwrap())
}

/// A client with connections of its own: they belong to the runtime of one test.
pub(crate) fn client() -> Client {
    builder().build().unwrap()
}

pub(crate) async fn get(url: impl IntoUrl) -> Result<Response> {
    client().get(url).send().await
}
