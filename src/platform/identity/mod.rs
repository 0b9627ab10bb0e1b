//! External identity providers: OpenID Connect issuers, including Google, and GitHub.
//!
//! The browser is redirected to [`Authorization::url`] and returns with a code. [`Provider::exchange`] exchanges the
//! code for an [`Identity`] directly with the provider; nothing that the browser claims about its user is trusted.

mod github;
mod oidc;

use std::time::Duration;

use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge};
use url::Url;

pub use github::GitHub;
pub use oidc::{Oidc, Settings as OidcSettings};

use super::clock::Clock;
use super::fetch::Fetcher;
use super::internal_error::InternalError;
use crate::config;

/// The timeout of one call; an exchange makes up to five, which [`WHOLE`] limits together.
const CALL: Duration = Duration::from_secs(5);
/// The timeout of all calls together. Shorter than that of a GraphQL operation, so that the client learns that the
/// provider was too slow.
const WHOLE: Duration = Duration::from_secs(12);
const LONGEST_SUBJECT: usize = 255;
const LONGEST_EMAIL: usize = 254;
const LONGEST_NAME: usize = 100;

/// An identity provider.
pub enum Provider {
    /// An OpenID Connect issuer.
    Oidc(Oidc),
    /// GitHub, which supports OAuth but not OpenID Connect.
    GitHub(GitHub),
}

/// The configured identity providers.
pub struct Providers(Vec<Provider>);

/// A sign-in that was started.
pub struct Authorization {
    /// The URL to redirect the browser to.
    pub url: Url,
    /// The state parameter, which returns with the code.
    pub state: String,
    /// The nonce, which returns in the issuer's ID token; GitHub doesn't support it.
    pub nonce: String,
    /// The PKCE verifier (RFC 7636). It proves that the code is exchanged by the client that started the sign-in.
    pub pkce_verifier: String,
}

/// The input of a code exchange.
pub struct Exchange<'a> {
    /// The code that the browser returned with.
    pub code: &'a str,
    /// [`Authorization::nonce`].
    pub nonce: &'a str,
    /// [`Authorization::pkce_verifier`].
    pub pkce_verifier: &'a str,
    /// The redirect URI of the authorization.
    pub redirect_uri: &'a Url,
}

/// A user as identified by a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider: [`Provider::issuer`].
    pub issuer: String,
    /// The provider's stable id of its user, which is never reassigned.
    pub subject: String,
    /// The user's email address according to the provider.
    pub email: Option<String>,
    /// Whether the provider has verified that the user owns the email address.
    pub email_verified: bool,
    /// The user's display name.
    pub name: Option<String>,
}

/// Why no identity was returned.
#[derive(Debug)]
pub enum NotVouched {
    /// The provider rejects the code, or its response fails verification. Only a new sign-in can succeed.
    Rejected(InternalError),
    /// The provider is unavailable or responds unexpectedly. A retry may succeed.
    Unavailable(InternalError),
}

impl Providers {
    /// Returns the configured providers.
    ///
    /// # Errors
    /// A URL is malformed, or no root certificates are installed on this machine.
    pub fn new(settings: &config::identity::Identity, clock: &Clock) -> Result<Providers, InternalError> {
        let config::identity::Identity { google, github, oidc } = settings.clone();
        if google.is_none() && github.is_none() && oidc.is_none() {
            return Ok(Providers(Vec::new()));
        }
        let fetcher = Fetcher::new(CALL)?;
        let mut providers = Vec::new();
        // Ordered by id, which lists of providers preserve.
        if let Some(client) = github {
            let (web, api) = (Url::parse("https://github.com/")?, Url::parse("https://api.github.com/")?);
            providers.push(Provider::GitHub(GitHub::new(client, web, api, fetcher.clone())));
        }
        if let Some(client) = google {
            let settings = OidcSettings {
                id: "google",
                name: "Google".into(),
                issuer: "https://accounts.google.com".into(),
                client,
            };
            providers.push(Provider::Oidc(Oidc::new(settings, fetcher.clone(), clock.clone())?));
        }
        if let Some(config::identity::OidcIssuer { issuer, name, client }) = oidc {
            let settings = OidcSettings { id: "oidc", name, issuer, client };
            providers.push(Provider::Oidc(Oidc::new(settings, fetcher, clock.clone())?));
        }
        Ok(Providers(providers))
    }

    /// All configured providers.
    pub fn all(&self) -> &[Provider] {
        &self.0
    }

