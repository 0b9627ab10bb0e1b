//! Operations, and what else is in a document (5.1 and 5.2).

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("executable definitions", "{ viewer { user { ...Name } } } fragment Name on User { name }", "", true),
    ("executable definitions", "{ viewer { user { id } } } type Guest { id: ID }", "", false),
    ("executable definitions", "{ viewer { user { id } } } extend type User { nickname: String }", "", false),
    ("operation names", "query Main { viewer { user { id } } } query Other { viewer { user { id } } }", "", true),
    ("operation names", "query Main { viewer { user { id } } } query Main { viewer { user { name } } }", "", false),
    (
        "operation names",
        "query Main { viewer { user { id } } } mutation Main { signOut(input: {}) { endedCount } }",
        "",
        false,
    ),
    ("lone anonymous operation", "query { viewer { user { id } } }", "", true),
    ("lone anonymous operation", "{ viewer { user { id } } } { viewer { user { name } } }", "", false),
    (
        "lone anonymous operation",
        "query Main { viewer { user { id } } } mutation { signOut(input: {}) { endedCount } }",
        "",
        false,
    ),
    // By POST no subscription is executed, so the valid ones are left to the tests of WebSockets.
    ("single root field", "subscription { newVideo { cursor } videoProgress(videoId: 7) { cursor } }", "", false),
    ("single root field", "subscription { one: newVideo { cursor } two: newVideo { cursor } }", "", false),
    (
        "single root field",
        "subscription { ...A } fragment A on Subscription { a: newVideo { cursor } b: newVideo { cursor } }",
        "",
        false,
    ),
];
