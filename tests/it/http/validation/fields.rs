//! Selections: fields that exist, and selection sets where they belong (5.3.1 and 5.3.3).

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("known fields", "{ me: viewer { user { called: name } } node(id: 7) { id ... on Course { title } } }", "", true),
    ("known fields", r#"{ __schema { queryType { name } } __type(name: "User") { kind } }"#, "", true),
    ("known fields", "{ visitor { id } }", "", false),
    ("known fields", "{ viewer { user { name: nickname } } }", "", false),
    ("known fields", "{ viewer { user { nickname @skip(if: true) } } }", "", false),
    ("known fields", "{ viewer { user { nickname @ifdef } } }", "", false),
    ("known fields", "{ viewer { user { ...Nick } } } fragment Nick on User { nickname }", "", false),
    ("known fields", "{ node(id: 7) { title } }", "", false),
    ("known fields", r#"mutation { __type(name: "User") { name } }"#, "", false),
    ("known fields", "query Main { viewer { user { id } } } query Other { viewer { user { nickname } } }", "", false),
    ("leaf fields", "{ course(id: 7) { title tags level price { amount currency } } }", "", true),
    ("leaf fields", "{ viewer { user { name { length } } } }", "", false),
    ("leaf fields", "{ viewer }", "", false),
];
