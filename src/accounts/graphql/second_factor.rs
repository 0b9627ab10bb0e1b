//! The second factor in the schema.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::session::{Handed, check_transport, hand_over};
use super::user::{UserObject, object};
use crate::accounts::command;
use crate::accounts::model::{
    CompleteSignInInput, ConfirmSecondFactorInput, DisableSecondFactorInput, RenewRecoveryCodesInput,
    ResetSecondFactorInput, StartSecondFactorInput,
};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, public, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

/// The viewer's second factor.
#[derive(SimpleObject)]
pub(super) struct SecondFactor {
    /// When the second factor was enabled.
    enabled_at: DateTime<Utc>,
    /// How many recovery codes are unused.
    recovery_codes_left: i64,
}

/// The payload of `completeSignIn`.
#[derive(SimpleObject)]
pub(super) struct CompleteSignInPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `startSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct StartSecondFactorPayload {
    /// The secret in Base32, for manual entry into an authenticator app. Null if there are `userErrors`.
    secret: Option<String>,
    /// The `otpauth` URI to show as a QR code; null if there are `userErrors`.
    uri: Option<String>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `confirmSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct ConfirmSecondFactorPayload {
    /// Ten recovery codes, each valid once, in case the app is lost. They are not shown again. Null if there are
    /// `userErrors`.
    recovery_codes: Option<Vec<String>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `renewRecoveryCodes`.
#[derive(SimpleObject)]
pub(super) struct RenewRecoveryCodesPayload {
    /// Ten new recovery codes, which replace the old ones. They are not shown again. Null if there are `userErrors`.
    recovery_codes: Option<Vec<String>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `disableSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct DisableSecondFactorPayload {
    /// True if the second factor was disabled; null if there are `userErrors`.
    disabled: Option<bool>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `resetSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct ResetSecondFactorPayload {
    /// The user, who no longer has a second factor; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The viewer's second factor.
#[derive(Default)]
pub(super) struct ViewerSecondFactor;

#[Object]
impl ViewerSecondFactor {
    /// The second factor; null if it is not enabled.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<Option<Sequential<SecondFactor>>> {
        let state = command::state(app(ctx), actor(ctx)).await?;
        Ok(state.map(|state| {
            Sequential(SecondFactor { enabled_at: state.enabled_at, recovery_codes_left: state.codes_left })
        }))
    }
}

/// The second factor mutations.
#[derive(Default)]
pub(super) struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Completes a sign-in that returned a `challenge`, with the second factor.
    #[graphql(directive = public::apply())]
    async fn complete_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The challenge and the code.")] input: CompleteSignInInput,
    ) -> Result<Option<Sequential<CompleteSignInPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (signed_in, user_errors) = payload(command::complete(app(ctx), client(ctx), input).await)?;
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Sequential(CompleteSignInPayload { handed, user_errors })))
    }

    /// Creates a secret for an authenticator app. The second factor stays disabled until its first code is confirmed.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn start_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password.")] input: StartSecondFactorInput,
    ) -> Result<Option<Sequential<StartSecondFactorPayload>>> {
        let (pending, user_errors) = payload(command::start(app(ctx), actor(ctx), client(ctx), input).await)?;
        let (secret, uri) = pending.map(|pending| (pending.secret, pending.uri)).unzip();
        Ok(Some(Sequential(StartSecondFactorPayload { secret, uri, user_errors })))
    }

    /// Enables the second factor with its first code. The current access tokens become invalid: refresh the session.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn confirm_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code from the authenticator app.")] input: ConfirmSecondFactorInput,
    ) -> Result<Option<Sequential<ConfirmSecondFactorPayload>>> {
        let outcome = command::confirm(app(ctx), actor(ctx), client(ctx), input).await;
        let (recovery_codes, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(ConfirmSecondFactorPayload { recovery_codes, user_errors })))
    }

    /// Replaces the viewer's recovery codes.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code from the authenticator app, or a recovery code.")] input: RenewRecoveryCodesInput,
    ) -> Result<Option<Sequential<RenewRecoveryCodesPayload>>> {
        let outcome = command::renew_codes(app(ctx), actor(ctx), client(ctx), input).await;
        let (recovery_codes, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(RenewRecoveryCodesPayload { recovery_codes, user_errors })))
    }

    /// Disables the viewer's second factor. The current access tokens become invalid: refresh the session.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn disable_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code from the authenticator app, or a recovery code.")] input: DisableSecondFactorInput,
    ) -> Result<Option<Sequential<DisableSecondFactorPayload>>> {
        let outcome = command::disable(app(ctx), actor(ctx), client(ctx), input).await;
        let (disabled, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(DisableSecondFactorPayload { disabled, user_errors })))
    }

    /// Removes the second factor of a user who has lost it and the recovery codes. An email notifies the user.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn reset_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] input: ResetSecondFactorInput,
    ) -> Result<Option<Sequential<ResetSecondFactorPayload>>> {
        let (user, user_errors) = payload(command::reset(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(ResetSecondFactorPayload { user: user.map(object), user_errors })))
    }
}
