//! Limits of what an operation reads of the schema itself.
//!
//! Introspection is resolved from memory without a pause, so that no timeout ends it. Types refer to each other in
//! circles; a query can follow these, and fragments can double what it reads at every level.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, ServerError};

use super::error::request_error;

/// The fields that begin introspection.
pub(crate) const ROOTS: [&str; 2] = ["__schema", "__type"];
/// The lists that have many items for every schema of some size.
const LISTS: [&str; 5] = ["types", "fields", "inputFields", "interfaces", "possibleTypes"];
/// The maximum number of such lists within each other. Tools read the fields of all types, which is two.
const MOST_LISTS: usize = 2;
/// The maximum number of selected fields, with each spread of a fragment counted. Tools select about 200.
const MOST_FIELDS: usize = 1000;

/// Checks how much of the schema an operation reads.
///
/// # Errors
/// `TOO_DEEP`, `TOO_COSTLY`.
pub(crate) fn check(document: &ExecutableDocument, operation: &OperationDefinition) -> Result<(), ServerError> {
    let mut walk = Walk { document, known: HashMap::new() };
    let read = walk.set(&operation.selection_set.node, false);
    if read.lists > MOST_LISTS {
        let message = format!("Lists of the schema are nested {} deep; at most {MOST_LISTS} are allowed.", read.lists);
        return Err(request_error("TOO_DEEP", message));
    }
    if read.fields > MOST_FIELDS {
        let message =
            format!("The operation selects {} fields of the schema; at most {MOST_FIELDS} are allowed.", read.fields);
        return Err(request_error("TOO_COSTLY", message));
    }
    Ok(())
}

/// What a selection reads of the schema.
#[derive(Clone, Copy, Default)]
struct Read {
    /// The number of selected fields.
    fields: usize,
    /// The number of lists within each other.
    lists: usize,
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// What each fragment reads, outside of introspection and within. Without this, fragments that spread others twice
    /// would double the work at each level.
    known: HashMap<(&'a Name, bool), Read>,
}

impl<'a> Walk<'a> {
    /// Returns what `set` reads; `inside` is whether it is part of introspection.
    fn set(&mut self, set: &'a SelectionSet, inside: bool) -> Read {
        let mut read = Read::default();
        for selection in &set.items {
            let more = match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let below = &field.node.selection_set.node;
                    match inside {
                        true => {
                            let Read { fields, lists } = self.set(below, true);
                            let list = usize::from(LISTS.contains(&name));
                            Read { fields: fields.saturating_add(1), lists: lists.saturating_add(list) }
                        }
                        // Introspection begins at the root only.
                        false if ROOTS.contains(&name) => self.set(below, true),
                        false => Read::default(),
                    }
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, inside),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, inside),
            };
            read = Read { fields: read.fields.saturating_add(more.fields), lists: read.lists.max(more.lists) };
        }
        read
    }

    fn fragment(&mut self, name: &'a Name, inside: bool) -> Read {
        if let Some(read) = self.known.get(&(name, inside)) {
            return *read;
        }
        let Some(fragment) = self.document.fragments.get(name) else { return Read::default() };
        // A cycle counts as nothing; validation rejects it.
        self.known.insert((name, inside), Read::default());
        let read = self.set(&fragment.node.selection_set.node, inside);
        // An empty fragment counts as well, so that spreads cannot multiply without cost.
        let read = Read { fields: read.fields.saturating_add(usize::from(inside)), ..read };
        self.known.insert((name, inside), read);
        read
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refusal(query: &str) -> Option<String> {
        let document = parse_query(query).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        check(&document, &operation.node).err().map(|error| error.message)
    }

    /// What GraphiQL, Apollo and graphql-codegen ask for.
    const STANDARD: &str = "{ __schema { description queryType { name kind } mutationType { name kind }
        subscriptionType { name kind } types { ...FullType }
        directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
        fragment FullType on __Type { kind name description specifiedByURL
            fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
                type { ...TypeRef } isDeprecated deprecationReason }
            inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
            enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
            possibleTypes { ...TypeRef } }
        fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated
            deprecationReason }
        fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
            ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

    #[test]
    fn tools_read_the_schema() {
        assert_eq!(refusal(STANDARD), None);
        assert_eq!(
            refusal("{ __type(name: \"Query\") { fields { name type { ofType { fields { name } } } } } }"),
            None
        );
        assert_eq!(
            refusal("{ __schema { types { name fields { name args { type { enumValues { name } } } } } } }"),
            None
        );
        assert_eq!(refusal("{ courses { types { fields { fields { fields { name } } } } } }"), None, "other types");
    }

    #[test]
    fn nested_lists_and_doubled_fragments_are_refused_quickly() {
        let circle = "{ __type(name: \"Node\") { possibleTypes { interfaces { possibleTypes { name } } } } }";
        assert_eq!(refusal(circle), Some("Lists of the schema are nested 3 deep; at most 2 are allowed.".to_owned()));
        let split = "{ ...Q } fragment Q on Query { __schema { ...S } } fragment S on __Schema { types { ...T } }
            fragment T on __Type { fields { type { ...U } } } fragment U on __Type { fields { name } }";
        assert!(refusal(split).is_some_and(|message| message.contains("nested 3 deep")));
        for (outer, last) in [("__schema { ...F0 }", "__Schema"), ("...F0", "Query")] {
            let mut query = format!("{{ {outer} }}");
            for level in 0..60 {
                query += &format!(" fragment F{level} on {last} {{ ...F{0} ...F{0} }}", level + 1);
            }
            query += &match last {
                "Query" => " fragment F60 on Query { __schema { description } }".to_owned(),
                _ => " fragment F60 on __Schema { description }".to_owned(),
            };
            assert!(refusal(&query).is_some_and(|message| message.contains("fields of the schema")), "{outer}");
        }
        let empty = "{ __schema { ...A } } fragment A on __Schema { ...A description }";
        assert_eq!(refusal(empty), None, "a cycle ends here, too");
    }
}
