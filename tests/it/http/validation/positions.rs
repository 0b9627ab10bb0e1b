//! Variables stand only where their types allow it (5.8.5).

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("types", "query ($n: Int!) { courses(first: $n) { totalCount } }", r#"{"n":5}"#, true),
    ("types", "query ($q: String) { searchCourses(query: $q) { totalCount } }", r#"{"q":"a"}"#, false),
    ("types", "query ($s: String!) { node(id: $s) { id } }", r#"{"s":"7"}"#, false),
    ("types", "query ($r: Int) { courses(filter: { minRating: $r }) { totalCount } }", "", false),
    ("types", "query ($on: Boolean) { viewer { user { name @include(if: $on) } } }", r#"{"on":true}"#, false),
    ("types", "query ($id: ID) { ...A } fragment A on Query { node(id: $id) { id } }", r#"{"id":"7"}"#, false),
    (
        "lists",
        "query ($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id } more: nodes(ids: [$id]) { id } }",
        r#"{"ids":[],"id":"7"}"#,
        true,
    ),
    (
        "lists",
        "query ($l: [CourseLevel!]!) { courses(filter: { levels: $l }) { totalCount } }",
        r#"{"l":["BEGINNER"]}"#,
        true,
    ),
    ("lists", "query ($id: ID!) { nodes(ids: $id) { id } }", r#"{"id":"7"}"#, false),
    ("lists", "query ($ids: [ID]!) { nodes(ids: $ids) { id } }", r#"{"ids":["7"]}"#, false),
    ("defaults", r#"query ($q: String = "a") { searchCourses(query: $q) { totalCount } }"#, "", true),
    (
        "defaults",
        "query ($l: [CourseLevel!] = [BEGINNER]) { courses(filter: { levels: $l }) { totalCount } }",
        "",
        true,
    ),
    // An argument and an input field that have defaults themselves.
    (
        "defaults",
        "query ($s: [UploadStatus!]) { viewer { uploads(filter: { statuses: $s }) { totalCount } } }",
        "",
        true,
    ),
    (
        "defaults",
        r#"mutation ($d: String) { createChannel(input: { name: "a", description: $d }) { channel { id } } }"#,
        "",
        true,
    ),
];
