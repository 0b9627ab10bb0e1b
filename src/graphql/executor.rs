//! The executor of operations. Checks limits, executes the schema, and completes the response.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use apollo_compiler::validation::Valid;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
};
use async_graphql::{Request, Response, ServerError, Value};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use moka::sync::Cache;
use tracing::Instrument;

use super::caching;
use super::context::Caller;
use super::error::{Error, request_error};
use super::fan_out::{FanOut, Payload, Selection as EventSelection, Share};
use super::limits::{self, Census};
use super::loaders::Loaders;
use super::null_propagation::{order_root, propagate_nulls};
use super::schema::{self, Schema};
use super::subscription::{EventClock, limited};
use super::type_map::TypeMap;
use super::validation::Validator;
use super::variables::{check_required, fill_conditions, is_plain};
use super::viewer_loaders::ViewerLoaders;
use crate::config::Introspection;
use crate::platform::App;
use crate::platform::auth::{Actor, Client, Role};
use crate::platform::internal_error::InternalError;
use crate::platform::telemetry::OperationLabels;

/// The capacity of the cache of documents, in bytes.
const DOCUMENTS: u64 = 32 << 20;
/// The size of a document in the cache beside its text and fields, in bytes, as measured.
const DOCUMENT_BYTES: usize = 2_400;
/// The size of a field of a document in the cache, in bytes, as measured: 520 with an alias.
const FIELD_BYTES: usize = 600;

/// The caller and the id of a request.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// The caller.
    pub actor: Actor,
    /// The client that sent the request.
    pub client: Arc<Client>,
    /// The request id, for logs, `extensions.requestId` of errors, and the HTTP header `x-request-id`.
    pub request_id: Arc<str>,
}

/// The executable schema and what is derived from it, shared by every [`App`] of this process.
///
/// Building them is expensive.
struct Schemas {
    schema: Schema,
    validator: Validator,
    type_map: TypeMap,
}

impl Schemas {
    fn of_this_process() -> Result<&'static Schemas, InternalError> {
        static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
        if let Some(schemas) = SCHEMAS.get() {
            return Ok(schemas);
        }
        let schema = schema::builder().finish();
        let sdl = schema::print(&schema);
        let (validator, type_map) = (Validator::new(&sdl)?, TypeMap::new(&sdl)?);
        Ok(SCHEMAS.get_or_init(|| Schemas { schema, validator, type_map }))
    }
}

/// The executor of operations; cheap to clone.
#[derive(Clone)]
pub struct Executor {
    schemas: &'static Schemas,
    loaders: Arc<Loaders>,
    app: App,
    /// The cache of parsed documents that are valid and within the limits.
    documents: Cache<String, Arc<Document>>,
    fan_out: FanOut,
}

impl Executor {
    /// Creates an executor, building the schema on the first call.
    ///
    /// # Errors
    /// The type map cannot be built from the schema's SDL.
    pub fn new(app: App) -> Result<Executor, InternalError> {
        let loaders = Arc::new(Loaders::new(app.clone()));
        let documents = Cache::builder()
            .max_capacity(DOCUMENTS)
            .weigher(|query: &String, document: &Arc<Document>| weight(query, document))
            .build();
        let fan_out = FanOut::new(app.db.invalidation().clone());
        Ok(Executor { schemas: Schemas::of_this_process()?, loaders, app, documents, fan_out })
    }

    /// Returns the data loaders.
    pub fn loaders(&self) -> &Loaders {
        &self.loaders
    }