    /// Returns the provider with this issuer.
    pub fn of(&self, issuer: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.issuer() == issuer)
    }

    /// Returns the name of the provider with this issuer; the issuer itself if it is no longer configured.
    pub fn name_of<'a>(&'a self, issuer: &'a str) -> &'a str {
        self.of(issuer).map_or(issuer, Provider::name)
    }

    /// Returns the provider with this id.
    pub fn find(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.id() == id)
    }
}

impl Provider {
    /// The id in the API: `google`, `github`, or `oidc`.
    pub fn id(&self) -> &str {
        match self {
            Provider::Oidc(oidc) => oidc.id(),
            Provider::GitHub(_) => "github",
        }
    }

    /// The display name.
    pub fn name(&self) -> &str {
        match self {
            Provider::Oidc(oidc) => oidc.name(),
            Provider::GitHub(_) => "GitHub",
        }
    }

    /// The issuer. Subjects are unique per issuer only: the same subject of another issuer is another user.
    pub fn issuer(&self) -> &str {
        match self {
            Provider::Oidc(oidc) => oidc.issuer(),
            Provider::GitHub(github) => github.issuer(),
        }
    }

    /// Starts a sign-in that returns to `redirect_uri`.
    ///
    /// # Errors
    /// The issuer's discovery document cannot be fetched.
    pub async fn authorize(&self, redirect_uri: &Url) -> Result<Authorization, NotVouched> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (CsrfToken::new_random_len(32), Nonce::new_random_len(32));
        let url = match self {
            Provider::Oidc(oidc) => in_time(oidc.url(redirect_uri, &state, &nonce, challenge)).await?,
            Provider::GitHub(github) => github.url(redirect_uri, &state, &challenge),
        };
        let (state, nonce) = (state.into_secret(), nonce.secret().clone());
        Ok(Authorization { url, state, nonce, pkce_verifier: verifier.into_secret() })
    }

    /// Exchanges a code for the identity of the user who signed in at the provider.
    ///
    /// # Errors
    /// See [`NotVouched`].
    pub async fn exchange(&self, exchange: Exchange<'_>) -> Result<Identity, NotVouched> {
        match self {
            Provider::Oidc(oidc) => in_time(oidc.exchange(exchange)).await,
            Provider::GitHub(github) => in_time(github.exchange(exchange)).await,
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, NotVouched>>) -> Result<T, NotVouched> {
    let late = |_| NotVouched::Unavailable(InternalError::new("the service took too long"));
    tokio::time::timeout(WHOLE, work).await.map_err(late)?
}

impl Identity {
    /// Validates a provider's data about its user. Unusable email addresses and names are dropped.
    fn new(
        issuer: &str,
        subject: &str,
        email: Option<(&str, bool)>,
        name: Option<&str>,
    ) -> Result<Identity, NotVouched> {
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.contains(char::is_control) {
            return Err(NotVouched::Rejected(InternalError::new("the service's name for its user is unusable")));
        }
        let email = email.map(|(email, verified)| (email.trim(), verified));
        let email = email.filter(|(email, _)| email.len() <= LONGEST_EMAIL && email.parse::<lettre::Address>().is_ok());
        let name = name.map(|name| name.chars().filter(|char| !char.is_control()).collect::<String>());
        let name = name.map(|name| name.trim().chars().take(LONGEST_NAME).collect::<String>());
        Ok(Identity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            email: email.map(|(email, _)| email.to_owned()),
            email_verified: email.is_some_and(|(_, verified)| verified),
            name: name.map(|name| name.trim_end().to_owned()).filter(|name| !name.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(subject: &str, email: Option<&str>, name: Option<&str>) -> Result<Identity, NotVouched> {
        Identity::new("https://id.example", subject, email.map(|email| (email, true)), name)
    }

    #[test]
    fn what_cannot_be_stored_is_left_out_or_refused() {
        let ada = identity("1", Some(" ada@people.example "), Some(" Ada\u{0} \n")).unwrap();
        assert_eq!((ada.email.as_deref(), ada.email_verified), (Some("ada@people.example"), true));
        assert_eq!(ada.name.as_deref(), Some("Ada"));
        let long = format!("{}@b.example", "x".repeat(250));
        for email in ["nobody", "a@b.example, c@d.example", "a\u{0}@b.example", &long] {
            let odd = identity("1", Some(email), Some("\u{7}")).unwrap();
            assert_eq!((odd.email, odd.email_verified, odd.name), (None, false, None), "{email}");
        }
        let long = identity("1", None, Some(&"ä".repeat(101))).unwrap();
        assert_eq!(long.name.unwrap().chars().count(), 100);
        for subject in ["", "a\u{0}b", &"x".repeat(256)] {
            assert!(matches!(identity(subject, None, None), Err(NotVouched::Rejected(_))), "{subject}");
        }
    }
}
