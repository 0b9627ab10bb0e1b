//! Variables: their names, types and defaults, and that all of them are defined and used (5.6.1 and 5.8.1 to 5.8.4).

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "variable names",
        "query Main($n: Int, $m: Int) { courses(first: $n, last: $m) { totalCount } }
        query Other($n: ID!) { node(id: $n) { id } }",
        "",
        true,
    ),
    ("variable names", "query ($n: Int, $n: Int) { courses(first: $n) { totalCount } }", "", false),
    (
        "variable names",
        "query ($n: Int, $m: Int, $n: Int = 1) { courses(first: $n, last: $m) { totalCount } }",
        "",
        false,
    ),
    (
        "input types",
        "query ($f: CourseFilter, $o: CourseSort) { courses(filter: $f, sort: $o) { totalCount } }",
        "",
        true,
    ),
    ("input types", "query ($u: User) { courses(filter: $u) { totalCount } }", "", false),
    ("input types", "query ($n: [Node!]) { nodes(ids: $n) { id } }", "", false),
    ("input types", "query ($f: [Philter!]) { courses(filter: $f) { totalCount } }", "", false),
    ("input types", "query ($f: [Philter!] = [5]) { courses(filter: $f) { totalCount } }", "", false),
    (
        "defaults",
        r#"query ($q: String! = "a", $n: Int = null, $f: CourseFilter = { levels: [BEGINNER] }) {
            searchCourses(query: $q, first: $n, filter: $f) { totalCount } }"#,
        "",
        true,
    ),
    ("defaults", r#"query ($n: Int = "5") { courses(first: $n) { totalCount } }"#, "", false),
    ("defaults", "query ($q: String! = null) { searchCourses(query: $q) { totalCount } }", r#"{"q":"a"}"#, false),
    ("defaults", "query ($f: CourseFilter = { levels: [EXPERT] }) { courses(filter: $f) { totalCount } }", "", false),
    (
        "defined variables",
        "query ($id: ID!, $on: Boolean!) { ...A }
        fragment A on Query { ...B }
        fragment B on Query { node(id: $id) { id @include(if: $on) } }",
        r#"{"id":"7","on":true}"#,
        true,
    ),
    ("defined variables", "query ($n: Int) { courses(first: $n, last: $m) { totalCount } }", "", false),
    ("defined variables", "{ courses(filter: { levels: [$level] }) { totalCount } }", "", false),
    (
        "defined variables",
        "query Main($n: Int) { ...A }
        query Other { ...A }
        fragment A on Query { courses(first: $n) { totalCount } }",
        "",
        false,
    ),
    (
        "used variables",
        "query ($q: String, $l: CourseLevel!) { courses(filter: { query: $q, levels: [$l] }) { totalCount } }",
        r#"{"l":"BEGINNER"}"#,
        true,
    ),
    ("used variables", "query ($n: Int, $m: Int) { courses(first: $n) { totalCount } }", "", false),
    ("used variables", "query ($n: Int = 5) { ...A } fragment A on Query { viewer { user { id } } }", "", false),
    (
        "used variables",
        "query Main($n: Int) { viewer { user { id } } }
        query Other($n: Int) { ...A }
        fragment A on Query { courses(first: $n) { totalCount } }",
        "",
        false,
    ),
];
