//! Users, sessions and what waits for a confirmation as rows, and what commands are given.

mod email_change;
mod identity;
mod password;
mod registration;
mod second_factor;
mod session;
mod user;

pub(super) use email_change::{ChangeEmailInput, ConfirmEmailChangeInput, EmailChange, EmailChangeId};
pub(super) use identity::{
    Attempt, CompleteSocialSignInInput, Identity, IdentityId, LinkIdentityInput, StartSocialSignInInput,
    StartedSocialSignIn, UnlinkIdentityInput,
};
pub(super) use password::{ChangePasswordInput, RequestPasswordResetInput, ResetPasswordInput};
pub use registration::RegisterInput;
pub(super) use registration::{
    ActivateRegistrationInput, CODE_LIFETIME, Registration, RegistrationId, ResendActivationInput, TRIES,
};
pub use second_factor::{Admission, Challenge};
pub(super) use second_factor::{
    CompleteSignInInput, ConfirmSecondFactorInput, DisableSecondFactorInput, FactorChange, FactorState, PendingFactor,
    RECOVERY_CODES, RenewRecoveryCodesInput, ResetSecondFactorInput, SecondFactor, StartSecondFactorInput,
    StoredChallenge, recovery_code, recovery_hash,
};
pub(super) use session::{
    Device, Exchange, RefreshSessionInput, RefreshToken, RevokeSessionInput, Session, SessionEnd, SessionId,
    SessionSelection, SignOutInput,
};
pub use session::{IssuedTokens, SignInInput, SignedIn, TokenTransport};
pub(super) use user::Credentials;
pub use user::{ChangeUserRoleInput, ImportedUser, User, UserId};
