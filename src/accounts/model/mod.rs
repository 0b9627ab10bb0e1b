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

pub(crate) use api_token::CreatedApiToken;
pub use api_token::{ApiToken, ApiTokenId, CreateApiTokenInput, RevokeApiTokenInput};
pub use audit::{AuditEntry, AuditFilter};
pub use background::{JobId, ListedJob};
pub use ban::{Ban, BanUserInput, UnbanUserInput};
pub use bulk::{BulkBanUsersInput, BulkChangeUserRoleInput, BulkUnbanUsersInput};
pub use deletion::{CancelAccountDeletionInput, DeleteAccountInput};
pub(crate) use deletion::{DELETED_NAME, deleted_email};
pub(crate) use directory::UserListPage;
pub use directory::{UserFilter, UserPlace, UserSort};
pub use email_change::{ChangeEmailInput, ConfirmEmailChangeInput, EmailChange, EmailChangeId};
pub(crate) use identity::{Attempt, StartedSocialSignIn};
pub use identity::{
    CompleteSocialSignInInput, Identity, IdentityId, LinkIdentityInput, StartSocialSignInInput, UnlinkIdentityInput,
};
pub use password::{ChangePasswordInput, RequestPasswordResetInput, ResetPasswordInput};
pub use profile::UpdateProfileInput;
pub(crate) use profile::{LONGEST_BIO, ProfileChanges};
pub use registration::RegisterInput;
pub use registration::{ActivateRegistrationInput, Registration, RegistrationId, ResendActivationInput};
pub(crate) use registration::{CODE_LIFETIME, RegistrationLinkInput, RegistrationProof, TRIES};
pub use second_factor::{Admission, Challenge, FactorChange};
pub use second_factor::{
    CompleteSignInInput, ConfirmSecondFactorInput, DisableSecondFactorInput, RenewRecoveryCodesInput,
    ResetSecondFactorInput, SecondFactor, StartSecondFactorInput,
};
pub(crate) use second_factor::{
    FactorState, PendingFactor, RECOVERY_CODES, StoredChallenge, recovery_code, recovery_hash,
};
pub use session::Device;
pub use session::SessionId;
pub(crate) use session::{Exchange, RefreshToken};
pub use session::{IssuedTokens, SignInInput, SignedIn, TokenTransport};
pub use session::{
    ReauthenticateInput, RefreshSessionInput, RevokeSessionInput, Session, SessionEnd, SessionSelection, SignOutInput,
};
pub(crate) use session_list::Network;
pub use session_list::SessionFilter;
pub(crate) use team::INVITATION_LIFETIME;
pub use team::{
    AcceptTeamInvitationInput, AddTeamMemberInput, InvitationId, RevokeTeamInvitationInput, TeamInvitation,
};
pub(crate) use user::Credentials;
pub(crate) use user::user_key;
pub use user::{ChangeUserRoleInput, ImportedUser, User, UserId};
