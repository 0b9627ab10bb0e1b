//! Stored users, sessions and API tokens, and the inputs of commands.

mod api_token;
mod audit;
mod background;
mod ban;
mod bulk;
mod deletion;
mod directory;
mod email_change;
mod identity;
mod password;
mod profile;
mod registration;
mod second_factor;
mod session;
mod session_list;
mod team;
mod user;

pub(super) use api_token::{ApiToken, ApiTokenId, CreateApiTokenInput, CreatedApiToken, RevokeApiTokenInput};
pub(super) use audit::{AuditEntry, AuditFilter};
pub(super) use background::{JobId, ListedJob};
pub(super) use ban::{Ban, BanUserInput, UnbanUserInput};
pub(super) use bulk::{BulkBanUsersInput, BulkChangeUserRoleInput, BulkUnbanUsersInput};
pub(super) use deletion::{CancelAccountDeletionInput, DELETED_NAME, DeleteAccountInput, deleted_email};
pub(super) use directory::{UserFilter, UserListPage, UserPlace, UserSort};
pub(super) use email_change::{ChangeEmailInput, ConfirmEmailChangeInput, EmailChange, EmailChangeId};
pub(super) use identity::{
    Attempt, CompleteSocialSignInInput, Identity, IdentityId, LinkIdentityInput, StartSocialSignInInput,
    StartedSocialSignIn, UnlinkIdentityInput,
};
pub(super) use password::{ChangePasswordInput, RequestPasswordResetInput, ResetPasswordInput};
pub(super) use profile::{LONGEST_BIO, ProfileChanges, UpdateProfileInput};
pub use registration::RegisterInput;
pub(super) use registration::{
    ActivateRegistrationInput, CODE_LIFETIME, Registration, RegistrationId, RegistrationLinkInput, RegistrationProof,
    ResendActivationInput, TRIES,
};
pub use second_factor::{Admission, Challenge, FactorChange};
pub(super) use second_factor::{
    CompleteSignInInput, ConfirmSecondFactorInput, DisableSecondFactorInput, FactorState, PendingFactor,
    RECOVERY_CODES, RenewRecoveryCodesInput, ResetSecondFactorInput, SecondFactor, StartSecondFactorInput,
    StoredChallenge, recovery_code, recovery_hash,
};
pub(crate) use session::Device;
pub use session::SessionId;
pub(super) use session::{
    Exchange, ReauthenticateInput, RefreshSessionInput, RefreshToken, RevokeSessionInput, Session, SessionEnd,
    SessionSelection, SignOutInput,
};
pub use session::{IssuedTokens, SignInInput, SignedIn, TokenTransport};
pub(super) use session_list::{Network, SessionFilter};
pub(super) use team::{
    AcceptTeamInvitationInput, AddTeamMemberInput, INVITATION_LIFETIME, InvitationId, RevokeTeamInvitationInput,
    TeamInvitation,
};
pub(super) use user::Credentials;
pub(super) use user::user_key;
pub use user::{ChangeUserRoleInput, ImportedUser, User, UserId};
