//! What of an event subscriptions select, to know which ones get the same.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::convert::Infallible;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection as Selected, SelectionSet};
use async_graphql::{Name, Value, Variables};

/// What a subscription selects of each event.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    document: u64,
    operation: Option<String>,
    /// The values of the variables within the selection, as JSON. Those of the root field's arguments say which events
    /// to deliver, not what of them: a client that resumes after a cursor selects the same as one that does not.
    variables: String,
}

impl Selection {
    /// Returns the selection of an operation of the document with the id `document`.
    pub fn of(
        (document, parsed): (u64, &ExecutableDocument),
        (name, operation): (Option<&str>, Option<&OperationDefinition>),
        variables: &Variables,
    ) -> Selection {
        let mut walk = Walk { document: parsed, spread: HashSet::new(), used: BTreeSet::new() };
        if let Some(operation) = operation {
            walk.set(&operation.selection_set.node, true);
        }
        let used: BTreeMap<&Name, &Value> =
            walk.used.iter().filter_map(|name| Some((name, variables.get(name)?))).collect();
        let variables = serde_json::to_string(&used).unwrap_or_default();
        Selection { document, operation: name.map(str::to_owned), variables }
    }
}

/// Collects the variables that are used below the root fields.
struct Walk<'a> {
    document: &'a ExecutableDocument,
    /// The fragments already visited.
    spread: HashSet<&'a Name>,
    used: BTreeSet<Name>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, set: &'a SelectionSet, at_root: bool) {
        for selection in &set.items {
            let directives = selection.node.directives().iter();
            let mut values: Vec<_> = directives.flat_map(|directive| &directive.node.arguments).collect();
            match &selection.node {
                Selected::Field(field) => {
                    if !at_root {
                        values.extend(&field.node.arguments);
                    }
                    self.set(&field.node.selection_set.node, false);
                }
                Selected::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, at_root),
                Selected::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.spread.insert(name)
                    {
                        self.set(&fragment.node.selection_set.node, at_root);
                    }
                }
            }
            for (_, value) in values {
                // Replaces each variable, wherever it is in the value.
                let replaced = value.node.clone().into_const_with(|name| {
                    self.used.insert(name);
                    Ok::<_, Infallible>(Value::Null)
                });
                drop(replaced);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn only_variables_of_the_selection_count() {
        let query = "subscription ($after: Int, $plus: Int, $more: Boolean!) { news(after: $after) { ...A } }
            fragment A on News { number(plus: $plus) viewer @include(if: $more) ...B } fragment B on News { number }";
        let document = parse_query(query).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let of = |variables: serde_json::Value| {
            Selection::of((1, &document), (None, Some(&operation.node)), &Variables::from_json(variables))
        };
        let one = of(serde_json::json!({ "after": 1, "plus": 1, "more": true }));
        assert_eq!(one, of(serde_json::json!({ "after": 2, "plus": 1, "more": true })));
        assert_ne!(one, of(serde_json::json!({ "after": 1, "plus": 2, "more": true })));
        assert_ne!(one, of(serde_json::json!({ "after": 1, "plus": 1, "more": false })));
    }
}
