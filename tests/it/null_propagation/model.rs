//! Execution as the specification has it (October 2021, sections 6.3 and 6.4), for the data of [`super::toy`].

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, Selection, SelectionSet, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned, Value as GraphQL};
use serde_json::{Value, json};

use super::toy::Seed;

/// A field error that has not met a nullable type yet.
struct Failed;

pub(super) struct Model {
    fields: BTreeMap<String, BTreeMap<String, Type>>,
    /// The object types of each interface.
    members: BTreeMap<String, BTreeSet<String>>,
}

impl Model {
    pub(super) fn new(sdl: &str) -> Model {
        let mut model = Model { fields: BTreeMap::new(), members: BTreeMap::new() };
        for definition in parse_schema(sdl).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            if let TypeKind::Object(object) = definition.node.kind {
                for interface in object.implements {
                    model.members.entry(interface.node.to_string()).or_default().insert(name.clone());
                }
                let fields =
                    object.fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node.ty.node));
                model.fields.insert(name, fields.collect());
            }
        }
        model
    }

    /// `data` of the response to the one query in `document`.
    pub(super) fn data(&self, document: &ExecutableDocument, variables: &Value, seed: Seed) -> Value {
        let (_, query) = document.operations.iter().next().unwrap();
        let execution = Execution { model: self, document, variables };
        execution.set("Query", seed, &[&query.node.selection_set.node]).unwrap_or(Value::Null)
    }
}

struct Execution<'a> {
    model: &'a Model,
    document: &'a ExecutableDocument,
    variables: &'a Value,
}

impl<'a> Execution<'a> {
    /// ExecuteSelectionSet, with the sets that MergeSelectionSets would merge.
    fn set(&self, ty: &str, seed: Seed, sets: &[&'a SelectionSet]) -> Result<Value, Failed> {
        let mut groups = IndexMap::new();
        for set in sets {
            self.collect(ty, set, &mut groups);
        }
        let mut object = json!({});
        for (key, fields) in groups {
            object[key.as_str()] = self.field(ty, seed, &fields)?;
        }
        Ok(object)
    }

    /// CollectFields
    fn collect(&self, ty: &str, set: &'a SelectionSet, groups: &mut IndexMap<Name, Vec<&'a Field>>) {
        for selection in &set.items {
            if self.skipped(selection.node.directives()) {
                continue;
            }
            let (condition, nested) = match &selection.node {
                Selection::Field(field) => {
                    groups.entry(field.node.response_key().node.clone()).or_default().push(&field.node);
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.node.fragment_name.node].node;
                    (Some(&fragment.type_condition), &fragment.selection_set)
                }
            };
            let applies = |on: &str| on == ty || self.model.members.get(on).is_some_and(|members| members.contains(ty));
            if condition.is_none_or(|condition| applies(&condition.node.on.node)) {
                self.collect(ty, &nested.node, groups);
            }
        }
    }

    fn skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let condition = directive.node.get_argument("if").unwrap().node.clone();
            let variable = |name: Name| GraphQL::from_json(self.variables[name.as_str()].clone());
            let condition = condition.into_const_with(variable).unwrap() == GraphQL::Boolean(true);
            condition == (directive.node.name.node == "skip")
        })
    }

    /// ExecuteField
    fn field(&self, ty: &str, seed: Seed, fields: &[&'a Field]) -> Result<Value, Failed> {
        let name = fields[0].name.node.as_str();
        if name == "__typename" {
            return Ok(json!(ty));
        }
        if name == "safe" {
            return Ok(json!(seed.int()));
        }
        let declared = &self.model.fields[ty][name];
        let seed = seed.child(name);
        let value = if seed.fails() { Err(Failed) } else { self.complete(declared, seed, fields) };
        nullable(declared, value)
    }

    /// CompleteValue
    fn complete(&self, ty: &Type, seed: Seed, fields: &[&'a Field]) -> Result<Value, Failed> {
        let mut seed = seed;
        if ty.nullable {
            if seed.is_null() {
                return Ok(Value::Null);
            }
            seed = seed.child("some");
        }
        self.present(ty, seed, fields)
    }

    fn present(&self, ty: &Type, seed: Seed, fields: &[&'a Field]) -> Result<Value, Failed> {
        match &ty.base {
            BaseType::List(item) => {
                let items = (0..seed.choice(4)).map(|place| self.item(item, seed.child(&place.to_string()), fields));
                items.collect()
            }
            BaseType::Named(name) if name == "Int" => Ok(json!(seed.int())),
            BaseType::Named(name) => {
                let sets: Vec<&SelectionSet> = fields.iter().map(|field| &field.selection_set.node).collect();
                match self.model.members.get(name.as_str()) {
                    Some(members) => self.set(members.iter().nth(seed.choice(members.len())).unwrap(), seed, &sets),
                    None => self.set(name, seed, &sets),
                }
            }
        }
    }

    fn item(&self, ty: &Type, seed: Seed, fields: &[&'a Field]) -> Result<Value, Failed> {
        let mut seed = seed;
        if ty.nullable {
            if seed.is_null() {
                return Ok(Value::Null);
            }
            seed = seed.child("some");
        }
        nullable(ty, if seed.fails() { Err(Failed) } else { self.present(ty, seed, fields) })
    }
}

/// "If the type is nullable, the error ends here" (section 6.4.4).
fn nullable(ty: &Type, value: Result<Value, Failed>) -> Result<Value, Failed> {
    value.or_else(|failed| if ty.nullable { Ok(Value::Null) } else { Err(failed) })
}
