//! Directives: known, where they belong, and once each (5.7).

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("known directives", "{ viewer { user { id @skip(if: true) name @include(if: true) } } }", "", true),
    ("known directives", "{ viewer { user { name @hide } } }", "", false),
    ("known directives", "{ viewer { user { ...A } } } fragment A on User @hide { id }", "", false),
    ("known directives", "query ($n: Int @hide) { courses(first: $n) { totalCount } }", "", false),
    (
        "directive locations",
        "{ viewer { user { ... @skip(if: true) { id } ...A @skip(if: true) } } } fragment A on User { id }",
        "",
        true,
    ),
    ("directive locations", "query @include(if: true) { viewer { user { id } } }", "", false),
    ("directive locations", "query ($n: Int @include(if: true)) { courses(first: $n) { totalCount } }", "", false),
    (
        "unique directives",
        "{ viewer { user { name @skip(if: false) @include(if: true) id @skip(if: false) } } }",
        "",
        true,
    ),
    (
        "unique directives",
        "{ viewer { user { name @skip(if: false) @include(if: true) @skip(if: true) } } }",
        "",
        false,
    ),
    (
        "unique directives",
        "{ viewer { user { ...A @skip(if: true) @skip(if: true) } } } fragment A on User { id }",
        "",
        false,
    ),
];
