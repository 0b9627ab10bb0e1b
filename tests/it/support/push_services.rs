//! Push services: that of a browser, FCM with Google's token endpoint, and APNs; and a browser that reads what it gets.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Version};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;

/// A request that a service has got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.headers)).to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An answer that a service is to give next: status, headers, body.
pub(crate) type Answer = (u16, Vec<(&'static str, &'static str)>, Value);

#[derive(Clone, Default)]
struct Inside {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

/// All services, which accept everything unless they are told otherwise.
pub(crate) struct PushServices {
    /// Where they speak HTTP/1.1.
    pub(crate) url: String,
    /// Where they speak HTTP/2 only, as APNs does.
    pub(crate) http2_url: String,
    /// The keys of the Google account and of the Apple team.
    pub(crate) fcm_key: Key,
    pub(crate) apns_key: Key,
    inside: Inside,
}

impl PushServices {
    pub(crate) async fn start() -> PushServices {
        let inside = Inside::default();
        let router = Router::new().fallback(receive).with_state(inside.clone());
        let (http1, url) = listen().await;
        let serving = router.clone();
        tokio::spawn(async move { axum::serve(http1, serving).await.unwrap() });
        let (http2, http2_url) = listen().await;
        tokio::spawn(async move {
            while let Ok((socket, _)) = http2.accept().await {
                let service = TowerToHyperService::new(router.clone());
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(async move { connection.serve_connection(TokioIo::new(socket), service).await });
            }
        });
        let (fcm_key, apns_key) = (Key::new(Algorithm::RS256), Key::new(Algorithm::ES256));
        PushServices { url, http2_url, fcm_key, apns_key, inside }
    }

    /// The settings of a server that uses them.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let account = json!({
            "type": "service_account",
            "project_id": "school",
            "client_email": "push@school.example",
            "private_key": self.fcm_key.pem,
            "token_uri": format!("{}/token", self.url),
        });
        vec![
            ("LYCEUM_FCM_CREDENTIALS", account.to_string()),
            ("LYCEUM_FCM_URL", self.url.clone()),
            ("LYCEUM_APNS_KEY", self.apns_key.pem.replace('\n', "\\n")),
            ("LYCEUM_APNS_KEY_ID", "KEY1234567".into()),
            ("LYCEUM_APNS_TEAM_ID", "TEAM123456".into()),
            ("LYCEUM_APNS_TOPIC", "example.school.app".into()),
            ("LYCEUM_APNS_URL", self.http2_url.clone()),
        ]
    }

    /// What the next requests are answered, other than those for a token.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inside.answers.lock().unwrap().extend(answers);
    }

    /// What was received since the last time.
    pub(crate) fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.inside.received.lock().unwrap())
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn receive(State(inside): State<Inside>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let received = Received { path: path.clone(), version: parts.version, headers: parts.headers, body };
    inside.received.lock().unwrap().push(received);
    if path == "/token" {
        return axum::Json(json!({ "access_token": "ya29.token", "expires_in": 3600 })).into_response();
    }
    let (status, headers, body) = inside.answers.lock().unwrap().pop_front().unwrap_or((200, Vec::new(), json!({})));
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    let headers: HeaderMap =
        headers.into_iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
    (status, headers, axum::Json(body)).into_response()
}

/// A key pair.
pub(crate) struct Key {
    algorithm: Algorithm,
    /// The private key (PKCS #8).
    pub(crate) pem: String,
}

impl Key {
    fn new(algorithm: Algorithm) -> Key {
        let arguments: &[&str] = match algorithm {
            Algorithm::ES256 => &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            _ => &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        };
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Key { algorithm, pem: String::from_utf8(output.stdout).unwrap() }
    }

    /// The key id and the claims of a token that this key has signed.
    pub(crate) fn claims(&self, token: &str) -> (Option<String>, Value) {
        let private = match self.algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(self.pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(self.pem.as_bytes()),
        };
        let jwk = Jwk::from_encoding_key(&private.unwrap(), self.algorithm).unwrap();
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        (jsonwebtoken::decode_header(token).unwrap().kid, claims(token, &key, self.algorithm))
    }
}

fn claims(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Value {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, key, &validation).unwrap().claims
}

/// A browser with a subscription at a push service.
pub(crate) struct Browser {
    secret: SecretKey,
    auth: [u8; 16],
    pub(crate) endpoint: String,
}

impl Browser {
    pub(crate) fn new(services: &PushServices, name: &str) -> Browser {
        let secret = SecretKey::from_slice(&rand::random::<[u8; 32]>()).unwrap();
        Browser { secret, auth: rand::random(), endpoint: format!("{}/push/{name}", services.url) }
    }

    pub(crate) fn p256dh(&self) -> Vec<u8> {
        self.secret.public_key().to_encoded_point(false).as_bytes().to_vec()
    }

    pub(crate) fn auth(&self) -> Vec<u8> {
        self.auth.to_vec()
    }

    /// The input that registers it.
    pub(crate) fn input(&self) -> Value {
        let (p256dh, auth) = (BASE64_URL_SAFE_NO_PAD.encode(self.p256dh()), BASE64_URL_SAFE_NO_PAD.encode(self.auth));
        json!({ "web": { "endpoint": self.endpoint, "p256dh": p256dh, "auth": auth } })
    }

    /// Decrypts a message for it (RFC 8291).
    pub(crate) fn read(&self, received: &Received) -> Value {
        assert_eq!(received.header("content-encoding"), "aes128gcm");
        assert!(received.body.len() <= 4096, "{}", received.body.len());
        let plain = web_push_native::decrypt(received.body.to_vec(), &self.secret, &self.auth.into()).unwrap();
        serde_json::from_slice(&plain).unwrap()
    }
}

/// The claims of a VAPID header (RFC 8292) that was signed with the key in it, and that key.
pub(crate) fn vapid(received: &Received) -> (Value, String) {
    let header = received.header("authorization").strip_prefix("vapid ").unwrap();
    let (token, key) = header.strip_prefix("t=").unwrap().split_once(", k=").unwrap();
    let point = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap();
    assert_eq!((point.len(), point[0]), (65, 4));
    let (x, y) = (BASE64_URL_SAFE_NO_PAD.encode(&point[1..33]), BASE64_URL_SAFE_NO_PAD.encode(&point[33..]));
    let decoding = DecodingKey::from_ec_components(&x, &y).unwrap();
    (claims(token, &decoding, Algorithm::ES256), key.to_owned())
}
