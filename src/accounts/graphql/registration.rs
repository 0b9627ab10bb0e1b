//! Registration and activation.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::session::{Handed, check_transport, hand_over};
use crate::accounts::command;
use crate::accounts::model::{
    ActivateRegistrationInput, RegisterInput, Registration, RegistrationId, ResendActivationInput,
};
use crate::graphql::context::{app, client, public};
use crate::graphql::error::payload;
use crate::graphql::{Inline, Result, UserError};

/// An account that waits for a proof that its address is its owner's. It looks the same whether or not the address has
/// an account already; then its owner gets a mail that says so instead of a code.
#[derive(SimpleObject)]
#[graphql(name = "Registration")]
pub(super) struct RegistrationObject {
    /// Goes with the code that is mailed.
    id: RegistrationId,
    /// Where the code is mailed.
    email: String,
    /// When the code, and with it the registration, ends.
    expires_at: DateTime<Utc>,
    /// From when on another code may be asked for; null when there were enough.
    resend_at: Option<DateTime<Utc>>,
}

fn object(registration: Registration) -> Inline<RegistrationObject> {
    let resend_at = registration.resend_at();
    let Registration { id, email, expires_at, .. } = registration;
    Inline(RegistrationObject { id, email, expires_at, resend_at })
}

/// The answer to `register`.
#[derive(SimpleObject)]
pub(super) struct RegisterPayload {
    /// The registration; null when there are userErrors.
    registration: Option<Inline<RegistrationObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `resendActivation`.
#[derive(SimpleObject)]
pub(super) struct ResendActivationPayload {
    /// The registration with its new times; null when there are userErrors.
    registration: Option<Inline<RegistrationObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `activateRegistration`.
#[derive(SimpleObject)]
pub(super) struct ActivateRegistrationPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// How somebody gets an account.
#[derive(Default)]
pub(super) struct RegistrationMutation;

#[Object]
impl RegistrationMutation {
    /// Asks for an account as a student. A mail with a code and a link goes to the address; `activateRegistration`
    /// takes either, within half an hour. The answer never tells whether the address has an account already.
    #[graphql(directive = public::apply())]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who registers.")] input: RegisterInput,
    ) -> Result<Option<Inline<RegisterPayload>>> {
        let (registration, user_errors) = payload(command::register(app(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(RegisterPayload { registration: registration.map(object), user_errors })))
    }

    /// Asks for another code and link, which replace the ones before: after 1 minute, then after 2, 4, 8 and 16.
    #[graphql(directive = public::apply())]
    async fn resend_activation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which registration.")] input: ResendActivationInput,
    ) -> Result<Option<Inline<ResendActivationPayload>>> {
        let (registration, user_errors) = payload(command::resend_activation(app(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(ResendActivationPayload { registration: registration.map(object), user_errors })))
    }

    /// Makes an account of a registration and signs its user in. Five codes may be tried; then another one has to be
    /// asked for.
    #[graphql(directive = public::apply())]
    async fn activate_registration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The registration with its code, or the token of its link.")] input: ActivateRegistrationInput,
    ) -> Result<Option<Inline<ActivateRegistrationPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (signed_in, user_errors) = payload(command::activate(app(ctx), client(ctx), input).await)?;
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Inline(ActivateRegistrationPayload { handed, user_errors })))
    }
}
