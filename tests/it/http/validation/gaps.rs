//! Documents that break a rule and are executed: what the validator does not check yet. If one of these is refused, it
//! belongs to the other tables.

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("unique fields", "{ courses(filter: { isFree: true, isFree: true }) { totalCount } }", "", true),
    (
        "unique fields",
        r#"{ courses(filter: { price: { currency: "EUR", min: 1, min: 2 } }) { totalCount } }"#,
        "",
        true,
    ),
    (
        "one of",
        "mutation { setLessonUnlock(input: { lessonId: 7, version: 1, unlock: {} }) { lesson { id } } }",
        "",
        true,
    ),
    (
        "one of",
        "mutation { setLessonUnlock(input: { lessonId: 7, version: 1, unlock: { afterDays: 3, at: null } }) { lesson { id } } }",
        "",
        true,
    ),
    (
        "one of",
        "mutation ($n: Int) { setLessonUnlock(input: { lessonId: 7, version: 1, unlock: { afterDays: $n } }) { lesson { id } } }",
        r#"{"n":3}"#,
        true,
    ),
    ("custom scalar", r#"{ users(filter: { createdFrom: "soon" }) { totalCount } }"#, "", true),
    ("custom scalar", r#"{ courses(filter: { price: { currency: "EUR", min: true } }) { totalCount } }"#, "", true),
    (
        "custom scalar",
        r#"mutation { createUpload(input: { filename: "a", contentType: "b", sizeBytes: "big" }) {
            userErrors { code } } }"#,
        "",
        true,
    ),
    ("defaults", "query ($q: String = null) { searchCourses(query: $q) { totalCount } }", r#"{"q":"a"}"#, true),
];
