//! Whether the viewer can attend, in the schema.

use async_graphql::{Context, Object};

use super::usage::SubscriptionUsageObject;
use crate::accounts::viewer;
use crate::graphql::context::{loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::{Result, Scoped, Sequential};
use crate::live::loader::LiveSessionById;
use crate::live::model::{Eligibility, EligibilityReason, LiveSessionId};
use crate::live::{command, error};

/// Whether a user can attend a session, in the schema.
#[derive(Clone)]
pub(super) struct EligibilityObject(pub(super) Eligibility);

/// Whether the viewer can attend a live session, and why not.
#[Object(name = "Eligibility")]
impl EligibilityObject {
    /// Whether they can attend.
    async fn can_attend(&self) -> bool {
        self.0.can_attend()
    }

    /// The reason, for use in code.
    async fn reason(&self) -> EligibilityReason {
        self.0.reason
    }

    /// The reason in words, to show to the viewer.
    async fn message(&self) -> String {
        self.0.message()
    }

    /// The viewer's hours in the month of the session; null for its host.
    async fn usage(&self) -> Option<Sequential<SubscriptionUsageObject>> {
        self.0.pool.clone().map(|pool| Sequential(SubscriptionUsageObject(pool)))
    }
}

/// The query of eligibility.
#[derive(Default)]
pub(super) struct EligibilityQuery;

#[Object]
impl EligibilityQuery {
    /// Whether the viewer can attend a live session, and why not. Of many sessions, select `viewerEligibility` instead.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadLearning)",
        directive = scoped::apply(Role::Student, Scope::ReadLearning)
    )]
    async fn check_attendance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] live_session_id: LiveSessionId,
    ) -> Result<Option<Sequential<EligibilityObject>>> {
        let (actor, loaders) = (within(ctx, Scope::ReadLearning), loaders(ctx));
        let no_such = || error::no_such_session(live_session_id);
        let session = loaders.load(LiveSessionById(live_session_id)).await?.ok_or_else(no_such)?;
        if !command::sees(loaders, actor, &session).await? {
            return Err(no_such());
        }
        let found = command::eligibility_of(loaders, viewer(actor)?, &session).await?;
        Ok(Some(Sequential(EligibilityObject(found))))
    }
}
