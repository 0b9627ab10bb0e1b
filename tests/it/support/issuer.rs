//! A real OpenID Connect issuer on loopback, with keys of its own, that misbehaves on request.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lyceum::platform::clock::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};
use uuid::Uuid;

/// What the program is known by.
pub(crate) const CLIENT_ID: &str = "lyceum-app";
/// With characters that have to be encoded in the Authorization header (RFC 6749, section 2.3.1).
pub(crate) const CLIENT_SECRET: &str = "kept: between us + two%";

/// What the issuer does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mischief {
    Nothing,
    OtherNonce,
    NoNonce,
    OtherAudience,
    FurtherAudience,
    OtherIssuer,
    Expired,
    AlgNone,
    /// Signed with a key that is not published, under the name of one that is.
    OtherKey,
    /// HS256 with the client's secret.
    ClientSecretSigns,
    /// HS256 with the published key as the secret.
    PublicKeySigns,
    /// The claims are changed after the signature.
    ChangedClaims,
    /// The token's `at_hash` is of another access token.
    OtherAccessToken,
    NoIdToken,
    /// Nothing about e-mail in the ID token, everything at the userinfo endpoint.
    EmailAtUserInfo,
    /// As before, and the userinfo endpoint speaks of somebody else.
    OtherSubjectAtUserInfo,
    /// As before, and the access token is none that can be sent in a header.
    UnsendableAccessToken,
    /// `email_verified` is the text "true".
    TextBoolean,
    /// The token endpoint never answers.
    Hangs,
    /// The token endpoint fails.
    Fails,
    /// The token endpoint sends the request on to another address.
    Redirects,
    /// The token endpoint does not stop talking.
    Endless,
    /// The description names another issuer.
    DescribesAnother,
}

/// Who is signed in at the issuer.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) verified: bool,
    pub(crate) name: Option<String>,
}

/// What a browser brings back.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(crate) code: String,
    pub(crate) state: String,
}

pub(crate) struct Issuer {
    pub(crate) url: String,
    state: Shared,
}

/// What came in, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) descriptions: usize,
    pub(crate) keys: usize,
    pub(crate) tokens: usize,
    /// At the address to which the misbehaving token endpoint redirects.
    pub(crate) redirected: usize,
}

type Shared = Arc<Mutex<Inside>>;
type Params = HashMap<String, String>;

struct Inside {
    url: String,
    clock: Clock,
    algorithm: Algorithm,
    keys: Vec<Key>,
    mischief: Mischief,
    post_only: bool,
    person: Person,
    codes: HashMap<String, Params>,
    /// Whom an access token is for.
    people: HashMap<String, Person>,
    count: Count,
}

#[derive(Clone)]
struct Key {
    id: String,
    private: EncodingKey,
}

impl Key {
    fn new(algorithm: Algorithm) -> Key {
        let arguments: &[&str] = match algorithm {
            Algorithm::ES256 => &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Algorithm::RS256 => &["genrsa", "-traditional", "2048"],
            other => panic!("{other:?}"),
        };
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let pem = String::from_utf8(output.stdout).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64_STANDARD.decode(der).unwrap();
        let private = if algorithm == Algorithm::ES256 {
            EncodingKey::from_ec_der(&der)
        } else {
            EncodingKey::from_rsa_der(&der)
        };
        Key { id: Uuid::new_v4().to_string(), private }
    }

    fn public(&self, algorithm: Algorithm) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, algorithm).unwrap();
        jwk.common.key_id = Some(self.id.clone());
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["use"] = "sig".into();
        jwk
    }
}

pub(crate) fn person(subject: &str, email: &str, verified: bool) -> Person {
    let name = Some(format!("Person {subject}"));
    Person { subject: subject.into(), email: Some(email.into()), verified, name }
}

impl Issuer {
    pub(crate) async fn start(clock: &Clock) -> Issuer {
        Issuer::with(clock, Algorithm::ES256).await
    }

