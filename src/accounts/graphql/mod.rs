//! Accounts in the schema.

mod email_change;
mod identity;
mod password;
mod registration;
mod second_factor;
mod session;
mod user;

use async_graphql::MergedObject;

pub use user::UserObject;

/// The account queries.
#[derive(Default, MergedObject)]
pub struct AccountsQuery(
    user::UserQuery,
    session::SessionQuery,
    identity::IdentityQuery,
    second_factor::SecondFactorQuery,
);

/// The account mutations.
#[derive(Default, MergedObject)]
pub struct AccountsMutation(
    user::UserMutation,
    session::SessionMutation,
    identity::IdentityMutation,
    second_factor::SecondFactorMutation,
    registration::RegistrationMutation,
    password::PasswordMutation,
    email_change::EmailChangeMutation,
);
