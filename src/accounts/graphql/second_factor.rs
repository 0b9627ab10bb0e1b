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
use crate::graphql::context::{Role, actor, app, client, public, requires};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Requires, Result, UserError};

/// The viewer's second factor.
#[derive(SimpleObject)]
pub(super) struct SecondFactor {
    /// Since when sign-in asks for it.
    enabled_at: DateTime<Utc>,
    /// How many recovery codes are unused.
    recovery_codes_left: i64,
}

/// The answer to `completeSignIn`.
#[derive(SimpleObject)]
pub(super) struct CompleteSignInPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `startSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct StartSecondFactorPayload {
    /// The secret, for an authenticator app that cannot read the QR code; null when there are userErrors.
    secret: Option<String>,
    /// Show it as a QR code; null when there are userErrors.
    uri: Option<String>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `confirmSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct ConfirmSecondFactorPayload {
    /// Ten codes that help when the app is lost, each once. They are not shown again. Null when there are userErrors.
    recovery_codes: Option<Vec<String>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `renewRecoveryCodes`.
#[derive(SimpleObject)]
pub(super) struct RenewRecoveryCodesPayload {
    /// Ten new codes; the old ones are worthless. They are not shown again. Null when there are userErrors.
    recovery_codes: Option<Vec<String>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `disableSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct DisableSecondFactorPayload {
    /// Whether it was disabled; null when there are userErrors.
    disabled: Option<bool>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `resetSecondFactor`.
#[derive(SimpleObject)]
pub(super) struct ResetSecondFactorPayload {
    /// Who has no second factor any more; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The queries about the second factor.
#[derive(Default)]
pub(super) struct SecondFactorQuery;

#[Object]
impl SecondFactorQuery {
    /// The viewer's second factor; null if sign-in does not ask for one.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<Option<Inline<SecondFactor>>> {
        let state = command::state(app(ctx), actor(ctx)).await?;
        Ok(state
            .map(|state| Inline(SecondFactor { enabled_at: state.enabled_at, recovery_codes_left: state.codes_left })))
    }
}

/// What can be done with the second factor.
#[derive(Default)]
pub(super) struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Answers the `challenge` of a sign-in with the second factor.
    #[graphql(directive = public::apply())]
    async fn complete_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The challenge and the code.")] input: CompleteSignInInput,
    ) -> Result<Option<Inline<CompleteSignInPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (signed_in, user_errors) = payload(command::complete(app(ctx), client(ctx), input).await)?;
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Inline(CompleteSignInPayload { handed, user_errors })))
    }

    /// Makes a secret for an authenticator app. Nothing changes until its first code is confirmed.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn start_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password.")] input: StartSecondFactorInput,
    ) -> Result<Option<Inline<StartSecondFactorPayload>>> {
        let (pending, user_errors) = payload(command::start(app(ctx), actor(ctx), client(ctx), input).await)?;
        let (secret, uri) = pending.map(|pending| (pending.secret, pending.uri)).unzip();
        Ok(Some(Inline(StartSecondFactorPayload { secret, uri, user_errors })))
    }

    /// Confirms the first code; sign-in asks for one from now on. Access tokens have to be refreshed.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn confirm_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: ConfirmSecondFactorInput,
    ) -> Result<Option<Inline<ConfirmSecondFactorPayload>>> {
        let outcome = command::confirm(app(ctx), actor(ctx), client(ctx), input).await;
        let (recovery_codes, user_errors) = payload(outcome)?;
        Ok(Some(Inline(ConfirmSecondFactorPayload { recovery_codes, user_errors })))
    }

    /// Replaces the recovery codes.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code.")] input: RenewRecoveryCodesInput,
    ) -> Result<Option<Inline<RenewRecoveryCodesPayload>>> {
        let outcome = command::renew_codes(app(ctx), actor(ctx), client(ctx), input).await;
        let (recovery_codes, user_errors) = payload(outcome)?;
        Ok(Some(Inline(RenewRecoveryCodesPayload { recovery_codes, user_errors })))
    }

    /// Gives the second factor up. Access tokens have to be refreshed.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn disable_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code.")] input: DisableSecondFactorInput,
    ) -> Result<Option<Inline<DisableSecondFactorPayload>>> {
        let outcome = command::disable(app(ctx), actor(ctx), client(ctx), input).await;
        let (disabled, user_errors) = payload(outcome)?;
        Ok(Some(Inline(DisableSecondFactorPayload { disabled, user_errors })))
    }

    /// Takes the second factor of somebody away who has lost it and the recovery codes. Its user is told by mail.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn reset_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: ResetSecondFactorInput,
    ) -> Result<Option<Inline<ResetSecondFactorPayload>>> {
        let (user, user_errors) = payload(command::reset(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(ResetSecondFactorPayload { user: user.map(object), user_errors })))
    }
}
