//! Payment providers that tests start: as much of their APIs as the program calls, in the documented forms, over HTTP.

pub(crate) mod google_play;
pub(crate) mod paypal;
pub(crate) mod razorpay;
pub(crate) mod stripe;
mod stripe_tax;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use url::form_urlencoded;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It has no effect, and this status is returned, with a Retry-After of a second if it is 429.
    Refused(u16),
    /// It has its effect, and this status is returned.
    AnswerLost(u16),
    /// It has its effect, and is never answered.
    Hangs,
    /// It has its effect, and is answered, a second later.
    Late,
}

/// A request as a fake sees it.
pub(crate) struct Call {
    pub(crate) method: String,
    /// The path with the query.
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The faults to come, and the requests that came.
#[derive(Default)]
pub(crate) struct Wire {
    faults: Mutex<Vec<(String, Fault)>>,
    log: Mutex<Vec<String>>,
}

impl Wire {
    /// Has the next request fail whose `<method> <path>` contains a text.
    pub(crate) fn fail(&self, of: &str, fault: Fault) {
        self.faults.lock().unwrap().push((of.into(), fault));
    }

    /// Has no request fail anymore.
    pub(crate) fn heal(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// The number of requests whose `<method> <path>` contains a text.
    pub(crate) fn count(&self, of: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.contains(of)).count()
    }

    fn fault(&self, line: &str) -> Option<Fault> {
        self.log.lock().unwrap().push(line.to_owned());
        let mut faults = self.faults.lock().unwrap();
        let place = faults.iter().position(|(of, _)| line.contains(of.as_str()))?;
        Some(faults.remove(place).1)
    }
}

type Answer = Arc<dyn Fn(&Call) -> (u16, Value) + Send + Sync>;

/// Starts a fake; returns its URL.
pub(crate) async fn start(wire: Arc<Wire>, answer: impl Fn(&Call) -> (u16, Value) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer: Answer = Arc::new(answer);
    let router = Router::new().fallback(serve).with_state((wire, answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn serve(State((wire, answer)): State<(Arc<Wire>, Answer)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().unwrap().to_string(),
        headers: headers.collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let fault = wire.fault(&format!("{} {}", call.method, call.path));
    let (status, value) = match fault {
        Some(Fault::Refused(status)) => (status, Value::Null),
        Some(Fault::AnswerLost(status)) => {
            answer(&call);
            (status, Value::Null)
        }
        Some(Fault::Hangs) => {
            answer(&call);
            tokio::time::sleep(Duration::from_secs(60)).await;
            (500, Value::Null)
        }
        Some(Fault::Late) => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            answer(&call)
        }
        None => answer(&call),
    };
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if status == 429 {
        response = response.header("retry-after", "1");
    }
    let body = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    response.body(Body::from(body)).unwrap()
}

/// HMAC-SHA256 in hexadecimal digits.
pub(crate) fn hmac(key: &str, text: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(text);
    hex::encode(mac.finalize().into_bytes())
}
