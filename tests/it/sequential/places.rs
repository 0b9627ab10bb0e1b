//! Everywhere a resolver may return an `Sequential`, and the order of the fields.

use serde_json::{Value, json};

use super::inlined;

async fn execute(query: &str, yields: usize) -> (Value, Vec<String>, String) {
    let pace = inlined::Pace { yields, ..inlined::Pace::default() };
    let response = inlined::schema().execute(async_graphql::Request::new(query).data(pace)).await;
    let text = serde_json::to_string(&response.data).unwrap();
    let errors = response.errors.iter().map(|error| error.message.clone()).collect();
    (serde_json::to_value(&response.data).unwrap(), errors, text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_lists_and_results_may_hold_it() {
    let query = "{ top(seed: 3) { maybe { number } holes { number } grid { number } fragile { number }
        next(step: 2) { broken { number } patchy { number } maybeSum } } }";
    let (data, errors, _) = execute(query, 1).await;
    let expected = json!({ "top": {
        "maybe": { "number": 1 },
        "holes": [{ "number": 4 }, null, { "number": 5 }],
        "grid": [[{ "number": 3 }], [], [{ "number": 4 }, { "number": 5 }]],
        "fragile": { "number": 10 },
        "next": { "maybeSum": null },
    } });
    assert_eq!(data, expected);
    assert_eq!(errors, ["broken", "item"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interfaces_unions_and_merged_objects_may_hold_it() {
    let query = "{ top(seed: 3) { creatures { __typename name ... on Dog { barks } ... on Named { named: name } }
        either { __typename ... on Dog { barks } ... on Thing { number } } both { __typename left right } } }";
    let (data, errors, _) = execute(query, 1).await;
    let expected = json!({ "top": {
        "creatures": [
            { "__typename": "Dog", "name": "dog 3", "barks": 3, "named": "dog 3" },
            { "__typename": "Cat", "name": "cat 4" },
            { "__typename": "Thing", "name": "thing 5", "named": "thing 5" },
            { "__typename": "Dog", "name": "dog 6", "barks": 6, "named": "dog 6" },
        ],
        "either": { "__typename": "Dog", "barks": 3 },
        "both": { "__typename": "Both", "left": 3, "right": 3 },
    } });
    assert_eq!((data, errors), (expected, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_are_in_the_order_of_the_document_whoever_finishes_first() {
    let query = "{ top(seed: 2) { next(step: 4) { number } slow ...F number fragile { number slow colour }
        ... on Named { name } __typename next(step: 4) { slow } } } fragment F on Thing { a: slow colour }";
    for yields in [0, 3] {
        let (_, errors, text) = execute(query, yields).await;
        let expected = concat!(
            r#"{"top":{"next":{"number":6,"slow":6},"slow":2,"a":2,"colour":"RED","number":2,"#,
            r#""fragile":{"number":9,"slow":9,"colour":"GREEN"},"name":"thing 2","__typename":"Thing"}}"#
        );
        assert_eq!((text.as_str(), errors.len()), (expected, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_selected_twice_gets_both_selections() {
    let query =
        "{ top(seed: 2) { children { number } next { number } ... { children { colour } next { next { slow } } }
        next { next { colour } } } }";
    let (data, errors, _) = execute(query, 1).await;
    let expected = json!({ "top": {
        "children": [{ "number": 2, "colour": "RED" }, { "number": 3, "colour": "GREEN" }],
        "next": { "number": 3, "next": { "slow": 4, "colour": "RED" } },
    } });
    assert_eq!((data, errors), (expected, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_without_fields_takes_what_is_selected_elsewhere() {
    let query = "{ top { next { failing } next { number } children: holes { failing } children: holes { number }
        maybe: next(step: 2) { number @skip(if: true) } } top { next { failing colour } } }";
    let (data, _, _) = execute(query, 1).await;
    let expected = json!({ "top": {
        "next": { "number": 1, "colour": "GREEN" },
        "children": [{ "number": 1 }, null, { "number": 2 }],
        "maybe": {},
    } });
    assert_eq!(data, expected);
}
