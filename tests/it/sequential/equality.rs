//! Random documents, executed with and without `Sequential`.

use std::future::poll_fn;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::task::Poll;

use async_graphql::{PathSegment, Request, Response, Variables};
use futures_util::FutureExt;
use proptest::prelude::*;

use super::{inlined, plain};
use crate::support::documents::{Anchor, Document, Grammar, Taste, tape};

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&plain::schema().sdl()));

fn document(tape: &[u16], taste: Taste) -> Document {
    GRAMMAR.document(tape, 7, taste)
}

fn request(document: &Document) -> Request {
    Request::new(&document.text).variables(Variables::from_json(document.variables.clone()))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// async-graphql's own answer. When no field gives way, it too is in the order of the document.
fn expected(document: &Document, yields: usize) -> Response {
    let pace = plain::Pace { yields, ..plain::Pace::default() };
    block_on(plain::schema().execute(request(document).data(pace)))
}

fn inline(document: &Document, yields: usize) -> Response {
    let pace = inlined::Pace { yields, ..inlined::Pace::default() };
    let response = block_on(inlined::schema().execute(request(document).data(pace.clone())));
    assert_eq!(pace.live.load(Ordering::SeqCst), 0);
    response
}

/// Equal when the data is, whatever the order of the fields.
fn data(response: &Response) -> serde_json::Value {
    serde_json::to_value(&response.data).unwrap()
}

/// The same without empty objects, which async-graphql shows as nulls.
fn without_empty(data: serde_json::Value) -> serde_json::Value {
    match data {
        serde_json::Value::Object(fields) if fields.is_empty() => serde_json::Value::Null,
        serde_json::Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (key, without_empty(value))).collect()
        }
        serde_json::Value::Array(items) => items.into_iter().map(without_empty).collect(),
        other => other,
    }
}

/// Of a key that is selected twice the library keeps what comes first, even if that is null for lack of fields. So
/// either nothing is selected twice or nothing is empty.
fn taste(merging: bool) -> Taste {
    let anchor = if merging { Anchor::Typename } else { Anchor::None };
    Taste { directives: true, anchor, merging }
}

/// The errors without their order: which one comes first depends on who finished first.
fn errors(response: &Response) -> Vec<String> {
    let error = |error: &async_graphql::ServerError| {
        format!("{:?} {} {:?} {:?}", error.path, error.message, error.locations, error.extensions)
    };
    let mut errors: Vec<String> = response.errors.iter().map(error).collect();
    errors.sort();
    errors
}

/// Without the errors in lists that failed: a list is given up at its first failing item, and how far the other items
/// were by then depends on time.
fn certain_errors(response: &Response) -> Vec<String> {
    let lists: Vec<&[PathSegment]> = response
        .errors
        .iter()
        .filter(|error| error.message == "item")
        .filter_map(|error| error.path.split_last().map(|(_, list)| list))
        .collect();
    let outermost =
        |list: &&&[PathSegment]| !lists.iter().any(|other| other.len() < list.len() && list.starts_with(other));
    let failed: Vec<&[PathSegment]> = lists.iter().filter(outermost).copied().collect();
    let mut certain = Response::default();
    certain.errors.extend(
        response.errors.iter().filter(|error| !failed.iter().any(|list| error.path.starts_with(list))).cloned(),
    );
    let mut errors = errors(&certain);
    let mut failed: Vec<String> = failed.into_iter().map(|list| format!("{list:?} failed")).collect();
    failed.sort();
    failed.dedup();
    errors.extend(failed);
    errors
}

/// A document that was refused proves nothing.
fn was_executed(response: &Response) -> bool {
    response.errors.iter().all(|error| !error.path.is_empty())
}

#[test]
fn the_schema_is_the_same_with_and_without_it() {
    assert_eq!(plain::schema().sdl(), inlined::schema().sdl());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn data_and_errors_are_the_librarys_own(tape in tape(), merging: bool) {
        let document = document(&tape, taste(merging));
        let (expected, inline) = (expected(&document, 0), inline(&document, 0));
        prop_assert!(was_executed(&expected), "{}\n{:?}", document.text, expected.errors);
        prop_assert_eq!(data(&expected), without_empty(data(&inline)), "{}", document.text);
        prop_assert_eq!(errors(&expected), errors(&inline), "{}", document.text);
    }

    #[test]
    fn fields_that_wait_change_nothing(tape in tape(), yields in 1_usize..4, merging: bool) {
        let document = document(&tape, taste(merging));
        let inline = inline(&document, yields);
        for expected in [expected(&document, 0), expected(&document, yields)] {
            prop_assert_eq!(data(&expected), without_empty(data(&inline)), "{}", document.text);
            prop_assert_eq!(certain_errors(&expected), certain_errors(&inline), "{}", document.text);
        }
    }

    #[test]
    fn an_execution_may_be_dropped_at_any_point(tape in tape(), polls in 0_usize..6) {
        let document = document(&tape, taste(true));
        let pace = inlined::Pace { yields: 2, ..inlined::Pace::default() };
        let schema = inlined::schema();
        let mut execution = Box::pin(schema.execute(request(&document).data(pace.clone())));
        block_on(async {
            for _ in 0..polls {
                let done = poll_fn(|context| Poll::Ready(execution.poll_unpin(context).is_ready())).await;
                if done {
                    break;
                }
            }
        });
        drop(execution);
        prop_assert_eq!(pace.live.load(Ordering::SeqCst), 0);
    }
}
