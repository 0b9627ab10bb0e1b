//! Fields with the same response name must be the same field, or of the same shape if they are fields of objects of
//! different types (5.3.2).

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("merging", "{ viewer { user { called: name called: name about: bio } } viewer { user { id } } }", "", true),
    (
        "merging",
        "{ courses(first: 2, last: null) { totalCount } courses(last: null, first: 2) { totalCount } }",
        "",
        true,
    ),
    ("merging", "{ viewer { user { label: name label: bio } } }", "", false),
    ("merging", "{ viewer { user { name: bio name } } }", "", false),
    ("merging", "{ courses(first: 1) { totalCount } courses(first: 2) { totalCount } }", "", false),
    ("merging", "{ courses(first: 1) { totalCount } courses { totalCount } }", "", false),
    ("merging", "query ($n: Int) { courses(first: $n) { totalCount } courses(first: 1) { totalCount } }", "", false),
    ("merging fragments", "{ viewer { user { label: name ...A } } } fragment A on User { label: name }", "", true),
    (
        "merging fragments",
        "{ viewer { user { ...A ...B } } } fragment A on User { label: name } fragment B on User { label: bio }",
        "",
        false,
    ),
    ("merging fragments", "{ viewer { user { label: name ...A } } } fragment A on User { label: bio }", "", false),
    ("merging fragments", "{ node(id: 7) { label: id ... on User { label: name } } }", "", false),
    (
        "merging below",
        "{ viewer { user { ban { label: reason } } } viewer { user { ban { label: reason } } } }",
        "",
        true,
    ),
    ("merging below", "{ viewer { user { label: name } } viewer { user { label: bio } } }", "", false),
    (
        "merging below",
        "{ viewer { user { ban { label: reason } ...A } } } fragment A on User { ban { label: since } }",
        "",
        false,
    ),
    ("merging types", "{ node(id: 7) { ... on User { label: name } ... on Course { label: title } } }", "", true),
    (
        "merging types",
        "{ node(id: 7) { ... on User { ... { label: name } } ... on Course { ... { label: title } } } }",
        "",
        true,
    ),
    (
        "merging types",
        "{ node(id: 7) { ... on User { label: createdAt } ... on Course { label: version } } }",
        "",
        false,
    ),
    ("merging types", "{ node(id: 7) { ... on User { label: locale } ... on Course { label: title } } }", "", false),
    ("merging types", "{ node(id: 7) { ... on Lesson { label: title } ... on Course { label: tags } } }", "", false),
    (
        "merging types",
        "{ node(id: 7) { ... on Lesson { label: title } ... on Course { label: price { amount } } } }",
        "",
        false,
    ),
    (
        "merging types",
        "{ node(id: 7) {
            ... on Course { who: instructor { label: name } }
            ... on Channel { who: owner { label: bio } } } }",
        "",
        true,
    ),
    (
        "merging types",
        "{ node(id: 7) {
            ... on Course { who: instructor { label: name } }
            ... on Channel { who: owner { label: email } } } }",
        "",
        false,
    ),
];
