//! GitHub: OAuth with PKCE, then its API for the user's identity.
//!
//! Source: <https://docs.github.com/en/apps/oauth-apps>.

use bytes::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use openidconnect::{CsrfToken, PkceCodeChallenge};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded};

use super::{Exchange, Identity, NotVouched};
use crate::config::identity::OAuthClient;
use crate::platform::fetch::Fetcher;
use crate::platform::internal_error::{Context, InternalError};

/// GitHub as an identity provider, with this server's OAuth client.
pub struct GitHub {
    client: OAuthClient,
    /// The site where users sign in and codes are exchanged.
    web: Url,
    /// The API that returns the user's account.
    api: Url,
    fetcher: Fetcher,
}

/// The token response. GitHub responds with 200 even if it rejects the code.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    /// Stays the same when the login changes, and is never reassigned.
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

impl GitHub {
    /// Returns GitHub with the site at `web` and the API at `api`; both URLs end with a slash.
    pub fn new(client: OAuthClient, web: Url, api: Url, fetcher: Fetcher) -> GitHub {
        GitHub { client, web, api, fetcher }
    }

    pub(super) fn issuer(&self) -> &str {
        self.web.as_str()
    }

    pub(super) fn url(&self, redirect_uri: &Url, state: &CsrfToken, challenge: &PkceCodeChallenge) -> Url {
        let mut url = self.web.clone();
        url.set_path("login/oauth/authorize");
        url.query_pairs_mut()
            .append_pair("client_id", &self.client.id)
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("scope", "user:email")
            .append_pair("state", state.secret())
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        url
    }

    pub(super) async fn exchange(&self, exchange: Exchange<'_>) -> Result<Identity, NotVouched> {
        let token = self.redeem(&exchange).await?;
        let account: Account = self.ask("user", &token).await?;
        let addresses: Vec<Address> = self.ask("user/emails", &token).await?;
        let primary = addresses.iter().find(|address| address.primary && address.verified);
        let email = primary.map(|address| (address.email.as_str(), true));
        let name = account.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&account.login);
        Identity::new(self.issuer(), &account.id.to_string(), email, Some(name))
    }

    async fn redeem(&self, exchange: &Exchange<'_>) -> Result<String, NotVouched> {
        let mut url = self.web.clone();
        url.set_path("login/oauth/access_token");
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client.id)
            .append_pair("client_secret", &self.client.secret)
            .append_pair("code", exchange.code)
            .append_pair("redirect_uri", exchange.redirect_uri.as_str())
            .append_pair("code_verifier", exchange.pkce_verifier)
            .finish();
        let request = Request::post(url.as_str())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, "lyceum")
            .body(form);
        let answer: TokenAnswer = self.answer(request).await?;
        answer.access_token.ok_or_else(|| {
            let why = answer.error.unwrap_or_else(|| "it does not say why".into());
            NotVouched::Rejected(InternalError::new(format!("GitHub gives no token: {why}")))
        })
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, NotVouched> {
        let url = self.api.join(path).context("make an address of GitHub's").map_err(NotVouched::Unavailable)?;
        let request = Request::get(url.as_str())
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header(USER_AGENT, "lyceum")
            .body(String::new());
        self.answer(request).await
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: Result<Request<String>, hyper::http::Error>,
    ) -> Result<T, NotVouched> {
        let answer = async {
            let response: Response<Bytes> = self.fetcher.send(request?).await?;
            if response.status() != StatusCode::OK {
                return Err(InternalError::new(format!("its status is {}", response.status())));
            }
            Ok(serde_json::from_slice(response.body())?)
        };
        answer.await.context("ask GitHub").map_err(NotVouched::Unavailable)
    }
}
