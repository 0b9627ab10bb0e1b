//! Accounts in the schema.

mod session;
mod user;

use async_graphql::MergedObject;

pub use user::UserObject;

/// The account queries.
#[derive(Default, MergedObject)]
pub struct AccountsQuery(user::UserQuery, session::SessionQuery);

/// The account mutations.
#[derive(Default, MergedObject)]
pub struct AccountsMutation(user::UserMutation, session::SessionMutation);
