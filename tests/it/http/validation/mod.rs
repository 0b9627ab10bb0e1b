//! The validation rules of the GraphQL specification (section 5): for each, documents that keep it and documents that
//! break it. What breaks a rule is refused before anything is executed; everything else is executed, whatever comes of
//! it: nobody is signed in here, so many fields are null and have an error.

mod arguments;
mod directives;
mod documents;
mod fields;
mod fragments;
mod gaps;
mod inputs;
mod merging;
mod positions;
mod typename;
mod values;
mod variables;

use serde_json::{Value, json};

use super::{Answer, GRAPHQL, MODERN};
use crate::support::TestApp;

/// The rule, a document, its variables as JSON, and whether the document keeps the rule. If the document has several
/// operations, `Main` is executed.
type Case = (&'static str, &'static str, &'static str, bool);

/// What a document is refused with that breaks a rule; some rules are the parser's.
const CODES: [&str; 2] = ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_breaks_a_rule_is_refused_and_no_other() {
    let tables = [
        documents::CASES,
        fields::CASES,
        merging::CASES,
        arguments::CASES,
        fragments::CASES,
        values::CASES,
        inputs::CASES,
        directives::CASES,
        variables::CASES,
        positions::CASES,
    ];
    judge(&tables.concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_a_type_is_validated_like_any_other_field() {
    judge(typename::CASES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gaps_are_these() {
    judge(gaps::CASES).await;
}

/// Sends all documents, each twice, because the second time it is known. Fails with all that had the wrong outcome.
async fn judge(cases: &[Case]) {
    let app = TestApp::start().await;
    let mut wrong = Vec::new();
    for (rule, query, variables, keeps) in cases {
        for round in ["first", "second"] {
            let answer = send(&app, query, variables).await;
            if outcome(&answer) != Some(*keeps) {
                let expected = if *keeps { "to be executed" } else { "to be refused" };
                let Answer { status, text, .. } = answer;
                wrong.push(format!("{rule}, {round} time, ought {expected}: {query} {variables}\n    {status} {text}"));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} documents:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

async fn send(app: &TestApp, query: &str, variables: &str) -> Answer {
    let variables: Value = if variables.is_empty() { json!({}) } else { serde_json::from_str(variables).unwrap() };
    let name = query.contains("query Main").then_some("Main");
    let request = json!({ "query": query, "variables": variables, "operationName": name });
    Answer::to(app.graphql().header("accept", MODERN).json(&request)).await
}

/// Whether the document was executed rather than refused; `None` if the answer is neither.
fn outcome(answer: &Answer) -> Option<bool> {
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    if answer.header("content-type") != GRAPHQL {
        return None;
    }
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refused =
        !errors.is_empty() && errors.iter().all(|error| CODES.iter().any(|code| error["extensions"]["code"] == *code));
    match (answer.status, body.get("data")) {
        (200, Some(_)) => Some(true),
        (400, None) if refused => Some(false),
        _ => None,
    }
}
