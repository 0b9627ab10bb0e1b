//! The interface `Node`: every object with a globally unique id.
//!
//! Each feature names its node types ([`NodeType`]), and `schema.rs` collects them. So a feature can return a
//! [`Node`] of a type that it does not know.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaField, Registry};
use async_graphql::{Context, ID, Object, ObjectType, ServerResult, Value};
use futures_util::future::{BoxFuture, join_all};
use uuid::Uuid;

use super::guard::public;
use super::id::{self, Entity, Id};
use super::interface::{Any, Interface, Member, implement};
use super::root::RootFields;
use super::{Error, Result};

/// The maximum number of ids in one `nodes` query.
const MOST_IDS: usize = 100;

/// An object of any type that implements the interface.
pub type Node = Any<NodeInterface>;

/// The definition of the interface.
pub struct NodeInterface;

impl Interface for NodeInterface {
    const NAME: &'static str = "Node";
    const DESCRIPTION: &'static str = "An object with a globally unique id.";
    type Fields = InterfaceFields;
}

/// The fields of the interface.
pub struct InterfaceFields;

#[Object]
impl InterfaceFields {
    /// The globally unique id of the object.
    async fn id(&self) -> ID {
        ID::default()
    }
}

/// A type that implements the interface, and how to find its objects.
#[derive(Clone)]
pub struct NodeType {
    prefix: &'static str,
    member: Member,
    find: Find,
}

type Find = Arc<dyn for<'a> Fn(&'a Context<'a>, Uuid) -> BoxFuture<'a, Result<Option<Node>>> + Send + Sync>;

impl NodeType {
    /// Creates the node type of the object type `T` with ids of the entity `E`.
    ///
    /// `find` returns `None` if the object does not exist or is not visible to the viewer.
    pub fn new<E: Entity, T: ObjectType + 'static>(
        find: impl for<'a> Fn(&'a Context<'a>, Id<E>) -> BoxFuture<'a, Result<Option<T>>> + Send + Sync + 'static,
    ) -> NodeType {
        let find = Arc::new(find);
        NodeType {
            prefix: E::PREFIX,
            member: Member::new::<T>(),
            find: Arc::new(move |ctx, uuid| {
                let find = find.clone();
                Box::pin(async move { Ok(find(ctx, Id::new(uuid)).await?.map(Node::new)) })
            }),
        }
    }
}

/// Returns the object with this id; `None` if it does not exist or is not visible to the viewer.
///
/// # Errors
/// The text is not the id of a node type; the database failed.
pub async fn find(ctx: &Context<'_>, text: &str) -> Result<Option<Node>> {
    let types = ctx.data_unchecked::<Vec<NodeType>>();
    let known = id::split(text).and_then(|(prefix, uuid)| {
        let found = types.iter().find(|node_type| node_type.prefix == prefix)?;
        Some((found, uuid))
    });
    let Some((node_type, uuid)) = known else {
        let prefixes: Vec<&str> = types.iter().map(|node_type| node_type.prefix).collect();
        let known = prefixes.join(", ");
        let message = format!("{text:?} is not an id; expected one that begins with {known} and an underscore.");
        return Err(Error::BadInput(message));
    };
    (node_type.find)(ctx, uuid).await
}

/// The node queries. They register the types that implement the interface.
pub struct NodeFields(pub Vec<NodeType>);

impl RootFields for NodeFields {
    fn describe(&self, registry: &mut Registry) -> IndexMap<String, MetaField> {
        implement::<NodeInterface>(registry, self.0.iter().map(|node_type| node_type.member));
        NodeQuery.describe(registry)
    }

    fn resolve<'a>(&'a self, ctx: &'a Context<'a>) -> BoxFuture<'a, ServerResult<Option<Value>>> {
        RootFields::resolve(&NodeQuery, ctx)
    }

    fn feature(&self) -> &'static str {
        "lyceum::graphql"
    }
}

struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id; null if it does not exist or is not visible to the viewer.
    #[graphql(directive = public::apply())]
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of any object that implements `Node`.")] id: ID,
    ) -> Result<Option<Node>> {
        find(ctx, &id).await
    }

    /// The objects with these ids, in the same order; an item is null if `node` would be.
    #[graphql(directive = public::apply())]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids of the objects, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST_IDS {
            return Err(Error::BadInput(format!("ids has {} ids; at most {MOST_IDS} are allowed.", ids.len())));
        }
        join_all(ids.iter().map(|id| find(ctx, id))).await.into_iter().collect()
    }
}
