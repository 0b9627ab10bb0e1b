//! How long shared caches may keep an answer.
//!
//! What an anonymous client is shown does not depend on who it is, so an answer to one may be shown to the next. For how
//! long is said in the schema: `@cacheControl(maxAge: …)` on each root field that has something to keep, and on fields
//! below that may be kept shorter, or not at all. (async-graphql's own hints don't do: they let an operation be kept in
//! which only one of several root fields has a hint, and the schema does not show them.)

use std::collections::HashSet;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};

use super::shape::{Shape, root};

/// The hint on a field. The macro makes undocumented items of it.
#[allow(missing_docs)]
mod hint {
    use async_graphql::TypeDirective;

    /// Shared caches may keep an anonymous client's answer with this field for so many seconds, and no longer than a
    /// setting of the server allows. What has several such fields is kept as the most fleeting of them; what has a root
    /// field without this directive is not kept.
    #[TypeDirective(name = "cacheControl", location = "FieldDefinition")]
    pub fn cache_control(max_age: i32) {}
}
pub use hint::cache_control;

/// For how many seconds the answer to `operation` may be kept; 0: not at all.
pub(super) fn max_age(shape: &Shape, document: &ExecutableDocument, operation: &OperationDefinition) -> u64 {
    if operation.ty != OperationType::Query {
        return 0;
    }
    let mut walk = Walk { shape, document, spread: HashSet::new(), least: None };
    walk.set(root(operation.ty), &operation.selection_set.node, true);
    walk.least.unwrap_or_default()
}

struct Walk<'a> {
    shape: &'a Shape,
    document: &'a ExecutableDocument,
    /// Fragments that have been looked at: a second look would find the same.
    spread: HashSet<&'a Name>,
    least: Option<u64>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, ty: &str, set: &'a SelectionSet, at_root: bool) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let shape = self.shape;
                    let Some(found) = shape.field(ty, &field.node.name.node) else {
                        // `__typename` is the same for ever; the schema itself changes when the program does.
                        if at_root && field.node.name.node != "__typename" {
                            self.keep(0);
                        }
                        continue;
                    };
                    match found.max_age {
                        Some(seconds) => self.keep(seconds),
                        None if at_root => self.keep(0),
                        None => {}
                    }
                    self.set(&found.ty, &field.node.selection_set.node, false);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map_or(ty, |on| on.node.on.node.as_str());
                    self.set(on, &fragment.node.selection_set.node, at_root);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.spread.insert(name)
                    {
                        let on = &fragment.node.type_condition.node.on.node;
                        self.set(on, &fragment.node.selection_set.node, at_root);
                    }
                }
            }
        }
    }

    fn keep(&mut self, seconds: u64) {
        self.least = Some(self.least.map_or(seconds, |least| least.min(seconds)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    const SDL: &str = "directive @cacheControl(maxAge: Int!) on FIELD_DEFINITION
        type Query { courses: [Course!]! @cacheControl(maxAge: 300) news: [Course!]! @cacheControl(maxAge: 20) viewer: Course }
        type Mutation { make: Course @cacheControl(maxAge: 300) }
        type Course { title: String! link: String! @cacheControl(maxAge: 0) price: Int! @cacheControl(maxAge: 60) }";

    #[test]
    fn the_most_fleeting_field_decides() {
        let shape = Shape::new(SDL).unwrap();
        for (query, expected) in [
            ("{ courses { title } }", 300),
            ("{ courses { title } __typename }", 300),
            ("{ courses { title price } }", 60),
            ("{ courses { title } news { title price } }", 20),
            ("{ courses { link } }", 0),
            ("{ courses { title } viewer { title } }", 0),
            (
                "{ ... on Query { courses { ...A } } } fragment A on Course { ...B price } fragment B on Course { ...A title }",
                60,
            ),
            ("{ ...A } fragment A on Query { viewer { title } }", 0),
            ("{ ...A courses { title } } fragment A on Query { viewer { title } }", 0),
            ("{ courses { title } viewer @skip(if: true) { title } }", 0),
            ("{ __typename }", 0),
            ("{ __schema { description } }", 0),
            ("{ courses { title } __schema { description } }", 0),
            ("{ courses { title } nope }", 0),
            ("mutation { make { title } }", 0),
        ] {
            let document = parse_query(query).unwrap();
            let (_, operation) = document.operations.iter().next().unwrap();
            assert_eq!(max_age(&shape, &document, &operation.node), expected, "{query}");
        }
    }
}
