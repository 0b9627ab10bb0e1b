//! The running operations of one socket.

use std::future::poll_fn;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::protocol::{Close, ServerMessage, next_message};
use crate::graphql::fan_out::Payload;
use crate::http::negotiation::is_request_error;

struct Operation {
    id: String,
    results: BoxStream<'static, Payload>,
    answered: bool,
}

/// The operations of one socket, polled round-robin.
///
/// A `Vec`, because there are few: typically one to five, and at most `Settings::max_operations`.
#[derive(Default)]
pub(super) struct Operations {
    running: Vec<Operation>,
    /// The index at which the next poll starts. An operation that is always ready cannot starve the others.
    next: usize,
}

impl Operations {
    /// Returns the number of running operations.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Returns whether an operation with this id is running.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.running.iter().any(|operation| operation.id == id)
    }

    /// Adds an operation; no operation with the same id may be running.
    pub(super) fn start(&mut self, id: String, results: BoxStream<'static, Payload>) {
        self.running.push(Operation { id, results, answered: false });
    }

    /// Drops an operation. An unknown id is ignored, because the operation may just have completed.
    pub(super) fn stop(&mut self, id: &str) {
        self.running.retain(|operation| operation.id != id);
    }

    /// Waits for the next message of any operation: a `next`, `error` or `complete` as JSON.
    ///
    /// Pending forever while there is no operation. Cancel-safe.
    ///
    /// # Errors
    /// The close frame 1011 if a response cannot be serialized.
    pub(super) async fn next_message(&mut self) -> Result<String, Close> {
        poll_fn(|context| self.poll_message(context)).await
    }

    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Result<String, Close>> {
        let count = self.running.len();
        for step in 0..count {
            let index = (self.next + step) % count;
            let Some(operation) = self.running.get_mut(index) else { continue };
            if let Poll::Ready(result) = operation.results.poll_next_unpin(context) {
                self.next = index + 1;
                return Poll::Ready(self.message(index, result));
            }
        }
        Poll::Pending
    }

    fn message(&mut self, index: usize, result: Option<Payload>) -> Result<String, Close> {
        if let (Some(operation), Some(result)) = (self.running.get_mut(index), &result) {
            let first = !std::mem::replace(&mut operation.answered, true);
            match result {
                Payload::Shared(json) => return Ok(next_message(&operation.id, json)),
                Payload::Own(response) if first && is_request_error(response) => {}
                Payload::Own(response) => {
                    return ServerMessage::Next { id: &operation.id, payload: response }.encode();
                }
            }
        }
        let ended = self.running.remove(index);
        match &result {
            Some(Payload::Own(rejected)) => ServerMessage::Error { id: &ended.id, payload: &rejected.errors }.encode(),
            Some(Payload::Shared(_)) | None => ServerMessage::Complete { id: &ended.id }.encode(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{Response, ServerError, Value};
    use futures_util::{FutureExt, stream};

    fn values(values: Vec<i32>) -> BoxStream<'static, Payload> {
        stream::iter(values).map(|value| Response::new(Value::from(value)).into()).boxed()
    }

    fn drain(operations: &mut Operations) -> Vec<String> {
        std::iter::from_fn(|| operations.next_message().now_or_never()).map(Result::unwrap).collect()
    }

    fn next(id: &str, value: i32) -> String {
        format!(r#"{{"type":"next","id":"{id}","payload":{{"data":{value}}}}}"#)
    }

    fn complete(id: &str) -> String {
        format!(r#"{{"type":"complete","id":"{id}"}}"#)
    }

    #[test]
    fn operations_take_turns() {
        let mut operations = Operations::default();
        operations.start("a".into(), stream::repeat(1).map(|value| Response::new(Value::from(value)).into()).boxed());
        operations.start("b".into(), stream::pending().boxed());
        operations.start("c".into(), values(vec![7, 8]));
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(operations.next_message().now_or_never().unwrap().unwrap());
        }
        assert_eq!(
            seen,
            [next("a", 1), next("c", 7), next("a", 1), next("c", 8), next("a", 1), complete("c")].as_slice()
        );
        assert_eq!(operations.len(), 2);
    }

    #[test]
    fn a_request_error_ends_the_operation_without_complete() {
        let mut operations = Operations::default();
        let rejected = || Response::from_errors(vec![ServerError::new("no", None)]);
        operations.start("a".into(), stream::iter([rejected(), rejected()]).map(Payload::from).boxed());
        assert_eq!(drain(&mut operations), [r#"{"type":"error","id":"a","payload":[{"message":"no"}]}"#.to_owned()]);
        assert!(!operations.contains("a"));

        // After the first response, an error is one of the operation's results.
        operations.start("a".into(), values(vec![1]).chain(stream::iter([rejected()]).map(Payload::from)).boxed());
        let late = r#"{"type":"next","id":"a","payload":{"data":null,"errors":[{"message":"no"}]}}"#.to_owned();
        assert_eq!(drain(&mut operations), [next("a", 1), late, complete("a")]);
    }

    #[test]
    fn a_stopped_operation_says_nothing_more() {
        let mut operations = Operations::default();
        operations.start("a".into(), values(vec![1]));
        operations.start("b".into(), values(vec![2]));
        operations.stop("a");
        operations.stop("unknown");
        assert_eq!(drain(&mut operations), [next("b", 2), complete("b")]);
    }
}
