//! `__typename`, which every object and interface has, although the schema defines it for none.

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "known fields",
        "{ __typename viewer { user { __typename } } node(id: 7) { __typename ... on User { __typename } } }",
        "",
        true,
    ),
    ("known fields", "mutation { __typename }", "", true),
    ("leaf fields", "{ __typename { x } }", "", false),
    ("leaf fields", "{ viewer { user { __typename { id } } } }", "", false),
    ("known arguments", "{ __typename(foo: 1) }", "", false),
    ("known arguments", "{ viewer { user { __typename(foo: 1) } } }", "", false),
    ("known arguments", "{ viewer { user { ...A } } } fragment A on Node { kind: __typename(foo: 1) }", "", false),
    ("required arguments", "{ viewer { user { __typename @skip } } }", "", false),
    ("values", r#"{ viewer { user { __typename @include(if: "yes") } } }"#, "", false),
    ("merging", "{ viewer { user { kind: __typename kind: __typename } } }", "", true),
    ("merging", "{ viewer { user { kind: __typename kind: name } } }", "", false),
    ("merging", "{ node(id: 7) { ... on User { kind: __typename } ... on Course { kind: isFree } } }", "", false),
    ("known directives", "{ __typename @unknown }", "", false),
    ("known directives", "{ __schema { __typename @unknown } }", "", false),
    ("unique directives", "{ viewer { user { __typename @skip(if: false) @include(if: true) } } }", "", true),
    ("unique directives", "{ viewer { user { __typename @skip(if: true) @skip(if: true) } } }", "", false),
    ("used variables", "query V($x: Boolean!) { a: __typename @include(if: $x) }", r#"{"x":true}"#, true),
    ("used variables", "query V($x: Boolean!) { a: __typename @include(if: $x) }", r#"{"x":false}"#, true),
    (
        "used variables",
        "query ($x: Boolean!) { ...A } fragment A on Query { __typename @skip(if: $x) }",
        r#"{"x":false}"#,
        true,
    ),
    ("defined variables", "{ __typename @include(if: $undefined) }", "", false),
    (
        "defined variables",
        "{ viewer { user { ...A } } } fragment A on User { __typename @skip(if: $undefined) }",
        "",
        false,
    ),
    ("positions", "query ($x: Boolean = true) { __typename @include(if: $x) }", "", true),
    ("positions", "query ($x: Boolean) { __typename @include(if: $x) }", r#"{"x":true}"#, false),
];
