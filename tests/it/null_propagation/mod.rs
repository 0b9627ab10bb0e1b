//! What `propagate_nulls` makes of async-graphql's responses is what the specification wants.

mod conditions;
mod model;
mod order;
mod toy;

use std::sync::LazyLock;

use async_graphql::parser::parse_query;
use async_graphql::{Request, Response, Variables};
use lyceum::graphql::null_propagation::{order_root, propagate_nulls};
use lyceum::graphql::type_map::TypeMap;
use model::Model;
use proptest::prelude::*;
use toy::Seed;

use crate::support::documents::{Anchor, Document, Grammar, Taste, tape};

static SDL: LazyLock<String> = LazyLock::new(|| toy::schema().sdl());
static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(&SDL));
static MODEL: LazyLock<Model> = LazyLock::new(|| Model::new(&SDL));
static SHAPE: LazyLock<TypeMap> = LazyLock::new(|| TypeMap::new(&SDL).unwrap());

/// The response of async-graphql, and the same as the kernel sends it.
fn responses(document: &Document, seed: Seed) -> (Response, Response) {
    let request = Request::new(&document.text).variables(Variables::from_json(document.variables.clone())).data(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let raw = runtime.block_on(toy::schema().execute(request));
    let mut settled = Response::new(raw.data.clone());
    settled.errors = raw.errors.clone();
    let parsed = parse_query(&document.text).unwrap();
    let (_, operation) = parsed.operations.iter().next().unwrap();
    propagate_nulls(&mut settled, &SHAPE, &parsed, &operation.node);
    order_root(&mut settled, &parsed, &operation.node);
    (raw, settled)
}

fn check(tape: &[u16], seed: Seed, taste: Taste) -> Result<(), TestCaseError> {
    let mut document = GRAMMAR.document(tape, 8, taste);
    if document.text.contains("$default") {
        // async-graphql 7.2.1 takes a condition's variable without a value for false, whatever its default.
        document.variables["default"] = true.into();
    }
    let (raw, settled) = responses(&document, seed);
    prop_assert!(raw.errors.iter().all(|error| !error.path.is_empty()), "{}\n{:?}", document.text, raw.errors);
    let expected = MODEL.data(&parse_query(&document.text).unwrap(), &document.variables, seed);
    let data = serde_json::to_value(&settled.data).unwrap();
    prop_assert_eq!(expected, data, "{}\nbefore: {}\n{:#?}", document.text, raw.data, raw.errors);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    /// async-graphql itself executes the query's and the interfaces' fields, and shows what has none as null.
    #[test]
    fn the_data_is_what_the_specification_wants(tape in tape(), number: u64, failing in 1_u64..40, directives: bool) {
        let taste = Taste { directives, anchor: Anchor::Abstract, merging: true };
        check(&tape, Seed::new(number, failing), taste)?;
    }
}
