//! The address of the viewer's calendar.

use async_graphql::{Context, Object, SimpleObject};

use crate::graphql::context::{actor, app};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};
use crate::live::command;
use crate::live::model::SetCalendarFeedInput;

/// The payload of `setCalendarFeed`.
#[derive(SimpleObject)]
struct SetCalendarFeedPayload {
    /// The URL to subscribe to in a calendar program; null if there is none. It is shown only once, and who has it sees
    /// the sessions.
    url: Option<String>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The mutations of calendars.
#[derive(Default)]
pub(super) struct CalendarMutation;

#[Object]
impl CalendarMutation {
    /// Makes a secret URL from which calendar programs read the live sessions that the viewer hosts or has a place in, or
    /// ends it. Each call makes the earlier URL invalid.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn set_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether there is a calendar.")] input: SetCalendarFeedInput,
    ) -> Result<Option<Sequential<SetCalendarFeedPayload>>> {
        let (url, user_errors) = payload(command::set_feed(app(ctx), actor(ctx), input).await)?;
        Ok(Some(Sequential(SetCalendarFeedPayload { url: url.flatten(), user_errors })))
    }
}
