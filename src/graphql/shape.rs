//! The schema's types as the limits and the null rules need them, read from its own SDL.

use std::collections::HashMap;

use async_graphql::Value as ConstValue;
use async_graphql::parser::types::{BaseType, FieldDefinition, OperationType, Type, TypeKind, TypeSystemDefinition};
use async_graphql::parser::{Positioned, parse_schema};

use crate::platform::fault::{Context, Fault};

/// What a field returns.
#[derive(Clone, Debug)]
pub(super) struct FieldShape {
    /// The named type, without lists and exclamation marks.
    pub(super) ty: String,
    /// Whether the field may be null, then the same for the items of its list, for the items of those, and so on.
    pub(super) nullable: Vec<bool>,
    /// Whether the type is selected from: an object, an interface or a union.
    pub(super) composite: bool,
    /// Whether it is a connection, so that `first` or `last` say how many children there are.
    pub(super) connection: bool,
    /// The seconds of its `@cacheControl`.
    pub(super) max_age: Option<u64>,
}

/// All object, interface and union types with their fields.
pub struct Shape {
    types: HashMap<String, HashMap<String, FieldShape>>,
}

impl Shape {
    /// Reads a schema definition.
    ///
    /// # Errors
    /// It is none.
    pub fn new(sdl: &str) -> Result<Shape, Fault> {
        let document = parse_schema(sdl).context("the schema's own print cannot be parsed")?;
        let mut fields_of: HashMap<String, Vec<Positioned<FieldDefinition>>> = HashMap::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                TypeKind::Object(object) => drop(fields_of.insert(name, object.fields)),
                TypeKind::Interface(interface) => drop(fields_of.insert(name, interface.fields)),
                // No fields of its own, but what is selected on its members counts.
                TypeKind::Union(_) => drop(fields_of.insert(name, Vec::new())),
                _ => {}
            }
        }
        let shape = |field: &FieldDefinition| {
            let ty = named(&field.ty.node);
            FieldShape {
                nullable: nullable(&field.ty.node),
                composite: fields_of.contains_key(&ty),
                connection: ty.ends_with("Connection"),
                max_age: max_age(field),
                ty,
            }
        };
        let types = fields_of
            .iter()
            .map(|(name, fields)| {
                let fields = fields.iter().map(|field| (field.node.name.node.to_string(), shape(&field.node)));
                (name.clone(), fields.collect())
            })
            .collect();
        Ok(Shape { types })
    }

    /// The field `field` of the type `ty`.
    pub(super) fn field(&self, ty: &str, field: &str) -> Option<&FieldShape> {
        self.types.get(ty)?.get(field)
    }
}

/// The root type of an operation.
pub(super) fn root(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

fn named(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(item) => named(item),
    }
}

fn max_age(field: &FieldDefinition) -> Option<u64> {
    let hint = field.directives.iter().find(|directive| directive.node.name.node == "cacheControl")?;
    match &hint.node.get_argument("maxAge")?.node {
        ConstValue::Number(seconds) => seconds.as_u64(),
        _ => None,
    }
}

fn nullable(ty: &Type) -> Vec<bool> {
    let mut levels = vec![ty.nullable];
    if let BaseType::List(item) = &ty.base {
        levels.extend(nullable(item));
    }
    levels
}
