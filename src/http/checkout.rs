//! `/dev/checkout/<id>`: the checkout page of the sandbox, in development only.

use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use uuid::Uuid;

use super::HttpState;
use super::pages::form;
use crate::graphql::money::{CurrencyCode, Money};
use crate::platform::internal_error::InternalError;
use crate::platform::payments::sandbox::{self, Action, SandboxCheckout};

pub(super) async fn show(State(state): State<HttpState>, Path(id): Path<Uuid>) -> Response {
    let shown = |row: SandboxCheckout| {
        let currency = CurrencyCode::parse(&row.currency).unwrap_or(CurrencyCode::USD);
        let [amount, refunded] = [row.amount_minor, row.refunded_minor].map(|minor| Money::new(minor, currency));
        context! { checkout => row, amount => amount.to_string(), refunded => refunded.to_string() }
    };
    form("checkout.html", checkout(&state, id).await.map(|row| row.map(shown)))
}

pub(super) async fn act(State(state): State<HttpState>, Path(id): Path<Uuid>, RawForm(body): RawForm) -> Response {
    let mut fields = url::form_urlencoded::parse(&body);
    let action = fields.find(|(name, _)| name == "action").and_then(|(_, action)| action.parse::<Action>().ok());
    let Some(action) = action.filter(|_| state.app.payments.sandbox().is_some()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match sandbox::act(&state.app, id, action).await {
        Ok(true) => Redirect::to(&format!("/dev/checkout/{id}")).into_response(),
        Ok(false) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = error.report(), "the sandbox failed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn checkout(state: &HttpState, id: Uuid) -> Result<Option<SandboxCheckout>, InternalError> {
    match state.app.payments.sandbox() {
        Some(_) => sandbox::checkout(&state.app, id).await,
        None => Ok(None),
    }
}
