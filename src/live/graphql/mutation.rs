//! The mutations of live sessions.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::session::LiveSessionObject;
use crate::graphql::context::{actor, loaders};
use crate::graphql::error::{edit_payload, payload};
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::live::command;
use crate::live::model::{
    CancelLiveSessionInput, CreateLiveSessionInput, DeleteLiveSessionInput, LiveSession, LiveSessionId,
    UpdateLiveSessionInput,
};

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Create;
struct Update;
struct Cancel;

/// The payload of a mutation of live sessions.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateLiveSessionPayload", params(Create)))]
#[graphql(concrete(name = "UpdateLiveSessionPayload", params(Update)))]
#[graphql(concrete(name = "CancelLiveSessionPayload", params(Cancel)))]
struct LiveSessionsPayload<M: Send + Sync> {
    /// The sessions, earliest first, at most 200; null if there are `userErrors` other than a conflict, on which the
    /// session is returned as it is now.
    live_sessions: Option<Vec<Sequential<LiveSessionObject>>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of `deleteLiveSession`.
#[derive(SimpleObject)]
struct DeleteLiveSessionPayload {
    /// The id of the deleted session; null if there are `userErrors`.
    deleted_live_session_id: Option<LiveSessionId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of live sessions.
#[derive(Default)]
pub(super) struct LiveSessionMutation;

#[Object]
impl LiveSessionMutation {
    /// Creates a live session, or all sessions of a recurrence. Instructors create sessions of their own about their
    /// courses, administrators any.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn create_live_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] input: CreateLiveSessionInput,
    ) -> Result<Option<Sequential<LiveSessionsPayload<Create>>>> {
        answer(payload(command::create_sessions(loaders(ctx), actor(ctx), input).await)?)
    }

    /// Changes a live session that has not started, and if wanted the following ones or all of its series. Participants
    /// are told of a new time.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn update_live_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session and its changes.")] input: UpdateLiveSessionInput,
    ) -> Result<Option<Sequential<LiveSessionsPayload<Update>>>> {
        answer(edit_payload(command::update_session(loaders(ctx), actor(ctx), input).await)?)
    }

    /// Cancels a live session that is not over, and if wanted the following ones or all of its series. Participants are
    /// told, and get their hours back.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn cancel_live_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to cancel.")] input: CancelLiveSessionInput,
    ) -> Result<Option<Sequential<LiveSessionsPayload<Cancel>>>> {
        answer(payload(command::cancel_session(loaders(ctx), actor(ctx), input).await)?)
    }

    /// Deletes a live session in which no user has ever had a place.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn delete_live_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to delete.")] input: DeleteLiveSessionInput,
    ) -> Result<Option<Sequential<DeleteLiveSessionPayload>>> {
        let outcome = command::delete_session(loaders(ctx), actor(ctx), input).await;
        let (deleted_live_session_id, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(DeleteLiveSessionPayload { deleted_live_session_id, user_errors })))
    }
}

type Answer = (Option<Vec<LiveSession>>, Vec<Sequential<UserError>>);

fn answer<M: Send + Sync>((rows, user_errors): Answer) -> Result<Option<Sequential<LiveSessionsPayload<M>>>> {
    let object = |row| Sequential(LiveSessionObject(Arc::new(row)));
    let live_sessions = rows.map(|rows| rows.into_iter().map(object).collect());
    Ok(Some(Sequential(LiveSessionsPayload { live_sessions, user_errors, mutation: PhantomData })))
}
