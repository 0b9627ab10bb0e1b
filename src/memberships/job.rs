//! The jobs of plans and memberships: what providers are told, and what time and deletions bring.

mod mails;

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use serde::Deserialize;

pub use self::mails::mails;
use super::command;
use super::event::{FamilyMemberInvited, PlanArchived};
use super::loader::MembershipById;
use super::model::{PlanPriceId, PlayOutcome};
use super::query::family;
use crate::accounts::{UserById, UserDeleted};
use crate::catalog::{CategoryArchived, CourseArchived, CourseDeleted};
use crate::graphql::loaders::Load;
use crate::platform::App;
use crate::platform::auth::Proof;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;
use crate::platform::retention::{TIMEOUT, delete};

/// Returns the job handlers of this feature.
pub fn handlers() -> Vec<Handler> {
    let (short, long) = (Duration::from_secs(60), Duration::from_secs(600));
    vec![
        Handler::queued(command::SYNC, short, |app, _| async move { command::sync(&app).await }.boxed()),
        Handler::scheduled("memberships.sync_gateways", "* * * * *", long, |app, _| {
            async move { command::sync(&app).await }.boxed()
        }),
        Handler::scheduled("memberships.expire", "* * * * *", long, |app, _| {
            async move { command::expire(&app).await }.boxed()
        }),
        Handler::scheduled("memberships.remind", "* * * * *", long, |app, _| {
            async move { command::remind(&app).await }.boxed()
        }),
        Handler::scheduled("memberships.mend_spans", "7 * * * *", long, |app, _| {
            async move { command::mend_spans(&app).await }.boxed()
        }),
        Handler::scheduled("memberships.archive_orphans", "*/5 * * * *", long, |app, _| {
            async move { command::archive_orphans(&app).await }.boxed()
        }),
        // For what an earlier version has enqueued; notifications are payment events since.
        Handler::queued("memberships.play_told", short, |app, payload| {
            async move {
                let Told { token } = serde_json::from_value(payload)?;
                match command::play_told(&app, &token).await? {
                    // There is no event that waits: the job does.
                    PlayOutcome::Waits(why) => Err(InternalError::new(why)),
                    outcome => {
                        tracing::info!(?outcome, "a notification that an earlier version has received");
                        Ok(())
                    }
                }
            }
            .boxed()
        }),
        Handler::scheduled("memberships.check_play", "* * * * *", long, |app, _| {
            async move { command::check_all(&app).await }.boxed()
        }),
        Handler::scheduled("memberships.end_subscriptions", "* * * * *", long, |app, _| {
            async move { command::end_subscriptions(&app).await }.boxed()
        }),
        Handler::queued(command::MOVE, long, |app, payload| {
            async move {
                let Moving { to } = serde_json::from_value(payload)?;
                command::move_members(&app, to).await
            }
            .boxed()
        }),
        Handler::reaction(command::CANCEL, PlanArchived::KIND, long, |app, payload| {
            async move {
                let PlanArchived { plan } = serde_json::from_value(payload)?;
                command::cancel_members(&app, plan).await
            }
            .boxed()
        }),
        Handler::reaction("memberships.archive_plans", CourseArchived::KIND, short, |app, payload| {
            async move {
                let CourseArchived { course_id } = serde_json::from_value(payload)?;
                command::archive_plans_of(&app, course_id).await
            }
            .boxed()
        }),
        Handler::reaction("memberships.archive_plans_of_category", CategoryArchived::KIND, short, |app, payload| {
            async move {
                let CategoryArchived { category_id } = serde_json::from_value(payload)?;
                command::archive_plans_of_category(&app, category_id).await
            }
            .boxed()
        }),
        Handler::reaction("memberships.archive_plans_without_course", CourseDeleted::KIND, short, |app, _| {
            async move { command::archive_orphans(&app).await }.boxed()
        }),
        Handler::reaction("memberships.forget_user", UserDeleted::KIND, Duration::from_secs(300), |app, payload| {
            async move {
                let UserDeleted { user_id } = serde_json::from_value(payload)?;
                command::forget_user(&app, user_id).await
            }
            .boxed()
        }),
        Handler::reaction("memberships.mail_invitation", FamilyMemberInvited::KIND, short, |app, payload| {
            async move { mail_invitation(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
        Handler::scheduled("memberships.sweep_invitations", "37 * * * *", TIMEOUT, |app, _| {
            delete(app, &[family::INVITATIONS], TimeDelta::zero())
        }),
    ]
}

async fn mail_invitation(app: &App, event: FamilyMemberInvited) -> Result<(), InternalError> {
    let now = app.clock.now();
    let found = family::invitation(&mut *app.db.read().await?, event.invitation).await?;
    // Revoked, accepted or expired in the meantime.
    let Some(invitation) = found.filter(|row| row.is_open(now)) else { return Ok(()) };
    let Some(membership) = MembershipById(invitation.membership_id).load_one(app).await? else { return Ok(()) };
    let Some(owner) = UserById(membership.user_id).load_one(app).await? else { return Ok(()) };
    let until = invitation.expires_at;
    let token = app.codes.link(Proof::FamilyInvitation, invitation.id.uuid(), until, &invitation.state());
    let context = mails::FamilyInvitation {
        owner: &owner.name,
        link: &format!("{}/family?token={token}", app.config.app_url),
        until,
    };
    let mail = mail::render(&app.config, &mails::FAMILY_INVITATION, &invitation.email, context)?;
    app.mailer.send(&mail, now).await
}

/// The payload of `memberships.play_told`.
#[derive(Deserialize)]
struct Told {
    token: String,
}

/// The payload of [`command::MOVE`].
#[derive(Deserialize)]
struct Moving {
    to: PlanPriceId,
}
