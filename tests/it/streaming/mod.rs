//! Subscriptions over HTTP: server-sent events and `multipart/mixed`.

mod clients;
mod ends;
mod frames;
mod rules;

use std::time::Duration;

use lyceum::platform::auth::Role;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::app::Course;
use crate::support::{TestApp, User};

/// Far longer than anything here takes: a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const EVENTS: &str = "text/event-stream";
/// What Apollo Client sends.
const PARTS: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json";

const NEWS: &str = "subscription ($after: String) { newVideo(after: $after) { cursor isStart lesson { title } } }";

struct School {
    app: TestApp,
    ada: User,
    course: Course,
}

impl School {
    async fn open(settings: &[(&str, &str)]) -> School {
        let app = TestApp::with(settings).await;
        let ada = app.user("Ada", Role::Instructor).await;
        let course = app.course(&ada, "Engines", 1).await;
        School { app, ada, course }
    }

    /// Publishes a lesson and tells everybody.
    async fn news(&self, title: &str) {
        let lesson = self.app.lesson(&self.ada, &self.course, title).await;
        self.app.publish(&self.ada, &lesson).await;
        self.app.settle().await;
    }

    fn post(&self, accept: &str, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables });
        self.app.client.post(format!("{}/graphql", self.app.url)).header("accept", accept).json(&body)
    }

    /// Follows new videos; the start has been received.
    async fn follow(&self, accept: &str, token: Option<&str>) -> Reader {
        let request = self.post(accept, NEWS, json!({}));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let mut reader = Reader::of(request).await;
        assert_eq!(reader.payload().await["data"]["newVideo"]["isStart"], true);
        reader
    }
}

/// What a stream says next.
#[derive(Debug, PartialEq)]
enum Said {
    /// The data of a `next` event, or the body of a part.
    Next(Value),
    /// `complete`, or the last boundary.
    Complete,
    /// The connection ended without a word.
    CutOff,
}

/// Reads the frames of a response one by one, without waiting for the next one.
struct Reader {
    response: Response,
    read: String,
    parts: bool,
}

impl Reader {
    async fn of(request: RequestBuilder) -> Reader {
        let response = request.send().await.unwrap();
        let media = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(response.status() == 200 && (media.contains("event-stream") || media.contains("multipart")), "{media}");
        let mut reader = Reader { response, read: String::new(), parts: media.contains("multipart") };
        // What is before the first frame.
        if reader.parts {
            assert_eq!(media, "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=1.0");
            assert_eq!(reader.up_to("--graphql").await.as_deref(), Some("\r\n"));
        }
        reader
    }

    /// Reads up to `end`, which it drops; `None` if the response ends before.
    async fn up_to(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.read.find(end) {
                let rest = self.read.split_off(at);
                let frame = std::mem::replace(&mut self.read, rest[end.len()..].to_owned());
                return Some(frame);
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("the stream says nothing");
            self.read.push_str(str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    async fn next(&mut self) -> Said {
        loop {
            if self.parts {
                if self.read.starts_with("--") {
                    return Said::Complete;
                }
                let Some(part) = self.up_to("\r\n--graphql").await else {
                    return if self.read == "--\r\n" { Said::Complete } else { Said::CutOff };
                };
                let body = part.strip_prefix("\r\nContent-Type: application/json\r\n\r\n").expect("not a part of JSON");
                if body != "{}" {
                    return Said::Next(serde_json::from_str(body).unwrap());
                }
            } else {
                let Some(event) = self.up_to("\n\n").await else { return Said::CutOff };
                match event.split_once("\ndata:") {
                    None => assert_eq!(event, ":", "neither an event nor a comment"),
                    Some(("event: next", data)) => return Said::Next(serde_json::from_str(data).unwrap()),
                    Some(("event: complete", "")) => return Said::Complete,
                    Some(other) => panic!("{other:?}"),
                }
            }
        }
    }

    /// The next result of the operation.
    async fn payload(&mut self) -> Value {
        match self.next().await {
            Said::Next(mut part) if self.parts => part["payload"].take(),
            Said::Next(result) => result,
            other => panic!("no result: {other:?}"),
        }
    }

    async fn title(&mut self) -> String {
        self.payload().await["data"]["newVideo"]["lesson"]["title"].as_str().unwrap().to_owned()
    }

    /// How the server ends the stream by itself: the code of the error, and what follows.
    async fn failure(&mut self) -> (String, Said) {
        let Said::Next(said) = self.next().await else { panic!("it ends without an error") };
        assert!(said.get("data").is_none() && (!self.parts || said["payload"].is_null()), "{said:#}");
        (said["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned(), self.next().await)
    }
}