    /// Executes a query or mutation.
    ///
    /// `Err` is a request error in the sense of the specification (section 7.1): nothing was executed and the response
    /// has no `data`.
    ///
    /// # Errors
    /// A response with `errors` only.
    pub async fn execute(&self, request: Request, info: &RequestInfo) -> Result<Response, Box<Response>> {
        let started = Instant::now();
        let caller = Arc::new(Caller::new(info.actor, info.client.clone()));
        let prepared = self.prepare(request, info, caller);
        let (kind, outcome) = match prepared {
            Ok((operation, request)) => {
                let kind = operation.operation().map_or("unknown", |operation| kind_name(operation.ty));
                (kind, self.run(&operation, request, info).await)
            }
            Err(errors) => ("unknown", Err(rejection(errors, info))),
        };
        let result = match &outcome {
            Ok(response) if response.errors.is_empty() => "ok",
            Ok(_) => "error",
            Err(_) => "rejected",
        };
        self.app.metrics.operation(OperationLabels { kind, outcome: result }, Some(started.elapsed()));
        outcome
    }

    /// Executes any operation as a stream of responses.
    ///
    /// A query or mutation yields one response. A first response without `data` is a request error.
    pub fn stream(&self, request: Request, info: RequestInfo) -> BoxStream<'static, Payload> {
        let executor = self.clone();
        if self.kind(&request) != Some(OperationType::Subscription) {
            let execution = async move { executor.execute(request, &info).await.unwrap_or_else(|rejected| *rejected) };
            return stream::once(execution).map(Payload::from).boxed();
        }
        let caller = Arc::new(Caller::new(info.actor, info.client.clone()));
        let (operation, request) = match self.prepare(request, &info, caller.clone()) {
            Ok(prepared) => prepared,
            Err(errors) => return stream::once(async move { Payload::Own(rejection(errors, &info)) }).boxed(),
        };
        let share = Share::new(self.fan_out.clone(), operation.event_selection(&request), caller);
        self.app.metrics.operation(OperationLabels { kind: "subscription", outcome: "ok" }, None);
        let clock = EventClock::default();
        let request = request.data(clock.clone()).data(share.clone());
        let responses = self.schemas.schema.execute_stream(request).boxed();
        let span = tracing::info_span!("request", id = &*info.request_id);
        let (metrics, own) = (self.app.metrics.clone(), share.clone());
        let responses = AssertUnwindSafe(limited(responses, clock, self.app.config.limits.timeout, span))
            .catch_unwind()
            .map(move |item| match item {
                Ok(Some(response)) => own.settle(executor.finish(response, &operation, &info)),
                Ok(None) => Payload::Own(rejection(Error::Timeout, &info)),
                Err(_) => Payload::Own(rejection(panicked(), &info)),
            });
        let count = move |payload: &Payload| {
            let outcome = if payload.is_ok() { "ok" } else { "error" };
            metrics.operation(OperationLabels { kind: "event", outcome }, None);
        };
        share.merge(responses).inspect(count).boxed()
    }

    /// Returns the schema definition (SDL).
    pub fn sdl(&self) -> String {
        schema::print(&self.schemas.schema)
    }

    /// Returns the type of the operation that `request` would execute, if it can be determined.
    pub fn kind(&self, request: &Request) -> Option<OperationType> {
        let operation = self.operation(request).ok()?;
        Some(operation.operation()?.ty)
    }

    /// Returns whether `request` is a mutation with no other root fields than these.
    pub fn mutates_only(&self, request: &Request, fields: &[&str]) -> bool {
        let Ok(operation) = self.operation(request) else { return false };
        operation.operation().filter(|operation| operation.ty == OperationType::Mutation).is_some_and(|operation| {
            operation.selection_set.node.items.iter().all(|selection| match &selection.node {
                Selection::Field(field) => fields.contains(&field.node.name.node.as_str()),
                Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
            })
        })
    }

    /// Returns the shared `max-age` of an anonymous `request` in seconds, according to the schema.
    pub fn max_age(&self, request: &Request) -> u64 {
        let Ok(operation) = self.operation(request) else { return 0 };
        let definition = operation.operation();
        definition
            .map_or(0, |definition| caching::max_age(&self.schemas.type_map, &operation.document.parsed, definition))
    }

    async fn run(
        &self,
        operation: &Operation,
        request: Request,
        info: &RequestInfo,
    ) -> Result<Response, Box<Response>> {
        let span = tracing::info_span!("request", id = &*info.request_id);
        let execution = AssertUnwindSafe(self.schemas.schema.execute(request)).catch_unwind().instrument(span);
        let response = match tokio::time::timeout(self.app.config.limits.timeout, execution).await {
            Ok(Ok(mut response)) => {
                // If every root field is skipped, async-graphql has no data instead of an empty object.
                if response.errors.is_empty() && response.data == Value::Null {
                    response.data = Value::Object(IndexMap::default());
                }
                response
            }
            Ok(Err(_)) => return Err(rejection(panicked(), info)),
            Err(_) => return Err(rejection(Error::Timeout, info)),
        };
        let rejected = response.data == Value::Null && response.errors.iter().all(|error| error.path.is_empty());
        let response = self.finish(response, operation, info);
        if rejected { Err(Box::new(response)) } else { Ok(response) }
    }

    /// Gets the valid document, from the cache if possible, and checks the variables and all limits.
    fn prepare(
        &self,
        mut request: Request,
        info: &RequestInfo,
        caller: Arc<Caller>,
    ) -> Result<(Operation, Request), Rejection> {
        let explorer =
            self.app.config.introspection == Introspection::Everyone || info.actor.in_session().has(Role::Admin);
        let document = self.document(&request.query, explorer)?;
        if document.census.introspects && !explorer {
            let message = "Only administrators can read the schema from this server.";
            return Err(request_error("FORBIDDEN", message).into());
        }
        let mut operation = Operation { document, name: request.operation_name.clone(), cost: 0 };
        if let Some(definition) = operation.operation() {
            self.check_variables(&operation, &request)?;
            fill_conditions(definition, &mut request.variables);
            let limits = &self.app.config.limits;
            operation.cost = limits::check_cost(
                &self.schemas.type_map,
                &operation.document.parsed,
                definition,
                &request.variables,
                limits,
            )?;
        }
        let kind = operation.operation().map(|definition| definition.ty);
        let viewer_loaders = ViewerLoaders::new(self.loaders.clone(), kind == Some(OperationType::Query));
        request.set_parsed_query(operation.document.parsed.clone());
        Ok((operation, request.data(caller).data(self.loaders.clone()).data(viewer_loaders)))
    }

    /// Checks the values of the variables. A value of a built-in scalar is checked without a detour.
    fn check_variables(&self, operation: &Operation, request: &Request) -> Result<(), ServerError> {
        let Some(definition) = operation.operation() else { return Ok(()) };
        let mut definitions = definition.variable_definitions.iter();
        if definitions.all(|definition| is_plain(&definition.node, &request.variables)) {
            return Ok(());
        }
        check_required(definition, &request.variables)?;
        let (valid, name) = (&operation.document.valid, operation.name.as_deref());
        self.schemas.validator.check_variables(valid, name, &request.variables)
    }

    fn operation(&self, request: &Request) -> Result<Operation, Rejection> {
        let document = self.document(&request.query, false)?;
        Ok(Operation { document, name: request.operation_name.clone(), cost: 0 })
    }

    fn document(&self, query: &str, suggestions: bool) -> Result<Arc<Document>, Rejection> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        if let Some(document) = self.documents.get(query) {
            return Ok(document);
        }
        let (parsed, census) = self.parse(query)?;
        let valid = self.schemas.validator.validate(query, suggestions.then_some(&self.schemas.type_map))?;
        let document = Arc::new(Document { id: NEXT.fetch_add(1, Ordering::Relaxed), parsed, valid, census });
        self.documents.insert(query.to_owned(), document.clone());
        Ok(document)
    }

    fn parse(&self, query: &str) -> Result<(ExecutableDocument, Census), ServerError> {
        if query.trim().is_empty() {
            return Err(request_error("BAD_REQUEST", "The request has no query."));
        }
        limits::check_tokens(query, &self.app.config.limits)?;
        let parsed = parse_query(query).map_err(|error| {
            let mut error = ServerError::from(error);
            error.extensions.get_or_insert_default().set("code", "GRAPHQL_PARSE_FAILED");
            error
        })?;
        let census = limits::check_document(&parsed, &self.app.config.limits)?;
        Ok((parsed, census))
    }

    /// Completes a response: null propagation, order of root fields, cost, error codes, request id.
    fn finish(&self, mut response: Response, operation: &Operation, info: &RequestInfo) -> Response {
        let limit = self.app.config.limits.cost;
        if let Some(definition) = operation.operation() {
            if !response.errors.is_empty() {
                propagate_nulls(&mut response, &self.schemas.type_map, &operation.document.parsed, definition);
            }
            order_root(&mut response, &operation.document.parsed, definition);
        }
        let cost = async_graphql::value!({
            "requested": operation.cost,
            "actual": objects(&response.data).saturating_sub(1),
            "left": limit.saturating_sub(operation.cost),
        });
        response.extensions.insert("cost".into(), cost);
        label(&mut response, info);
        response
    }
}

