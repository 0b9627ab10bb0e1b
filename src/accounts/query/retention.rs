//! What the feature deletes when it is old.

use crate::platform::retention::Retention;

/// Sessions that were ended.
pub(crate) const ENDED_SESSIONS: Retention = Retention::new("sessions", "ended_at");

/// Sessions that were not refreshed in time.
pub(crate) const EXPIRED_SESSIONS: Retention = Retention::new("sessions", "expires_at");

/// Refresh tokens that were exchanged.
pub(crate) const REFRESH_TOKENS: Retention = Retention::new("refresh_tokens", "used_at");

/// Personal API tokens that were revoked.
pub(crate) const REVOKED_TOKENS: Retention = Retention::new("api_tokens", "revoked_at");

/// Personal API tokens that have expired.
pub(crate) const EXPIRED_TOKENS: Retention = Retention::new("api_tokens", "expires_at");

/// Sign-ins that waited for a second factor.
pub(crate) const CHALLENGES: Retention = Retention::new("sign_in_challenges", "expires_at");

/// Sign-ins that waited for an identity provider.
pub(crate) const IDENTITY_ATTEMPTS: Retention = Retention::new("identity_attempts", "expires_at");

/// Registrations that were not confirmed in time.
pub(crate) const REGISTRATIONS: Retention = Retention::new("registrations", "expires_at");

/// Email changes that were not confirmed in time.
pub(crate) const EMAIL_CHANGES: Retention = Retention::new("email_changes", "expires_at");

/// Invitations to the team that were not accepted in time.
pub(crate) const INVITATIONS: Retention = Retention::new("team_invitations", "expires_at");
