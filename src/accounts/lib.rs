//! User accounts: registration, sign-in, sessions, API tokens, profiles, roles, deletion.
//!
//! An email address belongs to at most one user. Registration requires a proof of ownership, and no response reveals to
//! a stranger whether an address is registered. Passwords are stored only as Argon2 hashes. Authenticating an access
//! token needs no database read, nor does a personal API token that was used within the last half minute; an ended
//! session or revoked token is nevertheless rejected on every node within a second. An account can be recovered for
//! some days after its deletion was requested; then only an anonymized row remains, because other rows refer to it.

use crate as accounts;
use lyceum_config as config;
use lyceum_graphql as graphql;
use lyceum_platform as platform;

pub mod command;
pub mod error;
mod event;
pub mod job;
pub mod loader;
pub mod model;
pub mod policy;
mod port;
mod query;

pub use command::{
    actor_now, actor_of, admit, authenticate, change_role, check_email, create_admin, import, import_bio, is_api_token,
    is_current, live_sessions, my_data, open, sign_in, users_after, viewer, watch_revocations,
};
pub use event::{
    ApiTokenCreated, IdentityChanged, PasswordChanged, SecondFactorChanged, SessionReplayed, UserDeleted,
    UserRegistered, UserRoleChanged,
};
pub use job::{handlers, mails};
pub use loader::{SessionById, TeamNamed, UserById};
pub use model::{
    Admission, Challenge, ChangeUserRoleInput, Device, FactorChange, ImportedUser, IssuedTokens, RegisterInput,
    SessionId, SignInInput, SignedIn, TokenTransport, User, UserId,
};
pub use policy::{can_see_private, can_step_in_for};
pub use port::{lock_user, open_sessions, set_avatar, user_by_email, user_by_id};
pub use query::directory::ids_found as ids_of_users_found;
pub use query::user::{any as any_users, count as count_users, is_registered};
