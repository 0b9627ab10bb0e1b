//! Services that vouch for people: OpenID Connect issuers, Google among them, and GitHub.
//!
//! A browser is sent to [`Authorization::url`] and comes back with a code. [`Provider::exchange`] turns the code into
//! an [`Identity`] by asking the service itself; nothing that the browser says about its user is believed.

mod github;
mod oidc;

use std::time::Duration;

use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge};
use url::Url;

pub use github::GitHub;
pub use oidc::{Oidc, Settings as OidcSettings};

use super::clock::Clock;
use super::fault::Fault;
use super::fetch::Fetcher;
use crate::config;

/// How long one call may take; an exchange is five of them at worst, and [`WHOLE`] bounds them together.
const CALL: Duration = Duration::from_secs(5);
/// Less than an operation's own limit, so that people are told whose fault it is.
const WHOLE: Duration = Duration::from_secs(12);
const LONGEST_SUBJECT: usize = 255;
const LONGEST_EMAIL: usize = 254;
const LONGEST_NAME: usize = 100;

/// A service that vouches for people.
pub enum Provider {
    /// An OpenID Connect issuer.
    Oidc(Oidc),
    /// GitHub, which speaks OAuth only.
    GitHub(GitHub),
}

/// The services that are set up.
pub struct Providers(Vec<Provider>);

/// A sign-in that begins.
pub struct Authorization {
    /// Where to send the browser.
    pub url: Url,
    /// Comes back with the code.
    pub state: String,
    /// Comes back in the issuer's token; GitHub has none, and does not repeat it.
    pub nonce: String,
    /// Proves to the service that who began is who exchanges the code (RFC 7636).
    pub pkce_verifier: String,
}

/// What is exchanged for an identity.
pub struct Exchange<'a> {
    /// What the browser brought back.
    pub code: &'a str,
    /// [`Authorization::nonce`].
    pub nonce: &'a str,
    /// [`Authorization::pkce_verifier`].
    pub pkce_verifier: &'a str,
    /// The address that the authorization was for.
    pub redirect_uri: &'a Url,
}

/// Whom a service vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The service: [`Provider::issuer`].
    pub issuer: String,
    /// The service's own name for its user, which never passes to somebody else.
    pub subject: String,
    /// The user's e-mail address as the service knows it.
    pub email: Option<String>,
    /// Whether the service has seen that the address is its user's.
    pub email_verified: bool,
    /// What the user is called.
    pub name: Option<String>,
}

/// Why nobody is vouched for.
#[derive(Debug)]
pub enum NotVouched {
    /// The service does not accept the code, or its answer is not to be believed: only a new beginning can help.
    Refused(Fault),
    /// The service does not answer as it should: it may later.
    Unavailable(Fault),
}

impl Providers {
    /// The services of the settings.
    ///
    /// # Errors
    /// An address cannot be read, or this machine has no certificates of authorities to trust.
    pub fn new(settings: &config::identity::Identity, clock: &Clock) -> Result<Providers, Fault> {
        let config::identity::Identity { google, github, oidc } = settings.clone();
        if google.is_none() && github.is_none() && oidc.is_none() {
            return Ok(Providers(Vec::new()));
        }
        let fetcher = Fetcher::new(CALL)?;
        let mut providers = Vec::new();
        // In the order of their ids, which lists of them keep.
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

    /// All of them.
    pub fn all(&self) -> &[Provider] {
        &self.0
    }

    /// The one whose subjects belong to `issuer`.
    pub fn of(&self, issuer: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.issuer() == issuer)
    }

    /// The one with this id.
    pub fn find(&self, id: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.id() == id)
    }
}

impl Provider {
    /// What programs call it: `google`, `github`, `oidc`.
    pub fn id(&self) -> &str {
        match self {
            Provider::Oidc(oidc) => oidc.id(),
            Provider::GitHub(_) => "github",
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        match self {
            Provider::Oidc(oidc) => oidc.name(),
            Provider::GitHub(_) => "GitHub",
        }
    }

    /// Where its subjects belong: the same subject of another issuer is somebody else.
    pub fn issuer(&self) -> &str {
        match self {
            Provider::Oidc(oidc) => oidc.issuer(),
            Provider::GitHub(github) => github.issuer(),
        }
    }

    /// Begins a sign-in that comes back to `redirect_uri`.
    ///
    /// # Errors
    /// The issuer cannot be asked where its sign-in page is.
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

    /// Exchanges a code for the identity of whoever signed in at the service.
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
    let late = |_| NotVouched::Unavailable(Fault::new("the service took too long"));
    tokio::time::timeout(WHOLE, work).await.map_err(late)?
}

impl Identity {
    /// Takes over what a service says of its user, as far as it can be stored and shown.
    fn new(
        issuer: &str,
        subject: &str,
        email: Option<(&str, bool)>,
        name: Option<&str>,
    ) -> Result<Identity, NotVouched> {
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.contains(char::is_control) {
            return Err(NotVouched::Refused(Fault::new("the service's name for its user is unusable")));
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
            assert!(matches!(identity(subject, None, None), Err(NotVouched::Refused(_))), "{subject}");
        }
    }
}
