//! Settings of the external identity providers.

use url::{Host, Url};

use super::reader::Reader;

/// The OAuth client registered with an identity provider.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// The client id.
    pub id: String,
    /// The client secret.
    pub secret: String,
}

/// A custom OpenID Connect identity provider.
#[derive(Clone, Debug)]
pub struct OidcIssuer {
    /// The issuer URL. The discovery document is at `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// The display name.
    pub name: String,
    /// The client registered with the issuer.
    pub client: OAuthClient,
}

/// The configured identity providers.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Google.
    pub google: Option<OAuthClient>,
    /// GitHub.
    pub github: Option<OAuthClient>,
    /// A custom OpenID Connect issuer.
    pub oidc: Option<OidcIssuer>,
}

impl Identity {
    pub(super) fn read(reader: &mut Reader) -> Identity {
        Identity {
            google: client(reader, "LYCEUM_GOOGLE_CLIENT_ID", "LYCEUM_GOOGLE_CLIENT_SECRET"),
            github: client(reader, "LYCEUM_GITHUB_CLIENT_ID", "LYCEUM_GITHUB_CLIENT_SECRET"),
            oidc: oidc(reader),
        }
    }

    /// Returns the client secrets by setting name.
    pub(super) fn secrets(&self) -> [(&'static str, Option<&str>); 3] {
        [
            ("LYCEUM_GOOGLE_CLIENT_SECRET", self.google.as_ref().map(|client| &*client.secret)),
            ("LYCEUM_GITHUB_CLIENT_SECRET", self.github.as_ref().map(|client| &*client.secret)),
            ("LYCEUM_OIDC_CLIENT_SECRET", self.oidc.as_ref().map(|oidc| &*oidc.client.secret)),
        ]
    }
}

/// Returns whether traffic to `url` is confidential: HTTPS, or HTTP to a loopback address.
pub fn is_confidential(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// Reads a client; reports a problem if only one of id and secret is set.
fn client(reader: &mut Reader, id: &'static str, secret: &'static str) -> Option<OAuthClient> {
    let (found_id, found_secret) = (reader.text(id).map(str::to_owned), reader.text(secret).map(str::to_owned));
    match (found_id, found_secret) {
        (Some(id), Some(secret)) => return Some(OAuthClient { id, secret }),
        (Some(_), None) => reader.problem(format!("{secret} is required when {id} is set")),
        (None, Some(_)) => reader.problem(format!("{id} is required when {secret} is set")),
        (None, None) => {}
    }
    None
}

fn oidc(reader: &mut Reader) -> Option<OidcIssuer> {
    let client = client(reader, "LYCEUM_OIDC_CLIENT_ID", "LYCEUM_OIDC_CLIENT_SECRET");
    let Some(issuer) = reader.text("LYCEUM_OIDC_ISSUER").map(str::to_owned) else {
        for name in ["LYCEUM_OIDC_CLIENT_ID", "LYCEUM_OIDC_NAME"] {
            if reader.text(name).is_some() {
                reader.problem(format!("LYCEUM_OIDC_ISSUER is required when {name} is set"));
            }
        }
        return None;
    };
    if reader.text("LYCEUM_OIDC_CLIENT_ID").is_none() && reader.text("LYCEUM_OIDC_CLIENT_SECRET").is_none() {
        reader
            .problem("LYCEUM_OIDC_CLIENT_ID and LYCEUM_OIDC_CLIENT_SECRET are required when LYCEUM_OIDC_ISSUER is set");
    }
    // OpenID Connect Discovery 1.0, section 2: https, no query, no fragment.
    let plain = |url: Url| is_confidential(&url) && url.query().is_none() && url.fragment().is_none();
    if !Url::parse(&issuer).is_ok_and(plain) {
        let problem = format!(
            "LYCEUM_OIDC_ISSUER is {issuer:?}; it must be a URL that starts with https:// and has no query, such as \
             https://id.school.example"
        );
        reader.problem(problem);
    }
    let name = reader.text_or_default("LYCEUM_OIDC_NAME").to_owned();
    Some(OidcIssuer { issuer, name, client: client? })
}
