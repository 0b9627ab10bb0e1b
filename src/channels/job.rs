//! Background jobs of channels: cleanup after an account is deleted.

use std::time::Duration;

use futures_util::FutureExt;

use super::command;
use crate::accounts::UserDeleted;
use crate::graphql::Error;
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

/// The jobs of this feature.
pub fn handlers() -> Vec<Handler> {
    vec![Handler::reaction("channels.forget_user", UserDeleted::KIND, Duration::from_secs(60), |app, payload| {
        async move { forget_user(&app, serde_json::from_value(payload)?).await }.boxed()
    })]
}

async fn forget_user(app: &App, event: UserDeleted) -> Result<(), InternalError> {
    command::forget(app, event.user_id).await.map_err(|error| match error {
        Error::Internal(error) => error,
        other => InternalError::new(format!("channels.forget_user: {other:?}")),
    })
}
