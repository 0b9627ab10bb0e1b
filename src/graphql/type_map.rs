//! An index of the types in the SDL, for limits, null propagation and caching.

use std::collections::{HashMap, HashSet};

use async_graphql::Value as ConstValue;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, OperationType, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{Positioned, parse_schema};

use crate::platform::internal_error::{Context, InternalError};

/// The return type of a field.
#[derive(Clone, Debug)]
pub struct FieldInfo {
    /// The named type, without list and non-null wrappers.
    pub ty: String,
    /// Whether the field is nullable, followed by the same for the items of each nested list.
    pub(crate) nullable: Vec<bool>,
    /// Whether the type has a selection set: an object, an interface or a union.
    pub(crate) composite: bool,
    /// Whether the type is a connection, whose size `first` or `last` limits.
    pub(crate) connection: bool,
    /// How much an object of the type counts for the cost of an operation.
    pub weight: usize,
    /// How many items the list has, or all lists of this field have together, if `@cost` says so.
    pub(crate) bound: Option<Bound>,
    /// The `maxAge` of its `@cacheControl` directive, in seconds.
    pub max_age: Option<u64>,
}

/// The most items of a list, or of several together.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// The number of items.
    pub(crate) most: usize,
    /// The list within which all lists have that many together, such as `Course.sections`; `None` for one list.
    pub(crate) within: Option<String>,
}

/// All object, interface and union types with their fields.
pub struct TypeMap {
    types: HashMap<String, HashMap<String, FieldInfo>>,
    /// The lists that others are bounded within, such as `Course.sections`.
    bounding: HashSet<String>,
}

impl TypeMap {
    /// Parses a schema definition.
    ///
    /// # Errors
    /// The SDL cannot be parsed.
    pub fn new(sdl: &str) -> Result<TypeMap, InternalError> {
        let document = parse_schema(sdl).context("the schema's own print cannot be parsed")?;
        let mut weights: HashMap<String, usize> = HashMap::new();
        let mut fields_of: HashMap<String, Vec<Positioned<FieldDefinition>>> = HashMap::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            if let Some(weight) = number(&definition.node.directives, "cost", "weight") {
                weights.insert(name.clone(), usize::try_from(weight)?);
            }
            match definition.node.kind {
                TypeKind::Object(object) => drop(fields_of.insert(name, object.fields)),
                TypeKind::Interface(interface) => drop(fields_of.insert(name, interface.fields)),
                // A union has no fields, but fields can be selected on its members.
                TypeKind::Union(_) => drop(fields_of.insert(name, Vec::new())),
                _ => {}
            }
        }
        let shape = |field: &FieldDefinition| {
            let ty = named(&field.ty.node);
            FieldInfo {
                nullable: nullable(&field.ty.node),
                composite: fields_of.contains_key(&ty),
                connection: ty.ends_with("Connection"),
                weight: weights.get(&ty).copied().unwrap_or(1),
                bound: bound(field),
                max_age: number(&field.directives, "cacheControl", "maxAge"),
                ty,
            }
        };
        let types: HashMap<String, HashMap<String, FieldInfo>> = fields_of
            .iter()
            .map(|(name, fields)| {
                let fields = fields.iter().map(|field| (field.node.name.node.to_string(), shape(&field.node)));
                (name.clone(), fields.collect())
            })
            .collect();
        let fields = types.values().flat_map(HashMap::values);
        let bounding = fields.filter_map(|field| field.bound.as_ref()?.within.clone()).collect();
        Ok(TypeMap { types, bounding })
    }

    /// Returns the names of the fields of the type `ty`.
    pub fn fields(&self, ty: &str) -> impl Iterator<Item = &str> {
        self.types.get(ty).into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// Returns `ty.field` if other lists are bounded within it.
    pub(crate) fn bounding(&self, ty: &str, field: &str) -> Option<&str> {
        self.bounding.get(&format!("{ty}.{field}")).map(String::as_str)
    }

    /// Returns the field `field` of the type `ty`; `None` if it does not exist.
    pub fn field(&self, ty: &str, field: &str) -> Option<&FieldInfo> {
        self.types.get(ty)?.get(field)
    }
}

/// Returns the name of the root type of an operation.
pub fn root(kind: OperationType) -> &'static str {
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

fn bound(field: &FieldDefinition) -> Option<Bound> {
    let most = usize::try_from(number(&field.directives, "cost", "most")?).ok()?;
    let within = match argument(&field.directives, "cost", "within") {
        Some(ConstValue::String(within)) => Some(within.clone()),
        _ => None,
    };
    Some(Bound { most, within })
}

fn number(directives: &[Positioned<ConstDirective>], directive: &str, name: &str) -> Option<u64> {
    match argument(directives, directive, name)? {
        ConstValue::Number(number) => number.as_u64(),
        _ => None,
    }
}

fn argument<'a>(directives: &'a [Positioned<ConstDirective>], directive: &str, name: &str) -> Option<&'a ConstValue> {
    let found = directives.iter().find(|found| found.node.name.node == directive)?;
    Some(&found.node.get_argument(name)?.node)
}

fn nullable(ty: &Type) -> Vec<bool> {
    let mut levels = vec![ty.nullable];
    if let BaseType::List(item) = &ty.base {
        levels.extend(nullable(item));
    }
    levels
}
