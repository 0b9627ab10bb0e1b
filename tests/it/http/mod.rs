//! GraphQL over HTTP, from the outside: what a client that does something wrong is told, and what it is not.

mod audit;
mod caching;
mod edges;
mod internal;
mod limits;
mod methods;
mod nulls;
mod pages;
mod requests;
mod tokens;
mod validation;

use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use crate::support::TestApp;

const JSON: &str = "application/json; charset=utf-8";
const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";
/// What a client that wants telling statuses accepts.
const MODERN: &str = "application/graphql-response+json";

/// An HTTP response, read to the end.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    async fn to(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The response refuses the request: this status, one error with this code, no `data` at all, and a message that
    /// holds all `words`. The request id is the same in the header and in the error.
    fn refuses(&self, case: &str, status: u16, code: &str, words: &[&str]) {
        let body = self.body();
        assert_eq!(self.status, status, "{case}: {body:#}");
        assert!([JSON, GRAPHQL].contains(&self.header(CONTENT_TYPE.as_str())), "{case}: {:?}", self.headers);
        assert!(body.get("data").is_none(), "{case}: a request error has no data: {body:#}");
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("{case}: {body:#}"));
        assert_eq!(errors.len(), 1, "{case}: {body:#}");
        self.labelled(case, &errors[0], code, words);
    }

    /// `error` has this code, all `words` in its message, and the request id of the response.
    fn labelled(&self, case: &str, error: &Value, code: &str, words: &[&str]) {
        assert_eq!(error["extensions"]["code"], code, "{case}: {error:#}");
        let id = self.header("x-request-id");
        assert!(id.len() >= 8, "{case}: {:?}", self.headers);
        assert_eq!(error["extensions"]["requestId"], id, "{case}: {error:#}");
        let message = error["message"].as_str().unwrap();
        for word in words {
            assert!(message.contains(word), "{case}: {word:?} is missing in {message:?}");
        }
    }
}

impl TestApp {
    /// A POST to `/graphql` with nothing in it yet.
    fn graphql(&self) -> RequestBuilder {
        self.client.post(format!("{}/graphql", self.url))
    }

    /// The answer to an operation that is sent as JSON.
    async fn ask(&self, query: &str, variables: Value) -> Answer {
        Answer::to(self.graphql().json(&json!({ "query": query, "variables": variables }))).await
    }

    /// The same for a client that accepts `application/graphql-response+json`.
    async fn ask_modern(&self, query: &str, variables: Value) -> Answer {
        let request = json!({ "query": query, "variables": variables });
        Answer::to(self.graphql().header("accept", MODERN).json(&request)).await
    }

    /// The answer to a GET of `path` with these parameters.
    async fn get(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        let mut url = url::Url::parse(&self.url).unwrap().join(path).unwrap();
        url.query_pairs_mut().extend_pairs(params);
        Answer::to(self.client.get(url)).await
    }
}
