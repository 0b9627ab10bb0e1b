//! Arguments of fields and directives: known, once each, and all that are required (5.4).

use super::Case;

pub(super) const CASES: &[Case] = &[
    ("known arguments", "{ courses(first: 1, after: null, filter: null, sort: null) { totalCount } }", "", true),
    ("known arguments", "{ courses(limit: 5) { totalCount } }", "", false),
    ("known arguments", "{ viewer { user { ...Name } } } fragment Name on User { name(upper: true) }", "", false),
    ("known arguments", "{ viewer { user { name @skip(if: false, unless: true) } } }", "", false),
    ("unique arguments", "{ course(id: 7) { id @skip(if: true) title @skip(if: true) } node(id: 7) { id } }", "", true),
    ("unique arguments", "{ courses(first: 1, last: null, first: 1) { totalCount } }", "", false),
    ("unique arguments", "{ viewer { user { name @include(if: true, if: true) } } }", "", false),
    ("required arguments", "{ course { id } viewer { uploads { totalCount } } }", "", true),
    ("required arguments", "{ searchCourses(first: 1) { totalCount } }", "", false),
    ("required arguments", "mutation { signOut { endedCount } }", "", false),
    ("required arguments", "{ viewer { user { ...Name @skip } } } fragment Name on User { name }", "", false),
];