/// A valid document.
struct Document {
    /// Differs from that of every other document.
    id: u64,
    parsed: ExecutableDocument,
    /// The same document, as the validator reads it.
    valid: Valid<apollo_compiler::ExecutableDocument>,
    census: Census,
}

/// Returns the approximate size of a document in the cache, in bytes.
fn weight(query: &str, document: &Document) -> u32 {
    let fields = document.census.fields;
    u32::try_from(DOCUMENT_BYTES + 4 * query.len() + FIELD_BYTES * fields).unwrap_or(u32::MAX)
}

/// One operation of a document.
struct Operation {
    document: Arc<Document>,
    name: Option<String>,
    cost: usize,
}

impl Operation {
    /// Returns what a subscription selects of its events.
    fn event_selection(&self, request: &Request) -> EventSelection {
        let document = (self.document.id, &self.document.parsed);
        EventSelection::of(document, (self.name.as_deref(), self.operation()), &request.variables)
    }

    /// Returns the definition to execute; `None` if the name is missing or unknown, which validation reports.
    fn operation(&self) -> Option<&OperationDefinition> {
        match (&self.document.parsed.operations, &self.name) {
            (DocumentOperations::Single(operation), _) => Some(&operation.node),
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get(name.as_str()).map(|operation| &operation.node)
            }
            (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
                operations.values().next().map(|operation| &operation.node)
            }
            (DocumentOperations::Multiple(_), None) => None,
        }
    }
}

