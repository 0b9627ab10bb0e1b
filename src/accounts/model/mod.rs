//! Users and sessions as rows, and what commands are given.

mod session;
mod user;

pub(super) use session::{
    Device, Exchange, RefreshSessionInput, RefreshToken, RevokeSessionInput, Session, SessionEnd, SessionId,
    SessionSelection, SignOutInput,
};
pub use session::{IssuedTokens, SignInInput, SignedIn, TokenTransport};
pub(super) use user::Credentials;
pub use user::{ChangeUserRoleInput, ImportedUser, RegisterInput, User, UserId};
