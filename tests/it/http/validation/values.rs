//! Values: of the type that is expected where they stand (5.6.1).

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("Int", "{ courses(first: 5) { totalCount } users(last: -5) { totalCount } }", "", true),
    ("Int", r#"{ courses(first: "5") { totalCount } }"#, "", false),
    ("Int", "{ courses(first: 5.0) { totalCount } }", "", false),
    ("Int", "{ courses(first: 3000000000) { totalCount } }", "", false),
    ("Float", "{ courses(filter: { minRating: 4 }) { totalCount } }", "", true),
    ("Float", r#"{ courses(filter: { minRating: "4.5" }) { totalCount } }"#, "", false),
    ("String", r#"{ searchCourses(query: """rust""") { totalCount } }"#, "", true),
    ("String", "{ searchCourses(query: 5) { totalCount } }", "", false),
    ("Boolean", "{ courses(filter: { isFree: false }) { totalCount } }", "", true),
    ("Boolean", r#"{ courses(filter: { isFree: "false" }) { totalCount } }"#, "", false),
    ("ID", r#"{ node(id: "7") { id } video(id: 7) { id } }"#, "", true),
    ("ID", "{ node(id: 7.5) { id } }", "", false),
    ("enum", "{ courses(sort: { field: PRICE, direction: ASC }) { totalCount } }", "", true),
    ("enum", "{ courses(sort: { field: price, direction: ASC }) { totalCount } }", "", false),
    ("enum", r#"{ courses(sort: { field: "PRICE", direction: ASC }) { totalCount } }"#, "", false),
    ("custom scalar", r#"{ users(filter: { createdFrom: "2026-01-01T00:00:00Z" }) { totalCount } }"#, "", true),
    (
        "custom scalar",
        r#"{ courses(filter: { price: { currency: "EUR", min: 1.5, max: "20" } }) { totalCount } }"#,
        "",
        true,
    ),
    (
        "custom scalar",
        r#"mutation { createUpload(input: { filename: "a", contentType: "b", sizeBytes: 5000000000 }) {
            userErrors { code } } }"#,
        "",
        true,
    ),
    (
        "list",
        "{ courses(filter: { levels: [BEGINNER, ADVANCED], tags: [] }) { totalCount } nodes(ids: 7) { id } }",
        "",
        true,
    ),
    ("list", "{ courses(filter: { levels: [BEGINNER, 1] }) { totalCount } }", "", false),
    ("list", "{ courses(first: [5]) { totalCount } nodes(ids: [[7]]) { id } }", "", false),
    ("null", "{ courses(first: null, filter: { levels: null, isFree: null }) { totalCount } }", "", true),
    ("null", "{ searchCourses(query: null) { totalCount } }", "", false),
    ("null", "{ courses(filter: { levels: [BEGINNER, null] }) { totalCount } }", "", false),
    (
        "input object",
        "query ($q: String) { courses(filter: { query: $q, isFree: true }, sort: null) { totalCount } }",
        "",
        true,
    ),
    ("input object", r#"{ courses(filter: "rust") { totalCount } }"#, "", false),
    ("input object", "{ courses(filter: [{ isFree: true }]) { totalCount } }", "", false),
];
