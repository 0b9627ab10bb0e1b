//! Accounts in the schema.

mod api_token;
mod audit;
mod audit_details;
mod audit_money;
mod background;
mod ban;
mod bulk;
mod directory;
mod email_change;
mod identity;
mod password;
mod profile;
mod registration;
mod second_factor;
mod session;
mod session_list;
mod social;
mod team;
mod user;
mod viewer;

use futures_util::FutureExt;

pub use user::{UserObject, user_node};

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| user_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| session_list::session_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| api_token::api_token_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| identity::identity_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| team::invitation_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| audit::audit_entry_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| background::job_node(ctx, id).boxed()),
    ]
}

/// The account queries.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(user::UserQuery),
        Box::new(identity::IdentityQuery),
        Box::new(directory::DirectoryQuery),
        Box::new(audit::AuditQuery),
        Box::new(background::JobQuery),
        Box::new(session_list::SessionListQuery),
        Box::new(team::TeamQuery),
    ]
}

/// The fields of the viewer's account.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(viewer::ViewerAccount),
        Box::new(session::ViewerSessions),
        Box::new(second_factor::ViewerSecondFactor),
        Box::new(api_token::ViewerApiTokens),
    ]
}

/// The account mutations.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(user::UserMutation),
        Box::new(session::SessionMutation),
        Box::new(social::SocialMutation),
        Box::new(second_factor::SecondFactorMutation),
        Box::new(profile::ProfileMutation),
        Box::new(ban::BanMutation),
        Box::new(bulk::BulkUserMutation),
        Box::new(api_token::ApiTokenMutation),
        Box::new(registration::RegistrationMutation),
        Box::new(password::PasswordMutation),
        Box::new(email_change::EmailChangeMutation),
        Box::new(team::TeamMutation),
        Box::new(background::JobMutation),
    ]
}