    pub(crate) async fn with(clock: &Clock, algorithm: Algorithm) -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Inside {
            url: url.clone(),
            clock: clock.clone(),
            algorithm,
            keys: vec![Key::new(algorithm)],
            mischief: Mischief::Nothing,
            post_only: false,
            person: person("nobody", "nobody@people.example", false),
            codes: HashMap::new(),
            people: HashMap::new(),
            count: Count::default(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/elsewhere", post(elsewhere).get(elsewhere))
            .route("/userinfo", get(user_info))
            .with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Issuer { url, state }
    }

    pub(crate) fn misbehave(&self, mischief: Mischief) {
        self.state.lock().unwrap().mischief = mischief;
    }

    /// Dates its tokens by this clock from now on.
    pub(crate) fn keep_time_with(&self, clock: &Clock) {
        self.state.lock().unwrap().clock = clock.clone();
    }

    /// Takes the client's secret in the body only.
    pub(crate) fn post_only(&self) {
        self.state.lock().unwrap().post_only = true;
    }

    /// Signs with a new key from now on, and publishes only that.
    pub(crate) fn rotate(&self) {
        let mut inside = self.state.lock().unwrap();
        inside.keys = vec![Key::new(inside.algorithm)];
    }

    pub(crate) fn count(&self) -> Count {
        self.state.lock().unwrap().count
    }

    /// Goes to the issuer's sign-in page as `person` and agrees.
    pub(crate) async fn visit(&self, authorization_url: &str, person: &Person) -> Callback {
        self.state.lock().unwrap().person = person.clone();
        follow(authorization_url).await
    }
}

/// Opens a sign-in page that redirects at once.
pub(crate) async fn follow(authorization_url: &str) -> Callback {
    let browser = super::http::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.get(authorization_url).send().await.unwrap();
    assert_eq!(answer.status(), 303, "{authorization_url}: {answer:?}");
    let location = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let mut params: Params = location.query_pairs().into_owned().collect();
    Callback { code: params.remove("code").unwrap(), state: params.remove("state").unwrap() }
}

async fn description(State(state): State<Shared>) -> Json<Value> {
    let mut inside = state.lock().unwrap();
    inside.count.descriptions += 1;
    let url = &inside.url;
    let issuer = if inside.mischief == Mischief::DescribesAnother { "https://other.example" } else { url };
    let methods = if inside.post_only { "client_secret_post" } else { "client_secret_basic" };
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // Worse than it should: nobody who reads this may believe in them.
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256"],
        "token_endpoint_auth_methods_supported": [methods],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(State(state): State<Shared>) -> Json<Value> {
    let mut inside = state.lock().unwrap();
    inside.count.keys += 1;
    let keys: Vec<Value> = inside.keys.iter().map(|key| key.public(inside.algorithm)).collect();
    Json(json!({ "keys": keys }))
}

async fn authorize(State(state): State<Shared>, Query(mut params): Query<Params>) -> Redirect {
    assert_eq!((&*params["response_type"], &*params["client_id"]), ("code", CLIENT_ID));
    assert_eq!(params["code_challenge_method"], "S256");
    let scopes: Vec<&str> = params["scope"].split(' ').collect();
    assert!(scopes.contains(&"openid") && scopes.contains(&"email"), "{scopes:?}");
    let mut back = Url::parse(&params["redirect_uri"]).unwrap();
    let code = Uuid::new_v4().to_string();
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &params["state"]);
    let mut inside = state.lock().unwrap();
    let person = inside.person.clone();
    let access_token = Uuid::new_v4().to_string();
    params.insert("access_token".into(), access_token.clone());
    inside.people.insert(access_token, person);
    inside.codes.insert(code, params);
    Redirect::to(back.as_str())
}

async fn token(State(state): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let mischief = {
        let mut inside = state.lock().unwrap();
        inside.count.tokens += 1;
        inside.mischief
    };
    match mischief {
        Mischief::Hangs => return std::future::pending().await,
        Mischief::Fails => return (StatusCode::INTERNAL_SERVER_ERROR, "<h1>Oh no</h1>").into_response(),
        Mischief::Redirects => return Redirect::temporary("/elsewhere").into_response(),
        Mischief::Endless => {
            let chunk = || Ok::<_, std::io::Error>(" ".repeat(64 << 10));
            let body = Body::from_stream(futures_util::stream::repeat_with(chunk));
            return ([(header::CONTENT_TYPE, "application/json")], body).into_response();
        }
        _ => {}
    }
    let form: Params = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let mut inside = state.lock().unwrap();
    if !inside.knows(&headers, &form) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    // Whatever comes of it, a code is good for one attempt.
    let granted = form.get("code").and_then(|code| inside.codes.remove(code));
    let good = granted.filter(|granted| {
        let verifier = form.get("code_verifier").map_or("", String::as_str);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        form["grant_type"] == "authorization_code"
            && granted["code_challenge"] == challenge
            && Some(&granted["redirect_uri"]) == form.get("redirect_uri")
    });
    let Some(granted) = good else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let access_token = match mischief {
        Mischief::UnsendableAccessToken => "a\nb".to_owned(),
        _ => granted["access_token"].clone(),
    };
    let mut answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 60 });
    if mischief != Mischief::NoIdToken {
        answer["id_token"] = inside.id_token(&granted).into();
    }
    Json(answer).into_response()
}

