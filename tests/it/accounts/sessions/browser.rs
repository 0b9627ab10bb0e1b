//! A browser, as far as cookies are concerned (RFC 6265bis): it keeps what `Set-Cookie` says for as long as it says,
//! sends it where it belongs, and says from which page a request comes. It sends cookies across sites, too, as if it
//! knew nothing of `SameSite`: what the server does without that is the point.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::platform::clock::Clock;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::{PASSWORD, SIGN_IN, address};
use crate::support::TestApp;
use crate::support::socket::Socket;

/// A cookie in the jar.
#[derive(Clone, Debug)]
pub(super) struct Cookie {
    pub(super) value: String,
    /// Its attributes, lower case; those without a value have an empty one.
    pub(super) attributes: BTreeMap<String, String>,
    until: DateTime<Utc>,
}

/// One page of a browser; clones share the jar.
#[derive(Clone)]
pub(super) struct Page {
    client: reqwest::Client,
    clock: Clock,
    jar: Arc<Mutex<BTreeMap<String, Cookie>>>,
    url: String,
    host: String,
    https: bool,
    /// The `Origin` header; browsers send none with a plain GET of the same origin.
    pub(super) origin: Option<String>,
    /// Further headers.
    pub(super) headers: Vec<(&'static str, String)>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    /// The `Set-Cookie` headers as they came.
    pub(super) set: Vec<String>,
}

impl Answer {
    /// The code of the first error, empty if there is none.
    pub(super) fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
}

impl Page {
    /// A page of the server's own, the console for instance.
    pub(super) fn of(app: &TestApp) -> Page {
        let host = app.url.strip_prefix("http://").unwrap().to_owned();
        Page {
            client: crate::support::http::client(),
            clock: app.app.clock.clone(),
            jar: Arc::default(),
            url: app.url.clone(),
            host,
            https: false,
            origin: Some(app.url.clone()),
            headers: Vec::new(),
        }
    }

    /// A page of a server that is reached as `https://host`; the proxy in front ends TLS and keeps the host's name.
    pub(super) fn behind_tls(app: &TestApp, host: &str) -> Page {
        let origin = Some(format!("https://{host}"));
        Page { host: host.into(), https: true, origin, ..Page::of(app) }
    }

    /// Another page in the same browser.
    pub(super) fn from(&self, origin: Option<&str>) -> Page {
        Page { origin: origin.map(str::to_owned), ..self.clone() }
    }

    /// The same, with another header.
    pub(super) fn with(&self, name: &'static str, value: &str) -> Page {
        let mut page = self.clone();
        page.headers.push((name, value.to_owned()));
        page
    }

    /// The same page, answered by another node.
    pub(super) fn on(&self, node: &TestApp) -> Page {
        Page { url: node.url.clone(), ..self.clone() }
    }

    pub(super) fn cookies(&self) -> BTreeMap<String, Cookie> {
        let now = self.clock.now();
        self.jar.lock().unwrap().retain(|_, cookie| cookie.until > now);
        self.jar.lock().unwrap().clone()
    }

    /// The cookie whose name ends with this.
    pub(super) fn cookie(&self, name: &str) -> Option<Cookie> {
        self.cookies().into_iter().find(|(own, _)| own.ends_with(name)).map(|(_, cookie)| cookie)
    }

    /// What a thief with access to the disk would do; also puts back what was cleared.
    pub(super) fn plant(&self, cookies: BTreeMap<String, Cookie>) {
        *self.jar.lock().unwrap() = cookies;
    }

    /// The `Cookie` header for a path.
    fn cookie_header(&self, path: &str) -> Option<String> {
        let fits = |cookie: &Cookie| {
            let own = &*cookie.attributes["path"];
            let below = path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            (below || own == "/") && (self.https || !cookie.attributes.contains_key("secure"))
        };
        let sent: Vec<String> = self
            .cookies()
            .iter()
            .filter(|(_, cookie)| fits(cookie))
            .map(|(name, cookie)| format!("{name}={}", cookie.value))
            .collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }

    fn request_headers(&self, path: &str) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        headers.push(("host", self.host.clone()));
        headers.extend(self.origin.clone().map(|origin| ("origin", origin)));
        headers.extend(self.cookie_header(path).map(|cookies| ("cookie", cookies)));
        headers
    }

    async fn fetch(&self, request: reqwest::RequestBuilder, path: &str) -> Answer {
        let headers = self.request_headers(path).into_iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let set = headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
        let text = response.text().await.unwrap();
        let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), set };
        answer.set.iter().for_each(|cookie| self.keep(cookie));
        answer
    }

    fn keep(&self, header: &str) {
        let mut parts = header.split(';').map(|part| part.trim().split_once('=').unwrap_or((part.trim(), "")));
        let (name, value) = parts.next().unwrap();
        let attributes: BTreeMap<String, String> =
            parts.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let secure = attributes.contains_key("secure");
        assert!(self.https || !secure, "a browser takes no Secure cookie from http: {header}");
        assert!(secure || !name.starts_with("__Secure-"), "a browser does not take this: {header}");
        let age: i64 = attributes["max-age"].parse().unwrap();
        let until = self.clock.now() + TimeDelta::seconds(age);
        self.jar.lock().unwrap().insert(name.into(), Cookie { value: value.into(), attributes, until });
    }

    /// Any JSON by POST to `/graphql`.
    pub(super) async fn post(&self, body: Value) -> Answer {
        self.fetch(self.client.post(format!("{}/graphql", self.url)).json(&body), "/graphql").await
    }

    pub(super) async fn send(&self, query: &str, variables: Value) -> Answer {
        self.post(json!({ "query": query, "variables": variables })).await
    }

    pub(super) async fn get(&self, query: &str) -> Answer {
        let mut url = url::Url::parse(&format!("{}/graphql", self.url)).unwrap();
        url.query_pairs_mut().append_pair("query", query);
        self.fetch(self.client.get(url), "/graphql").await
    }

    /// Signs in with cookies.
    pub(super) async fn sign_in(&self, name: &str) -> Answer {
        let input = json!({ "email": address(name), "password": PASSWORD, "transport": "COOKIE" });
        self.send(SIGN_IN, json!({ "input": input })).await
    }

    pub(super) async fn renew(&self) -> Answer {
        self.send(super::REFRESH, json!({ "input": {} })).await
    }

    /// The viewer's id; null when nobody is signed in.
    pub(super) async fn viewer(&self) -> Value {
        let mut answer = self.send(super::VIEWER, json!({})).await;
        assert_eq!(answer.status, 200, "{:#}", answer.body);
        answer.body["data"]["viewer"]["user"]["id"].take()
    }

    /// An upgrade to a WebSocket, nothing sent yet.
    pub(super) async fn socket(&self) -> Socket {
        let headers = self.request_headers("/graphql");
        let headers: Vec<(&'static str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        Socket::open_with(&self.url, &headers).await
    }
}
