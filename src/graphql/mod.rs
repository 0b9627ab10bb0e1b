//! The GraphQL kernel: the basis of all types and resolvers. Only [`schema`] depends on features.

mod byte_size;
pub mod caching;
pub mod context;
pub mod error;
pub mod executor;
pub mod export;
pub mod guard;
pub mod id;
pub mod limits;
pub mod loaders;
pub mod money;
pub mod node;
pub mod null_propagation;
pub mod page;
mod role;
mod root;
mod row_cache;
pub mod schema;
pub mod sequential;
pub mod subscription;
mod time;
pub mod type_map;
mod validation;
mod variables;
pub mod viewer_loaders;

pub use byte_size::ByteSize;
pub use context::{actor, app, loaders, viewer_loaders};
pub use error::{Error, Result, UserError, UserErrorCode};
pub use executor::Executor;
pub use guard::{Requires, Scoped};
pub use id::{Entity, Id};
pub use node::NodeType;
pub use page::{Connection, PageArgs};
pub use root::RootFields;
pub use sequential::{Sequential, SequentialList};
pub use time::Time;
