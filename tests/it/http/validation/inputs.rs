//! The fields of input objects: known, once each, and all that are required (5.6.2 to 5.6.4).

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "known fields",
        r#"{ courses(filter: { isFree: true, price: { currency: "EUR", min: 5 } }) { totalCount } }"#,
        "",
        true,
    ),
    ("known fields", "{ courses(filter: { cheap: true }) { totalCount } }", "", false),
    ("known fields", r#"{ courses(filter: { price: { currency: "EUR", exactly: 5 } }) { totalCount } }"#, "", false),
    (
        "known fields",
        "query ($q: String) { courses(filter: { query: $q, cheap: true }) { totalCount } }",
        r#"{"q":"a"}"#,
        false,
    ),
    // A variable without a value hides nothing.
    ("known fields", "query ($q: String) { courses(filter: { query: $q, cheap: true }) { totalCount } }", "", false),
    ("unique fields", r#"mutation { createCategory(input: { name: "a", slug: "a" }) { category { id } } }"#, "", true),
    ("required fields", r#"mutation { createChannel(input: { name: "a" }) { channel { id } } }"#, "", true),
    ("required fields", r#"mutation { createChannel(input: { slug: "a" }) { channel { id } } }"#, "", false),
    ("required fields", "{ courses(filter: { price: { min: 1 } }) { totalCount } }", "", false),
    (
        "required fields",
        "query ($d: SortDirection! = ASC) { courses(sort: { direction: $d }) { totalCount } }",
        "",
        false,
    ),
    (
        "one of",
        "mutation { setLessonUnlock(input: { lessonId: 7, version: 1, unlock: { afterDays: 3 } }) { lesson { id } } }",
        "",
        true,
    ),
    (
        "one of",
        "mutation ($n: Int!) { setLessonUnlock(input: { lessonId: 7, version: 1, unlock: { afterDays: $n } }) { lesson { id } } }",
        r#"{"n":3}"#,
        true,
    ),
];
