//! Accounts in the schema.

mod api_token;
mod audit;
mod avatar;
mod ban;
mod directory;
mod email_change;
mod identity;
mod password;
mod profile;
mod registration;
mod second_factor;
mod session;
mod social;
mod team;
mod user;

use async_graphql::MergedObject;

pub use avatar::UploadHeader;
pub use user::UserObject;

/// The account queries.
#[derive(Default, MergedObject)]
pub struct AccountsQuery(
    user::UserQuery,
    session::SessionQuery,
    identity::IdentityQuery,
    second_factor::SecondFactorQuery,
    directory::DirectoryQuery,
    audit::AuditQuery,
    api_token::ApiTokenQuery,
    team::TeamQuery,
);

/// The account mutations.
#[derive(Default, MergedObject)]
pub struct AccountsMutation(
    user::UserMutation,
    session::SessionMutation,
    social::SocialMutation,
    second_factor::SecondFactorMutation,
    profile::ProfileMutation,
    avatar::AvatarMutation,
    ban::BanMutation,
    api_token::ApiTokenMutation,
    registration::RegistrationMutation,
    password::PasswordMutation,
    email_change::EmailChangeMutation,
    team::TeamMutation,
);
