//! Captions in the schema.

use async_graphql::{Context, Object, SimpleObject};

use super::video::{VideoObject, object};
use crate::graphql::context::{app, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential, UserError};
use crate::media::command;
use crate::media::model::{RemoveVideoCaptionsInput, SetVideoCaptionsInput};

/// The payload of `setVideoCaptions`.
#[derive(SimpleObject)]
pub(super) struct SetVideoCaptionsPayload {
    /// The video with the captions; null if there are `userErrors`.
    video: Option<Sequential<VideoObject>>,
    /// Errors in the input, with the line number for an error in `text`; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `removeVideoCaptions`.
#[derive(SimpleObject)]
pub(super) struct RemoveVideoCaptionsPayload {
    /// The video without the captions; null if there are `userErrors`.
    video: Option<Sequential<VideoObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The caption mutations.
#[derive(Default)]
pub(super) struct CaptionMutation;

#[Object]
impl CaptionMutation {
    /// Sets the captions of a video in a language, replacing existing ones in that language.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn set_video_captions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The captions.")] input: SetVideoCaptionsInput,
    ) -> Result<Option<Sequential<SetVideoCaptionsPayload>>> {
        let outcome = command::set_captions(app(ctx), within(ctx, Scope::WriteCourses), input).await;
        let (video, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(SetVideoCaptionsPayload { video: video.map(object), user_errors })))
    }

    /// Removes a video's captions in a language.
    #[graphql(
        guard = "Scoped(Role::Instructor, Scope::WriteCourses)",
        directive = scoped::apply(Role::Instructor, Scope::WriteCourses)
    )]
    async fn remove_video_captions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The video and the language of the captions.")] input: RemoveVideoCaptionsInput,
    ) -> Result<Option<Sequential<RemoveVideoCaptionsPayload>>> {
        let outcome = command::remove_captions(app(ctx), within(ctx, Scope::WriteCourses), input).await;
        let (video, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(RemoveVideoCaptionsPayload { video: video.map(object), user_errors })))
    }
}
