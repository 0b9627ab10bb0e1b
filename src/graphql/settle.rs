//! Nulls as the specification wants them.
//!
//! async-graphql 7.2.1 leaves a field that failed out of its object: `{"course":{}}` where the GraphQL specification
//! (October 2021, section 6.4.4) wants `{"course":{"rating":null}}`, or `{"course":null}` when the field is non-null.
//! Clients that cache by field, like Apollo, take a missing field for a server bug. This runs only for responses
//! that have errors with a path.

use std::collections::{HashMap, HashSet};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, PathSegment, Response, Value};

use super::shape::{FieldShape, Shape, root};

/// Puts a null where each error of `response` says that something is missing, at the field itself if it may be null,
/// otherwise at the nearest ancestor that may.
pub fn settle(response: &mut Response, shape: &Shape, document: &ExecutableDocument, operation: &OperationDefinition) {
    // First all objects, then all nulls: a null that was put in place must stay.
    for error in &response.errors {
        revive(&mut response.data, &error.path);
    }
    let walk = Walk { shape, document };
    let whole = [(root(operation.ty), &operation.selection_set.node)];
    for error in &response.errors {
        let placed = walk.place(&mut response.data, &whole, &error.path);
        if matches!(placed, Placed::Bubbles) {
            response.data = Value::Null;
        }
    }
}

/// Makes an object again of each null on the way to an error: an object whose fields have all failed is left as a null,
/// as if it were not there, although its fields may be null and it itself perhaps may not.
fn revive(value: &mut Value, path: &[PathSegment]) {
    let Some((segment, rest)) = path.split_first() else { return };
    match (&mut *value, segment) {
        (Value::Null, PathSegment::Field(_)) => *value = Value::Object(IndexMap::new()),
        (Value::Object(fields), PathSegment::Field(key)) => {
            if let Some(inner) = fields.get_mut(key.as_str()) {
                revive(inner, rest);
            }
        }
        (Value::List(items), PathSegment::Index(index)) => {
            if let Some(item) = items.get_mut(*index) {
                revive(item, rest);
            }
        }
        _ => {}
    }
}

/// Brings the fields of the response's root object into the order of the operation: async-graphql runs them together
/// and answers in the order in which they finish.
pub fn order_root(response: &mut Response, document: &ExecutableDocument, operation: &OperationDefinition) {
    let Value::Object(data) = &mut response.data else { return };
    if data.len() < 2 {
        return;
    }
    let mut keys = Vec::new();
    response_keys(document, &operation.selection_set.node, &mut keys);
    let places: HashMap<Name, usize> = keys.into_iter().enumerate().rev().map(|(place, key)| (key, place)).collect();
    data.sort_by_cached_key(|key, _| places.get(key).copied().unwrap_or(usize::MAX));
}

/// All response keys below `set` in the order of the document, also those of fields that @skip or a type condition
/// leaves out.
fn response_keys(document: &ExecutableDocument, set: &SelectionSet, keys: &mut Vec<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => keys.push(field.node.response_key().node.clone()),
            Selection::InlineFragment(fragment) => {
                response_keys(document, &fragment.node.selection_set.node, keys);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    response_keys(document, &fragment.node.selection_set.node, keys);
                }
            }
        }
    }
}

enum Placed {
    /// The response is right from here up.
    Settled,
    /// The value cannot be null: its parent has to be.
    Bubbles,
}

struct Walk<'a> {
    shape: &'a Shape,
    document: &'a ExecutableDocument,
}

/// A selection and the type on which its fields are looked up.
type Typed<'a> = (&'a str, &'a SelectionSet);

impl<'a> Walk<'a> {
    /// `sets` are all selections of the object at hand: one response key may be selected several times, and under
    /// different types' conditions its own type may differ.
    fn place(&self, object: &mut Value, sets: &[Typed<'a>], path: &[PathSegment]) -> Placed {
        let (Value::Object(fields), Some((PathSegment::Field(key), rest))) = (object, path.split_first()) else {
            return Placed::Settled;
        };
        let mut selected = Vec::new();
        for (ty, set) in sets {
            self.find(ty, set, key, &mut selected);
        }
        let Some((shape, _)) = selected.first().copied() else { return Placed::Settled };
        let nested: Vec<Typed<'a>> =
            selected.iter().map(|(shape, field)| (shape.ty.as_str(), &field.selection_set.node)).collect();
        let placed = match fields.get_mut(key.as_str()) {
            Some(value) => self.place_in(value, &shape.nullable, &nested, rest),
            None => Placed::Bubbles,
        };
        match placed {
            Placed::Bubbles if shape.nullable.first() == Some(&true) => {
                self.put_null(fields, sets, Name::new(key));
                Placed::Settled
            }
            placed => placed,
        }
    }

    /// Goes on inside a field's value: an object, or the item of a list. `nullable` begins with what holds for `value`.
    fn place_in(&self, value: &mut Value, nullable: &[bool], sets: &[Typed<'a>], path: &[PathSegment]) -> Placed {
        let (Value::List(items), Some((PathSegment::Index(index), rest))) = (&mut *value, path.split_first()) else {
            return self.place(value, sets, path);
        };
        let (Some(item), Some((_, nullable))) = (items.get_mut(*index), nullable.split_first()) else {
            return Placed::Settled;
        };
        match self.place_in(item, nullable, sets, rest) {
            Placed::Bubbles if nullable.first() == Some(&true) => {
                *item = Value::Null;
                Placed::Settled
            }
            placed => placed,
        }
    }

    /// A field that is missing goes where the document has it.
    fn put_null(&self, fields: &mut IndexMap<Name, Value>, sets: &[Typed<'a>], key: Name) {
        if let Some(value) = fields.get_mut(&key) {
            *value = Value::Null;
            return;
        }
        let mut keys = Vec::new();
        for (_, set) in sets {
            response_keys(self.document, set, &mut keys);
        }
        let before: HashSet<&Name> = keys.iter().take_while(|known| **known != key).collect();
        let place = fields.keys().take_while(|present| before.contains(present)).count();
        fields.shift_insert(place, key, Value::Null);
    }

    /// The fields of `set` with this response key. Fields under another type's condition count too: fields that share
    /// a key must have the same form (section 5.3.2).
    fn find(&self, ty: &str, set: &'a SelectionSet, key: &str, found: &mut Vec<(&'a FieldShape, &'a Field)>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.response_key().node == key => {
                    if let Some(shape) = self.shape.field(ty, &field.node.name.node) {
                        found.push((shape, &field.node));
                    }
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => {
                    let ty = fragment.node.type_condition.as_ref().map_or(ty, |on| on.node.on.node.as_str());
                    self.find(ty, &fragment.node.selection_set.node, key, found);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let ty = fragment.node.type_condition.node.on.node.as_str();
                        self.find(ty, &fragment.node.selection_set.node, key, found);
                    }
                }
            }
        }
    }
}
