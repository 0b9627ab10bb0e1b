//! Null propagation (GraphQL specification, section 6.4.4), and the order of root fields.
//!
//! async-graphql 7.2.1 omits a failed field from its object: `{"course":{}}` where the October 2021 edition requires
//! `{"course":{"rating":null}}`, or `{"course":null}` if the field is non-null. Clients with a normalized cache, such
//! as Apollo, treat a missing field as a server bug. Null propagation runs only for responses with errors.

use std::collections::{HashMap, HashSet};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, PathSegment, Response, Value};

use super::type_map::{FieldInfo, TypeMap, root};

/// Sets the field of each error in `response`, or its nearest nullable ancestor, to null.
pub fn propagate_nulls(
    response: &mut Response,
    shape: &TypeMap,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) {
    // Restore all objects before placing any null: a null that was placed must stay.
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

/// Turns each null on the path of an error back into an object.
///
/// async-graphql returns null for an object whose fields have all failed, even if the fields are nullable and the
/// object is not.
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

/// Sorts the fields of the response's root object into document order.
///
/// async-graphql runs root fields concurrently and returns them in the order in which they complete.
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

/// Collects all response keys of `set` in document order.
///
/// Includes those of fields that `@skip` or a type condition excludes.
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
    /// The response is correct from this value upward.
    Settled,
    /// The value is non-null, so its parent has to become null.
    Bubbles,
}

struct Walk<'a> {
    shape: &'a TypeMap,
    document: &'a ExecutableDocument,
}

/// A selection and the type on which its fields are looked up.
type Typed<'a> = (&'a str, &'a SelectionSet);

impl<'a> Walk<'a> {
    /// Places the null for the error at `path` inside `object`.
    ///
    /// `sets` are all selection sets of the object: a response key may be selected several times, and its type may
    /// differ under different type conditions.
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

    /// Continues inside the value of a field: an object or a list. `nullable` starts with the nullability of `value`.
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

    /// Sets the field to null; a missing field is inserted at its position in document order.
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

    /// Finds the fields of `set` with this response key.
    ///
    /// Includes fields under other type conditions: fields that share a key must have the same shape (section 5.3.2).
    fn find(&self, ty: &str, set: &'a SelectionSet, key: &str, found: &mut Vec<(&'a FieldInfo, &'a Field)>) {
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
