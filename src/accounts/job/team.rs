//! Emails about invitations to the team and changes of roles.

use std::time::Duration;

use futures_util::FutureExt;

use super::{mails, recipient};
use crate::accounts::event::{TeamMemberInvited, UserRoleChanged};
use crate::accounts::query::team as query;
use crate::platform::App;
use crate::platform::auth::Proof;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;
use crate::platform::mail;
use crate::platform::outbox::Event;

pub(super) fn handlers() -> [Handler; 2] {
    [
        Handler::reaction(
            "accounts.mail_invitation",
            TeamMemberInvited::KIND,
            Duration::from_secs(30),
            |app, payload| async move { mail_invitation(&app, serde_json::from_value(payload)?).await }.boxed(),
        ),
        Handler::reaction("accounts.tell_of_role", UserRoleChanged::KIND, Duration::from_secs(30), |app, payload| {
            async move { tell_of_role(&app, serde_json::from_value(payload)?).await }.boxed()
        }),
    ]
}

async fn mail_invitation(app: &App, event: TeamMemberInvited) -> Result<(), InternalError> {
    let now = app.clock.now();
    let found = query::by_id(&mut *app.db.read().await?, event.invitation_id).await?;
    // Revoked, replaced, accepted or expired in the meantime.
    let Some(invitation) = found.filter(|row| now < row.expires_at) else { return Ok(()) };
    let expires_at = invitation.expires_at;
    let token = app.codes.link(Proof::TeamInvitation, invitation.id.uuid(), expires_at, invitation.state());
    let context = mails::TeamInvitation {
        name: &invitation.name,
        role: invitation.role,
        link: &format!("{}/join?token={token}", app.config.app_url),
        until: expires_at,
    };
    let mail = mail::render(&app.config, &mails::TEAM_INVITATION, &invitation.email, context)?;
    app.mailer.send(&mail, now).await
}

async fn tell_of_role(app: &App, event: UserRoleChanged) -> Result<(), InternalError> {
    // Changed again in the meantime; that change sends its own email.
    let user = recipient(app, event.user_id).await?.filter(|user| user.role == event.to);
    let Some(user) = user else { return Ok(()) };
    let context = mails::RoleChanged { name: &user.name, role: event.to };
    let mail = mail::render(&app.config, &mails::ROLE_CHANGED, &user.email, context)?;
    app.mailer.send(&mail, app.clock.now()).await
}
