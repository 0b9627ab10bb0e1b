//! Fragments: their names, their types, and where they are spread (5.5).

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "fragment names",
        "query A { viewer { user { ...A ...B } } } fragment A on User { id } fragment B on User { id }",
        "",
        true,
    ),
    ("fragment names", "{ viewer { user { ...A } } } fragment A on User { id } fragment A on User { name }", "", false),
    ("fragment names", "{ viewer { user { ...A } } } fragment A on User { id } fragment A on Node { id }", "", false),
    ("known types", "{ node(id: 7) { ... on Course { title } ...A } } fragment A on Lesson { title }", "", true),
    ("known types", "{ node(id: 7) { ... on Coarse { title } } }", "", false),
    ("known types", "{ viewer { user { ...A } } } fragment A on user { id }", "", false),
    ("composite types", "{ viewer { user { ... { id } ... on Node { id } ... on User { id } } } }", "", true),
    ("composite types", "{ viewer { user { ... on UserFilter { __typename } } } }", "", false),
    ("composite types", "{ viewer { user { ...A } } } fragment A on Role { __typename }", "", false),
    (
        "used fragments",
        "query Main { viewer { user { id } } } query Other { viewer { user { ...A } } } fragment A on User { id }",
        "",
        true,
    ),
    ("used fragments", "{ viewer { user { id } } } fragment A on User { id }", "", false),
    ("used fragments", "{ viewer { user { ...A } } } fragment A on User { id } fragment B on User { ...A }", "", false),
    ("known fragments", "{ viewer { user { ...A ... on User { ...A } } } } fragment A on User { id }", "", true),
    ("known fragments", "{ viewer { user { ... on User { ...A } } } }", "", false),
    ("known fragments", "{ viewer { user { ...A } } } fragment A on User { id ...B }", "", false),
    (
        "no cycles",
        "{ viewer { user { ...A ...B } } }
        fragment A on User { ...C }
        fragment B on User { ...C }
        fragment C on User { id }",
        "",
        true,
    ),
    ("no cycles", "{ viewer { user { ...A } } } fragment A on User { id ...A }", "", false),
    (
        "no cycles",
        "{ viewer { user { ...A } } } fragment A on User { id ... { ...B } } fragment B on User { ...A }",
        "",
        false,
    ),
    (
        "no cycles",
        "{ viewer { user { ...A } } }
        fragment A on User { ...B }
        fragment B on User { ...C }
        fragment C on User { ...A }",
        "",
        false,
    ),
    (
        "no cycles",
        "{ course(id: 7) { ...A } } fragment A on Course { channel { courses { nodes { ...A } } } }",
        "",
        false,
    ),
    (
        "possible spreads",
        "{ ... on Query { viewer { user { ... on User { id } ...A } } } } fragment A on Node { id }",
        "",
        true,
    ),
    (
        "possible spreads",
        "{ node(id: 7) { ... on User { name } ... on Node { id } ...A } } fragment A on Video { width }",
        "",
        true,
    ),
    // Each spread has to be possible in its own parent, not in all that are around it.
    ("possible spreads", "{ viewer { user { ... on Node { ... on Course { title } } } } }", "", true),
    ("possible spreads", "{ viewer { user { ... on Course { title } } } }", "", false),
    (
        "possible spreads",
        "{ node(id: 7) { ...A } } fragment A on Node { ...B } fragment B on Money { amount }",
        "",
        false,
    ),
    ("possible spreads", "{ course(id: 7) { price { ... on Node { id } } } }", "", false),
    ("possible spreads", "{ ... on Mutation { signOut(input: {}) { endedCount } } }", "", false),
];