/// Returns the error for a panic: a bug, whose message is only in the log.
fn panicked() -> Error {
    Error::Internal(InternalError::new("a resolver panicked"))
}

fn kind_name(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// Returns the response to a request that was not executed.
pub fn rejection(error: impl Into<Rejection>, info: &RequestInfo) -> Box<Response> {
    let Rejection(errors) = error.into();
    let mut response = Response::from_errors(errors);
    label(&mut response, info);
    Box::new(response)
}

/// The errors of a request that is not executed.
pub struct Rejection(Vec<ServerError>);

impl From<ServerError> for Rejection {
    fn from(error: ServerError) -> Rejection {
        Rejection(vec![error])
    }
}

impl From<Vec<ServerError>> for Rejection {
    fn from(errors: Vec<ServerError>) -> Rejection {
        Rejection(errors)
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Rejection {
        let error = async_graphql::Error::from(error);
        let mut rejected = ServerError::new(error.message, None);
        rejected.extensions = error.extensions;
        Rejection(vec![rejected])
    }
}

/// Adds a code, unless there is one, and the request id to every error.
fn label(response: &mut Response, info: &RequestInfo) {
    for error in &mut response.errors {
        let unlabelled = if error.path.is_empty() { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" };
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", unlabelled);
        }
        extensions.set("requestId", &*info.request_id);
    }
}

fn objects(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(objects).sum::<usize>(),
        Value::List(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}
