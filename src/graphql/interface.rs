//! Interfaces whose types belong to several features.
//!
//! The derive of async-graphql makes an enum of all types of an interface, which only the last feature could name. Here
//! each feature names its own types, and `schema.rs` collects them. So a feature can return an object of a type
//! that it does not know.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::indexmap::{IndexMap, IndexSet};
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaField, MetaType, MetaTypeId, Registry};
use async_graphql::{ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value};
use futures_util::future::BoxFuture;

/// The definition of an interface.
pub trait Interface: Send + Sync + 'static {
    /// The name in the schema.
    const NAME: &'static str;
    /// The description in the schema.
    const DESCRIPTION: &'static str;
    /// An object type with the fields of the interface, of which only the metadata is used.
    type Fields: ObjectType;
}

/// An object of any type that implements the interface `I`.
pub struct Any<I>(Box<dyn AnyObject>, PhantomData<I>);

impl<I> Any<I> {
    /// Wraps an object, whose type must be registered by [`implement`].
    pub fn new(object: impl ObjectType + 'static) -> Any<I> {
        Any(Box::new(object), PhantomData)
    }
}

/// An object type without its static type.
trait AnyObject: Send + Sync {
    fn resolve<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        field: &'a Positioned<Field>,
    ) -> BoxFuture<'a, ServerResult<Value>>;
}

impl<T: ObjectType> AnyObject for T {
    fn resolve<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        field: &'a Positioned<Field>,
    ) -> BoxFuture<'a, ServerResult<Value>> {
        Box::pin(OutputType::resolve(self, ctx, field))
    }
}

impl<I: Interface> OutputType for Any<I> {
    fn type_name() -> Cow<'static, str> {
        I::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Interface, |registry| MetaType::Interface {
            name: I::NAME.to_owned(),
            description: Some(I::DESCRIPTION.to_owned()),
            fields: fields_of::<I::Fields>(registry),
            possible_types: IndexSet::new(),
            extends: false,
            keys: None,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(std::any::type_name::<Self>()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        self.0.resolve(ctx, field).await
    }
}

/// An object type that implements an interface.
#[derive(Clone, Copy)]
pub struct Member {
    type_name: fn() -> Cow<'static, str>,
    create_type_info: fn(&mut Registry) -> String,
}

impl Member {
    /// The object type `T`.
    pub fn new<T: ObjectType>() -> Member {
        Member { type_name: T::type_name, create_type_info: T::create_type_info }
    }
}

/// Registers the types that implement the interface `I`.
pub fn implement<I: Interface>(registry: &mut Registry, members: impl Iterator<Item = Member>) {
    <Any<I> as OutputType>::create_type_info(registry);
    for member in members {
        (member.create_type_info)(registry);
        let name = (member.type_name)();
        registry.add_implements(&name, I::NAME);
        if let Some(MetaType::Interface { possible_types, .. }) = registry.types.get_mut(I::NAME) {
            possible_types.insert(name.into_owned());
        }
    }
}

/// Returns the schema metadata of the fields of an object type that is not itself in the schema.
pub(crate) fn fields_of<T: ObjectType>(registry: &mut Registry) -> IndexMap<String, MetaField> {
    match registry.create_fake_output_type::<T>() {
        MetaType::Object { fields, .. } => fields,
        _ => IndexMap::new(),
    }
}
