//! Another program's idea of Stripe: localstripe, which knows payment intents, refunds, and how webhooks are signed. It
//! has neither Checkout sessions nor disputes nor idempotency keys.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::redis::free_port;
use super::socket::PATIENCE;

/// Where `.ci/deps` puts it.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/localstripe/bin/python");
/// Its own command listens to the network, and keeps what it knows in a file that all of them share.
const SERVE: &str = "import sys
from aiohttp import web
from localstripe import resources, server
resources.store.dump_to_disk = lambda: None
web.run_app(server.app, host='127.0.0.1', port=int(sys.argv[1]), print=None)";

pub(crate) struct LocalStripe {
    /// Ends with this process, whose pipe it listens to.
    _child: Child,
    pub(crate) url: String,
    client: reqwest::Client,
    key: &'static str,
}

impl LocalStripe {
    /// Starts one of its own; its customers pay with the secret key `key`.
    pub(crate) async fn start(key: &'static str) -> LocalStripe {
        assert!(std::path::Path::new(PYTHON).exists(), "{PYTHON} is missing; `make deps-test` installs it");
        for _ in 0..5 {
            let port = free_port();
            let mut command = Command::new("sh");
            // The shell waits for the end of its input: the end of this process, however it comes.
            let script = "\"$0\" -c \"$1\" \"$2\" & cat >/dev/null; kill $!";
            command.args(["-c", script, PYTHON, SERVE, &port.to_string()]);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn().expect("run sh");
            let (url, client) = (format!("http://127.0.0.1:{port}"), super::http::client());
            let started = LocalStripe { _child: child, url, client, key };
            let since = Instant::now();
            while since.elapsed() < 2 * PATIENCE {
                // Another server that took the port would not answer in this way.
                if started.list("refunds").await.is_some() {
                    return started;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        panic!("localstripe does not start");
    }

    /// Sends webhooks to a URL, signed with a secret.
    pub(crate) async fn tell(&self, url: &str, secret: &str) {
        let hook = format!("{}/_config/webhooks/lyceum", self.url);
        let sent = self.client.post(hook).json(&json!({ "url": url, "secret": secret })).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.status());
    }

    /// A customer pays with a card; returns the id of the payment intent.
    pub(crate) async fn pay(&self, amount: i64, currency: &str) -> String {
        let card = json!({ "number": "4242424242424242", "exp_month": "12", "exp_year": "2040", "cvc": "123" });
        let method = self.post("payment_methods", json!({ "type": "card", "card": card })).await;
        let intent = json!({
            "amount": amount, "currency": currency, "payment_method": method["id"], "confirm": true,
        });
        let intent = self.post("payment_intents", intent).await;
        assert_eq!(intent["status"], "succeeded", "{intent:#}");
        intent["id"].as_str().unwrap().to_owned()
    }

    /// The refunds of a payment intent, latest first.
    pub(crate) async fn refunds(&self, intent: &str) -> Vec<Value> {
        self.list(&format!("refunds?payment_intent={intent}")).await.expect("a list of refunds")
    }

    async fn list(&self, path: &str) -> Option<Vec<Value>> {
        let request = self.client.get(format!("{}/v1/{path}", self.url)).bearer_auth(self.key);
        let mut answer: Value = request.send().await.ok()?.json().await.ok()?;
        Some(answer["data"].as_array_mut()?.drain(..).collect())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}/v1/{path}", self.url)).bearer_auth(self.key);
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }
}
