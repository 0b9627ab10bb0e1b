//! How long shared caches may cache a response.
//!
//! Responses to anonymous clients do not depend on the client, so they can be shared. The schema states for how long:
//! `@cacheControl(maxAge: …)` on each cacheable root field, and on nested fields with a shorter or zero TTL.
//! async-graphql's own cache hints are not used: they make an operation cacheable if only one of its root fields has a
//! hint, and they do not appear in the schema.

use std::collections::HashSet;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};

use super::type_map::{TypeMap, root};

/// The cache directive. The macro generates undocumented items.
#[allow(missing_docs)]
mod hint {
    use async_graphql::TypeDirective;

    /// Shared caches may cache anonymous responses with this field for `maxAge` seconds. A server setting caps the
    /// value. If a response contains several such fields, the lowest `maxAge` applies. A response that contains a root
    /// field without this directive is not cached.
    #[TypeDirective(name = "cacheControl", location = "FieldDefinition")]
    pub fn cache_control(max_age: i32) {}
}
pub use hint::cache_control;

/// Returns how many seconds the response to `operation` may be cached; 0 means not at all.
pub fn max_age(type_map: &TypeMap, document: &ExecutableDocument, operation: &OperationDefinition) -> u64 {
    if operation.ty != OperationType::Query {
        return 0;
    }
    let mut walk = Walk { type_map, document, spread: HashSet::new(), least: None };
    walk.set(root(operation.ty), &operation.selection_set.node, true);
    walk.least.unwrap_or_default()
}

struct Walk<'a> {
    type_map: &'a TypeMap,
    document: &'a ExecutableDocument,
    /// The fragments already visited; visiting one again cannot change the result.
    spread: HashSet<&'a Name>,
    least: Option<u64>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, ty: &str, set: &'a SelectionSet, at_root: bool) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let type_map = self.type_map;
                    let Some(found) = type_map.field(ty, &field.node.name.node) else {
                        // `__typename` never changes; `__schema` and `__type` change with each release.
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
        let type_map = TypeMap::new(SDL).unwrap();
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
            assert_eq!(max_age(&type_map, &document, &operation.node), expected, "{query}");
        }
    }
}
