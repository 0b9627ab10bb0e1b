//! Who uses the platform: users, their roles and profiles, registration, sign-in, sessions, personal API
//! tokens, and leaving.
//!
//! An e-mail address belongs to one user at most, who has shown that mails to it reach them; no answer tells a stranger
//! whether it has an account. A password is never stored, only its Argon2id hash, and a request that carries an access
//! token costs no database read to know who sends it, nor does one with a personal API token that was used a moment
//! ago; what ends a session or a token counts on every node within a second all the same. Whoever leaves can come back
//! for some days; then nothing of the person is left but an anonymous row, for what others need it for.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{
    actor_now, admit, authenticate, change_role, create_admin, import, is_api_token, is_current, my_data, open,
    sign_in, viewer, watch_revocations,
};
pub use event::{UserDeleted, UserRegistered};
pub use graphql::{UploadHeader, UserObject, mutations, queries};
pub use job::{handlers, mails};
pub use loader::UserById;
pub use model::{
    Admission, Challenge, ChangeUserRoleInput, ImportedUser, IssuedTokens, RegisterInput, SignInInput, SignedIn,
    TokenTransport, User, UserId,
};
pub use query::session::open_sessions;
pub use query::user::{any as any_users, by_id as user_by_id, is_registered};
