//! OpenID Connect: the code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636).
//!
//! The `openidconnect` crate verifies the ID token: signature, issuer, audience, expiry, nonce.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::header::HeaderValue;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGenderClaim, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, ConfigurationError, CsrfToken, EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse, UserInfoClaims, UserInfoError,
};
use url::Url;

use super::{Exchange, Identity, NotVouched};
use crate::config::identity::OAuthClient;
use crate::platform::clock::Clock;
use crate::platform::fetch::{FetchError, Fetcher};
use crate::platform::internal_error::{Context, InternalError};

/// How long the discovery document and the keys are cached.
const DESCRIPTION_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// The allowed signature algorithms, all asymmetric.
///
/// `none` and HMAC are excluded: the client secret is a password, and knowing it shouldn't be enough to forge
/// identities.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The configuration of an issuer.
pub struct Settings {
    /// The id in the API.
    pub id: &'static str,
    /// The display name.
    pub name: String,
    /// The issuer URL.
    pub issuer: String,
    /// This server's credentials at the issuer.
    pub client: OAuthClient,
}

/// An OpenID Connect issuer.
pub struct Oidc {
    id: &'static str,
    name: String,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    fetcher: Fetcher,
    clock: Clock,
    description: Mutex<Option<(DateTime<Utc>, Arc<CoreProviderMetadata>)>>,
}

impl Oidc {
    /// Returns an issuer; nothing is sent yet.
    ///
    /// # Errors
    /// The issuer URL is malformed.
    pub fn new(settings: Settings, fetcher: Fetcher, clock: Clock) -> Result<Oidc, InternalError> {
        Ok(Oidc {
            id: settings.id,
            name: settings.name,
            issuer: IssuerUrl::new(settings.issuer).context("read the address of an OpenID Connect issuer")?,
            client_id: ClientId::new(settings.client.id),
            client_secret: ClientSecret::new(settings.client.secret),
            fetcher,
            clock,
            description: Mutex::new(None),
        })
    }

