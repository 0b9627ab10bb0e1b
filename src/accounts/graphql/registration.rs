//! Registration and activation.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::session::{Handed, check_transport, hand_over};
use crate::accounts::command;
use crate::accounts::model::{
    ActivateRegistrationInput, RegisterInput, Registration, RegistrationId, ResendActivationInput,
};
use crate::graphql::context::{app, client};
use crate::graphql::error::payload;
use crate::graphql::guard::public;
use crate::graphql::{Result, Sequential, UserError};

/// A registration that waits for a proof of ownership of its email address. It looks the same if the address has an
/// account already; in that case, its owner gets an email that says so instead of a code.
#[derive(SimpleObject)]
#[graphql(name = "Registration")]
pub(super) struct RegistrationObject {
    /// The id to send together with the emailed code.
    id: RegistrationId,
    /// The email address that the code is sent to.
    email: String,
    /// When the code expires, and with it the registration.
    expires_at: DateTime<Utc>,
    /// When another code may be requested; null if the limit is reached.
    resend_at: Option<DateTime<Utc>>,
}

fn object(registration: Registration) -> Sequential<RegistrationObject> {
    let resend_at = registration.resend_at();
    let Registration { id, email, expires_at, .. } = registration;
    Sequential(RegistrationObject { id, email, expires_at, resend_at })
}

/// The payload of `register`.
#[derive(SimpleObject)]
pub(super) struct RegisterPayload {
    /// The registration; null if there are `userErrors`.
    registration: Option<Sequential<RegistrationObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `resendActivation`.
#[derive(SimpleObject)]
pub(super) struct ResendActivationPayload {
    /// The registration with its new times; null if there are `userErrors`.
    registration: Option<Sequential<RegistrationObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `activateRegistration`.
#[derive(SimpleObject)]
pub(super) struct ActivateRegistrationPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The registration mutations.
#[derive(Default)]
pub(super) struct RegistrationMutation;

#[Object]
impl RegistrationMutation {
    /// Registers an account with the role `STUDENT`. A code and a link are emailed to the address; pass either to
    /// `activateRegistration` within half an hour. The response does not reveal whether the address has an account
    /// already.
    #[graphql(directive = public::apply())]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The email address, the name and the password of the new user.")] input: RegisterInput,
    ) -> Result<Option<Sequential<RegisterPayload>>> {
        let (registration, user_errors) = payload(command::register(app(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(RegisterPayload { registration: registration.map(object), user_errors })))
    }

    /// Requests another code and link, which replace the previous ones. Allowed 1 minute after the previous code, then
    /// after 2, 4, 8 and 16 minutes.
    #[graphql(directive = public::apply())]
    async fn resend_activation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The registration.")] input: ResendActivationInput,
    ) -> Result<Option<Sequential<ResendActivationPayload>>> {
        let (registration, user_errors) = payload(command::resend_activation(app(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(ResendActivationPayload { registration: registration.map(object), user_errors })))
    }

    /// Creates the account of a registration and signs its user in. The code is for the page where the registration was
    /// made; the link works anywhere and asks for a new password. After five wrong codes, another one must be requested.
    #[graphql(directive = public::apply())]
    async fn activate_registration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The registration and its code, or the token from the link and a new password.")]
        input: ActivateRegistrationInput,
    ) -> Result<Option<Sequential<ActivateRegistrationPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (signed_in, user_errors) = payload(command::activate(app(ctx), client(ctx), input).await)?;
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Sequential(ActivateRegistrationPayload { handed, user_errors })))
    }
}
