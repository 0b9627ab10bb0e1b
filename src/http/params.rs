//! A GraphQL request as JSON, which bodies, batches and the payload of `subscribe` have in common.

use std::collections::HashMap;

use async_graphql::{Request, Value, Variables};
use serde::Deserialize;

/// The parameters of GraphQL over HTTP.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object with a query")]
pub(super) struct Params {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Variables>,
    extensions: Option<HashMap<String, Value>>,
}

impl Params {
    pub(super) fn new(query: Option<String>, operation_name: Option<String>, variables: Option<Variables>) -> Params {
        Params { query, operation_name, variables, extensions: None }
    }

    /// Returns the request; `None` without a query. An empty operation name counts as none.
    pub(super) fn into_request(self) -> Option<Request> {
        let mut request = Request::new(self.query?).variables(self.variables.unwrap_or_default());
        request.operation_name = self.operation_name.filter(|name| !name.is_empty());
        request.extensions.0 = self.extensions.unwrap_or_default();
        Some(request)
    }
}
