//! Finds the list that makes an operation costly, for the error.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{Field, FragmentDefinition, Selection, SelectionSet};

use super::{CostWalk, Outer};

/// A list with the number of items that it may return in the whole operation, and the names of the fields that lead to
/// it, innermost first.
#[derive(Clone)]
pub(super) struct Heaviest {
    pub(super) items: usize,
    path: Vec<String>,
}

impl Heaviest {
    /// Returns the path as in `errors.path`, with dots, such as `courses.nodes.lessons`.
    pub(super) fn path(&self) -> String {
        self.path.iter().rev().map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

/// Walks an operation that was rejected, in the same way as [`CostWalk`], with the same memo of fragments.
pub(super) struct HeaviestWalk<'a> {
    pub(super) cost: CostWalk<'a>,
    pub(super) fragments: HashMap<(&'a Name, usize, Option<Outer<'a>>), Option<Heaviest>>,
}

impl<'a> HeaviestWalk<'a> {
    pub(super) fn set(&mut self, ty: &str, set: &'a SelectionSet, page: usize) -> Option<Heaviest> {
        let mut heaviest: Option<Heaviest> = None;
        for selection in &set.items {
            let found = match &selection.node {
                Selection::Field(field) => self.field(ty, &field.node, page),
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map_or(ty, |on| on.node.on.node.as_str());
                    self.set(on, &fragment.node.selection_set.node, page)
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = self.cost.document.fragments.get(name);
                    fragment.and_then(|fragment| self.fragment(name, &fragment.node, page))
                }
            };
            if found.as_ref().map_or(0, |found| found.items) > heaviest.as_ref().map_or(0, |known| known.items) {
                heaviest = found;
            }
        }
        heaviest
    }

    fn fragment(&mut self, name: &'a Name, fragment: &'a FragmentDefinition, page: usize) -> Option<Heaviest> {
        let key = (name, page, self.cost.outer);
        if let Some(known) = self.fragments.get(&key) {
            return known.clone();
        }
        self.fragments.insert(key, None);
        let found = self.set(&fragment.type_condition.node.on.node, &fragment.selection_set.node, page);
        self.fragments.insert(key, found.clone());
        found
    }

    fn field(&mut self, ty: &str, field: &'a Field, page: usize) -> Option<Heaviest> {
        let type_map = self.cost.type_map;
        let found = type_map.field(ty, &field.name.node).filter(|found| found.composite)?;
        let inner = if found.connection { self.cost.page(field, found) } else { 1 };
        let outer = self.cost.outer;
        if let Some(list) = type_map.bounding(ty, &field.name.node) {
            self.cost.outer = Some((list, inner));
        }
        let below = self.set(&found.ty, &field.selection_set.node, inner);
        self.cost.outer = outer;
        let times = self.cost.times(field, found, page);
        // `nodes` and `edges` are the list of the connection around them.
        let own = match (found.connection, field.name.node.as_str()) {
            (true, _) => inner,
            (false, "nodes" | "edges") if page > 1 => 0,
            (false, _) => times,
        };
        let own = Some(own).filter(|items| *items > 1).map(|items| Heaviest { items, path: Vec::new() });
        let below = below.map(|below| Heaviest { items: below.items.saturating_mul(times), ..below });
        let mut heaviest = match (own, below) {
            (Some(own), Some(below)) => {
                if below.items > own.items {
                    below
                } else {
                    own
                }
            }
            (own, below) => own.or(below)?,
        };
        heaviest.path.push(field.alias.as_ref().unwrap_or(&field.name).node.to_string());
        Some(heaviest)
    }
}
