//! Who uses the platform: users, their roles, registration and sign-in.
//!
//! An e-mail address belongs to one user at most. A password is never stored, only its Argon2id hash, and a request
//! that carries an access token costs no database read to know who sends it.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{change_role, create_admin, import, register, sign_in};
pub use event::UserRegistered;
pub use graphql::{AccountsMutation, AccountsQuery, UserObject};
pub use job::handlers;
pub use loader::UserById;
pub use model::{ImportedUser, RegisterInput, SignInInput, SignedIn, User, UserId};
pub use query::{any as any_users, is_registered};