    pub(super) fn id(&self) -> &str {
        self.id
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) async fn url(
        &self,
        redirect_uri: &Url,
        state: &CsrfToken,
        nonce: &Nonce,
        challenge: PkceCodeChallenge,
    ) -> Result<Url, NotVouched> {
        let client = self.client(&*self.description().await?, redirect_uri);
        let (state, nonce) = (state.clone(), nonce.clone());
        let request = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce);
        let scopes = ["email", "profile"].map(|scope| Scope::new(scope.to_owned()));
        Ok(request.add_scopes(scopes).set_pkce_challenge(challenge).url().0)
    }

    pub(super) async fn exchange(&self, exchange: Exchange<'_>) -> Result<Identity, NotVouched> {
        let description = self.description().await?;
        let client = self.client(&description, exchange.redirect_uri);
        let token = self.redeem(&client, &exchange).await?;
        let nonce = Nonce::new(exchange.nonce.to_owned());
        let (client, claims) = match self.claims(&client, &token, &nonce) {
            // The issuer has rotated its keys since they were cached.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let client = self.client(&*self.ask_for_description().await?, exchange.redirect_uri);
                let claims = self.claims(&client, &token, &nonce);
                (client, claims)
            }
            claims => (client, claims),
        };
        let claims = claims.context("check an ID token").map_err(NotVouched::Rejected)?;
        self.identity(&client, &claims, token.access_token()).await
    }

    async fn redeem(&self, client: &Client, exchange: &Exchange<'_>) -> Result<CoreTokenResponse, NotVouched> {
        let request = client
            .exchange_code(AuthorizationCode::new(exchange.code.to_owned()))
            .map_err(no_endpoint)?
            .set_pkce_verifier(PkceCodeVerifier::new(exchange.pkce_verifier.to_owned()));
        let answer = request.request_async(&self.fetcher).await;
        answer.map_err(|error| {
            let rejected = matches!(error, RequestTokenError::ServerResponse(_));
            let error = InternalError::from(error);
            if rejected { NotVouched::Rejected(error) } else { NotVouched::Unavailable(error) }
        })
    }

    /// Verifies the ID token and returns its claims.
    fn claims(
        &self,
        client: &Client,
        token: &CoreTokenResponse,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let missing = || ClaimsVerificationError::Other("there is no ID token".into());
        let id_token = token.id_token().ok_or_else(missing)?;
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(|| self.clock.now());
        let claims = id_token.claims(&verifier, nonce)?;
        // Section 3.1.3.8: if the ID token contains an access token hash, it must match the access token.
        if let Some(expected) = claims.access_token_hash() {
            let signed = ClaimsVerificationError::SignatureVerification;
            let (algorithm, key) =
                (id_token.signing_alg().map_err(signed)?, id_token.signing_key(&verifier).map_err(signed)?);
            let actual = AccessTokenHash::from_token(token.access_token(), algorithm, key)
                .map_err(|error| ClaimsVerificationError::Other(error.to_string()))?;
            if actual != *expected {
                return Err(ClaimsVerificationError::Other("the ID token is of another access token".into()));
            }
        }
        Ok(claims.clone())
    }

    async fn identity(
        &self,
        client: &Client,
        claims: &CoreIdTokenClaims,
        access_token: &AccessToken,
    ) -> Result<Identity, NotVouched> {
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str());
        let (email, verified) = (claims.email().map(|email| email.as_str()), claims.email_verified());
        let complete = email.is_some() && verified.is_some();
        if complete || client.user_info_url().is_none() {
            let email = email.map(|email| (email, verified.unwrap_or_default()));
            return Identity::new(&self.issuer, claims.subject(), email, name);
        }
        let more = self.user_info(client, claims, access_token).await?;
        let name = name.or_else(|| more.name().and_then(|name| name.get(None)).map(|name| name.as_str()));
        let told = more.email().map(|email| (email.as_str(), more.email_verified().unwrap_or_default()));
        Identity::new(&self.issuer, claims.subject(), told.or(email.map(|email| (email, false))), name)
    }

    /// Fetches the claims of the user info endpoint. The library verifies the subject.
    async fn user_info(
        &self,
        client: &Client,
        claims: &CoreIdTokenClaims,
        access_token: &AccessToken,
    ) -> Result<UserInfoClaims<EmptyAdditionalClaims, CoreGenderClaim>, NotVouched> {
        // The library would panic.
        if HeaderValue::from_str(access_token.secret()).is_err() {
            return Err(NotVouched::Rejected(InternalError::new("the access token cannot be sent back")));
        }
        let request = client.user_info(access_token.clone(), Some(claims.subject().clone())).map_err(no_endpoint)?;
        request.request_async(&self.fetcher).await.map_err(|error| {
            let rejected = matches!(error, UserInfoError::ClaimsVerification(_));
            let error = InternalError::from(error);
            if rejected { NotVouched::Rejected(error) } else { NotVouched::Unavailable(error) }
        })
    }

    fn client(&self, description: &CoreProviderMetadata, redirect_uri: &Url) -> Client {
        let methods = description.token_endpoint_auth_methods_supported();
        let post_only = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let (id, secret) = (self.client_id.clone(), self.client_secret.clone());
        CoreClient::from_provider_metadata(description.clone(), id, Some(secret))
            .set_auth_type(if post_only { AuthType::RequestBody } else { AuthType::BasicAuth })
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()))
    }

    async fn description(&self) -> Result<Arc<CoreProviderMetadata>, NotVouched> {
        let known = self.description.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some((asked_at, description)) if self.clock.now() < asked_at + DESCRIPTION_LIFETIME => Ok(description),
            _ => self.ask_for_description().await,
        }
    }

    async fn ask_for_description(&self) -> Result<Arc<CoreProviderMetadata>, NotVouched> {
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.fetcher).await;
        let found = found.context("ask an OpenID Connect issuer about itself").map_err(NotVouched::Unavailable)?;
        let endpoints = [
            Some(found.authorization_endpoint().url()),
            found.token_endpoint().map(|endpoint| endpoint.url()),
            found.userinfo_endpoint().map(|endpoint| endpoint.url()),
        ];
        let scheme = self.issuer.url().scheme();
        if endpoints.into_iter().flatten().any(|url| url.scheme() != "https" && url.scheme() != scheme) {
            let error = InternalError::new("an OpenID Connect issuer names an address that is not an https:// one");
            return Err(NotVouched::Unavailable(error));
        }
        let found = Arc::new(found);
        let mut known = self.description.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((self.clock.now(), found.clone()));
        Ok(found)
    }
}

/// A closure would do, but the compiler can't prove that its future is `Send`.
impl<'c> AsyncHttpClient<'c> for Fetcher {
    type Error = FetchError;
    type Future = BoxFuture<'c, Result<HttpResponse, FetchError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        async move { Ok(self.send(request).await?.map(Vec::from)) }.boxed()
    }
}

fn no_endpoint(error: ConfigurationError) -> NotVouched {
    NotVouched::Unavailable(error.into())
}