async fn elsewhere(State(state): State<Shared>) -> StatusCode {
    state.lock().unwrap().count.redirected += 1;
    StatusCode::NOT_FOUND
}

async fn user_info(State(state): State<Shared>, headers: HeaderMap) -> Response {
    let inside = state.lock().unwrap();
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let Some(person) = inside.people.get(token) else { return StatusCode::UNAUTHORIZED.into_response() };
    let other = inside.mischief == Mischief::OtherSubjectAtUserInfo;
    let subject = if other { "somebody else" } else { &person.subject };
    Json(json!({ "sub": subject, "email": person.email, "email_verified": person.verified, "name": person.name }))
        .into_response()
}

impl Inside {
    fn knows(&self, headers: &HeaderMap, form: &Params) -> bool {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = BASE64_STANDARD.encode(format!("{}:{}", encode(CLIENT_ID), encode(CLIENT_SECRET)));
        if self.post_only {
            form.get("client_id").is_some_and(|id| id == CLIENT_ID)
                && form.get("client_secret").is_some_and(|secret| secret == CLIENT_SECRET)
        } else {
            headers.get("authorization").is_some_and(|found| *found == format!("Basic {basic}"))
        }
    }

    fn id_token(&self, granted: &Params) -> String {
        let (mischief, now, person) =
            (self.mischief, self.clock.now().timestamp(), &self.people[&granted["access_token"]]);
        let hashed = if mischief == Mischief::OtherAccessToken { "another" } else { &granted["access_token"] };
        let mut claims = json!({
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": person.subject,
            "nonce": granted["nonce"],
            "iat": now,
            "exp": now + 300,
            "at_hash": BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(hashed)[..16]),
            "name": person.name,
        });
        let at_user_info =
            [Mischief::EmailAtUserInfo, Mischief::OtherSubjectAtUserInfo, Mischief::UnsendableAccessToken];
        if !at_user_info.contains(&mischief) {
            claims["email"] = json!(person.email);
            claims["email_verified"] = json!(person.verified);
        }
        match mischief {
            Mischief::OtherNonce => claims["nonce"] = "another".into(),
            Mischief::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
            Mischief::OtherAudience => claims["aud"] = "another-app".into(),
            Mischief::FurtherAudience => claims["aud"] = json!([CLIENT_ID, "another-app"]),
            Mischief::OtherIssuer => claims["iss"] = "https://accounts.google.com".into(),
            Mischief::Expired => claims["exp"] = (now - 1).into(),
            Mischief::TextBoolean => claims["email_verified"] = person.verified.to_string().into(),
            Mischief::UnsendableAccessToken => drop(claims.as_object_mut().unwrap().remove("at_hash")),
            _ => {}
        }
        self.sign(claims)
    }

    fn sign(&self, claims: Value) -> String {
        let key = self.keys.last().unwrap();
        let (algorithm, secret) = match self.mischief {
            Mischief::OtherKey => (self.algorithm, Key::new(self.algorithm).private),
            Mischief::ClientSecretSigns => (Algorithm::HS256, EncodingKey::from_secret(CLIENT_SECRET.as_bytes())),
            Mischief::PublicKeySigns => {
                let public = key.public(self.algorithm);
                let x = BASE64_URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
                (Algorithm::HS256, EncodingKey::from_secret(&x))
            }
            _ => (self.algorithm, key.private.clone()),
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(algorithm) };
        let token = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        match self.mischief {
            Mischief::AlgNone => {
                let header = BASE64_URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "JWT" }).to_string());
                format!("{header}.{}.", parts[1])
            }
            Mischief::ChangedClaims => {
                let changed = claims.to_string().replace(&self.person.subject, "somebody else");
                format!("{}.{}.{}", parts[0], BASE64_URL_SAFE_NO_PAD.encode(changed), parts[2])
            }
            _ => token,
        }
    }
}
