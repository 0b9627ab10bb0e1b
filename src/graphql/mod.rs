//! The GraphQL kernel: what every feature's types and resolvers stand on. It knows no feature; only [`schema`] does.

mod byte_size;
pub mod caching;
pub mod context;
pub mod error;
pub mod execute;
pub mod export;
pub mod id;
pub mod inline;
mod kept;
pub mod limits;
pub mod loaders;
pub mod money;
pub mod page;
mod root;
pub mod schema;
pub mod settle;
pub mod shape;
mod variables;

pub use byte_size::ByteSize;
pub use context::{Requires, Scoped, actor, app, loaders};
pub use error::{Error, Result, UserError, UserErrorCode};
pub use execute::Graph;
pub use id::{Entity, Id};
pub use inline::{Inline, InlineList};
pub use page::{Connection, PageArgs};
pub use root::RootFields;
