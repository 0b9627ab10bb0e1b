//! The order of fields, and single cases that are worth a name.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{PathSegment, Response, ServerError, Value};
use lyceum::graphql::null_propagation::{order_root, propagate_nulls};
use lyceum::graphql::type_map::TypeMap;

const SDL: &str =
    "type Query { a: Int b: Int c: Int sure: Int! thing: Thing sureThing: Thing! things: [Thing!] node: Node }
    interface Node { id: ID! } type Thing implements Node { id: ID! a: Int b: Int c: Int sure: Int! thing: Thing }
    type Other implements Node { id: ID! a: Int thing: Other x: Int }";

/// What `propagate_nulls` and `order_root` make of `data` with errors at `paths`, as text, so that the order counts.
fn settled(query: &str, data: &str, paths: &[&str]) -> String {
    let document: ExecutableDocument = parse_query(query).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let mut response = Response::new(Value::from_json(data).unwrap());
    response.errors = paths
        .iter()
        .map(|path| {
            let segments = path.split(' ').map(|segment| match segment.parse() {
                Ok(index) => PathSegment::Index(index),
                Err(_) => PathSegment::Field(segment.into()),
            });
            ServerError { path: segments.collect(), ..ServerError::new("failed", None) }
        })
        .collect();
    let (_, operation) = document.operations.iter().next().unwrap();
    propagate_nulls(&mut response, &TypeMap::new(SDL).unwrap(), &document, &operation.node);
    order_root(&mut response, &document, &operation.node);
    serde_json::to_string(&response.data).unwrap()
}

#[test]
fn the_root_is_in_the_order_of_the_document() {
    let query = "{ c x: a ...F b ... { thing { a } c } a } fragment F on Query { sure }";
    let data = r#"{"a":1,"b":2,"sure":3,"thing":{"a":1},"c":4,"x":5}"#;
    assert_eq!(settled(query, data, &[]), r#"{"c":4,"x":5,"sure":3,"b":2,"thing":{"a":1},"a":1}"#);
}

#[test]
fn a_null_that_was_missing_stands_where_the_document_has_its_field() {
    let query = "{ thing { c ...F sure } things { a b c } } fragment F on Thing { b x: a }";
    let data = r#"{"things":[{"a":1,"c":3},{"b":2}],"thing":{"c":1,"sure":5}}"#;
    let paths = ["thing x", "things 1 c", "things 0 b", "thing b", "things 1 a"];
    let expected = concat!(
        r#"{"thing":{"c":1,"b":null,"x":null,"sure":5},"#,
        r#""things":[{"a":1,"b":null,"c":3},{"a":null,"b":2,"c":null}]}"#
    );
    assert_eq!(settled(query, data, &paths), expected);
}

#[test]
fn a_null_that_was_put_in_place_of_an_object_stays_whatever_else_failed_in_it() {
    let query = "{ thing { thing { a sure } b } }";
    for paths in [["thing thing sure", "thing thing a", "thing b"], ["thing b", "thing thing a", "thing thing sure"]] {
        assert_eq!(settled(query, r#"{"thing":{"thing":null}}"#, &paths), r#"{"thing":{"thing":null,"b":null}}"#);
    }
}

#[test]
fn a_root_whose_fields_have_all_failed_is_an_object_unless_one_of_them_is_required() {
    assert_eq!(settled("{ a thing { a } }", "null", &["a", "thing"]), r#"{"a":null,"thing":null}"#);
    assert_eq!(settled("{ a sureThing { sure } }", "null", &["a", "sureThing sure"]), "null");
    assert_eq!(settled("{ a sure }", r#"{"a":1}"#, &["sure"]), "null");
}

#[test]
fn a_key_may_stand_for_different_types_under_different_conditions() {
    let query = "{ node { ... on Other { thing { x } } ... on Thing { thing { b } } } }";
    assert_eq!(settled(query, r#"{"node":{"thing":null}}"#, &["node thing b"]), r#"{"node":{"thing":{"b":null}}}"#);
}
