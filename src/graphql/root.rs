//! The root types of the schema and `Viewer`, merged from the fields of the features.
//!
//! async-graphql's `MergedObject` nests them: each member's future is part of the next one's, so the compiler
//! instantiates all of them again at each level (`docs/measurements.md`). [`Root`] instead looks up a field by name and
//! resolves it as a boxed future.

use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaField, MetaType, MetaTypeId, Registry};
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    CacheControl, ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};
use futures_util::future::BoxFuture;

use super::interface::fields_of;
use super::{command_log, user_errors};

/// A group of root fields: those of an object type that is not itself in the schema.
pub trait RootFields: Send + Sync {
    /// Returns the schema metadata of the fields, by name.
    fn describe(&self, registry: &mut Registry) -> IndexMap<String, MetaField>;

    /// Resolves the field of `ctx`.
    fn resolve<'a>(&'a self, ctx: &'a Context<'a>) -> BoxFuture<'a, ServerResult<Option<Value>>>;

    /// Returns the path of the module of the feature, such as `lyceum::media`.
    fn feature(&self) -> &'static str;
}

impl<T: ObjectType> RootFields for T {
    fn describe(&self, registry: &mut Registry) -> IndexMap<String, MetaField> {
        fields_of::<T>(registry)
    }

    fn resolve<'a>(&'a self, ctx: &'a Context<'a>) -> BoxFuture<'a, ServerResult<Option<Value>>> {
        Box::pin(self.resolve_field(ctx))
    }

    fn feature(&self) -> &'static str {
        let path = std::any::type_name::<T>();
        path.match_indices("::").nth(1).and_then(|(end, _)| path.get(..end)).unwrap_or(path)
    }
}

/// The definition of a root type.
pub trait RootKind: Send + Sync + 'static {
    /// The name of the type in the schema.
    const NAME: &'static str;
    /// The description of the type in the schema.
    const DESCRIPTION: &'static str;
    /// Whether the fields are mutations: each is logged when it is resolved, its payload is named after it, and its
    /// description lists its user errors.
    const MUTATIONS: bool;

    /// Returns the field groups in schema order.
    fn fields() -> Vec<Box<dyn RootFields>>;
}

/// The root type `K`.
pub struct Root<K> {
    by_name: HashMap<String, Arc<dyn RootFields>>,
    kind: PhantomData<K>,
}

impl<K: RootKind> Default for Root<K> {
    fn default() -> Root<K> {
        let mut by_name = HashMap::new();
        let mut registry = Registry::default();
        for fields in K::fields() {
            let fields: Arc<dyn RootFields> = fields.into();
            by_name.extend(fields.describe(&mut registry).into_keys().map(|name| (name, fields.clone())));
        }
        Root { by_name, kind: PhantomData }
    }
}

impl<K: RootKind> ContainerType for Root<K> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match self.by_name.get(ctx.item.node.name.node.as_str()) {
            Some(fields) => {
                let outcome = fields.resolve(ctx).await;
                if K::MUTATIONS {
                    command_log::resolved(fields.feature(), ctx, &outcome);
                    if cfg!(debug_assertions) {
                        user_errors::check(&ctx.item.node.name.node, &outcome);
                    }
                }
                outcome
            }
            None => Ok(None),
        }
    }
}

impl<K: RootKind> OutputType for Root<K> {
    fn type_name() -> Cow<'static, str> {
        K::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| MetaType::Object {
            name: K::NAME.to_owned(),
            description: Some(K::DESCRIPTION.to_owned()),
            fields: described::<K>(registry),
            cache_control: CacheControl::default(),
            extends: false,
            shareable: false,
            resolvable: true,
            keys: None,
            visible: None,
            inaccessible: false,
            interface_object: false,
            tags: Vec::new(),
            is_subscription: false,
            rust_typename: Some(std::any::type_name::<Self>()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

/// Returns the fields of `K`. The payloads of mutations are described here, because those of one kind are instances of
/// one generic type and have one description; and so are the user errors of mutations.
fn described<K: RootKind>(registry: &mut Registry) -> IndexMap<String, MetaField> {
    let mut fields: IndexMap<String, MetaField> =
        K::fields().iter().flat_map(|fields| fields.describe(registry)).collect();
    if K::MUTATIONS {
        for (name, field) in &mut fields {
            registry.set_description(field.ty.clone(), format!("The payload of `{name}`."));
            let own = field.description.take().unwrap_or_default();
            field.description = Some(format!("{own}\n\n{}", user_errors::sentence(name)));
        }
    }
    fields
}

impl<K: RootKind> ObjectType for Root<K> {}
