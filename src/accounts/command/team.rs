//! Commands for the team: a user with an account gets a role, anyone else an invitation.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::session::open;
use super::user::{check_email, check_password, lock_administration, set_role};
use crate::accounts::event::{TeamMemberInvited, UserRegistered};
use crate::accounts::model::{
    AcceptTeamInvitationInput, AddTeamMemberInput, InvitationId, RevokeTeamInvitationInput, SignedIn, TeamInvitation,
    User, UserId,
};
use crate::accounts::query::team::{self as query, New};
use crate::accounts::query::user;
use crate::accounts::{error, policy};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Link, Proof, Role};
use crate::platform::db::Tx;
use crate::platform::outbox;
use crate::platform::throttle::Purpose;

/// The result of adding someone to the team.
pub enum Added {
    /// A user with an account, who has the role now.
    Member(User),
    /// An emailed invitation to someone without an account.
    Invited(TeamInvitation),
}

/// Adds a user to the team, or invites an email address without an account.
///
/// A student gets the role; a user who already has the role keeps it. An invitation replaces an earlier one.
///
/// # Errors
/// The input is invalid; the user is banned or due for deletion, or has another role in the team; the actor is not an
/// administrator.
pub async fn add(app: &App, actor: &Actor, client: &Client, input: AddTeamMemberInput) -> Result<Added> {
    let Some(admin) = actor.id().filter(|_| policy::can_administer(actor)).map(UserId::new) else {
        return Err(Error::Forbidden("Only administrators add people to the team.".into()));
    };
    let (email, name, role) = check(&input)?;
    let added = app
        .db
        .transaction(async |tx| {
            lock_administration(tx, app, actor).await?;
            let Some(user) = user::lock_by_email(tx, &email).await? else {
                let id = InvitationId::new(app.clock.uuid());
                let new = New { id, email: &email, name: &name, role, invited_by: admin };
                return invite(tx, app, client, &new).await.map(Added::Invited);
            };
            query::delete_by_email(tx, &email).await?;
            match user.role {
                _ if user.is_banned(app.clock.now()) || user.deletion_due_at.is_some() => Err(error::cannot_join()),
                own if own == role => Ok(Added::Member(user)),
                Role::Student => set_role(tx, app, actor, client, &user, role).await.map(Added::Member),
                own => Err(error::in_team_already(own)),
            }
        })
        .await?;
    if let Added::Member(user) = &added {
        app.revocations.learn([], [(user.id.uuid(), user.token_version)]);
    }
    Ok(added)
}

/// Validates the input; returns the email address, the name and the role as they are stored.
fn check(input: &AddTeamMemberInput) -> Result<(String, String, Role)> {
    let mut check = Check::new();
    let email = check_email(&mut check, "email", &input.email);
    let name = check.required("name", &input.name, 100);
    let role = Role::from(input.role);
    if role == Role::Student {
        check.error(
            UserErrorCode::Invalid,
            "role",
            "A member of the team is an INSTRUCTOR or an ADMIN, not a STUDENT.",
        );
    }
    check.finish()?;
    Ok((email, name, role))
}

async fn invite(tx: &mut Tx, app: &App, client: &Client, new: &New<'_>) -> Result<TeamInvitation> {
    let now = app.clock.now();
    let invitation = query::put(tx, new, now).await?;
    let actor = Some(new.invited_by.uuid());
    let details = json!({ "invitationId": new.id.encode(), "email": new.email, "role": new.role });
    let entry = Entry { action: Action::TeamMemberInvited, actor, subject: None, client, details };
    audit::record(tx.conn(), app.clock.uuid(), now, entry).await?;
    outbox::record(tx, &app.clock, &TeamMemberInvited { invitation_id: invitation.id }).await?;
    Ok(invitation)
}

/// Returns the invitations that can still be accepted, latest first.
///
/// # Errors
/// The actor is not an administrator.
pub async fn invitations(app: &App, actor: &Actor) -> Result<Vec<TeamInvitation>> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators see who is invited.".into()));
    }
    Ok(query::live(&mut *app.db.read().await?, app.clock.now()).await?)
}

/// Revokes an invitation.
///
/// # Errors
/// There is no such invitation; the actor is not an administrator.
pub async fn revoke_invitation(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: RevokeTeamInvitationInput,
) -> Result<InvitationId> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators withdraw invitations.".into()));
    }
    app.db
        .transaction(async |tx| {
            lock_administration(tx, app, actor).await?;
            let gone = query::delete(tx, input.invitation_id).await?.ok_or_else(error::no_such_invitation)?;
            let details = json!({ "invitationId": gone.id.encode(), "email": gone.email, "role": gone.role });
            let entry =
                Entry { action: Action::TeamInvitationRevoked, actor: actor.id(), subject: None, client, details };
            audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
            Ok(gone.id)
        })
        .await
}

/// Creates an account for an invited person, and signs them in.
///
/// # Errors
/// The link is invalid or expired, its sender is no longer an administrator, or the email address has an account in the
/// meantime; the password is invalid.
pub async fn accept(app: &App, client: &Client, input: AcceptTeamInvitationInput) -> Result<SignedIn> {
    let mut check = Check::new();
    check_password(&mut check, "password", &input.password);
    check.finish()?;
    let link = Link::parse(&input.token).ok_or_else(error::invitation_over)?;
    let id = InvitationId::new(link.id);
    let attempt = app.throttle.attempt(Purpose::Activation, client.address(), Some(&id.encode())).await?;
    // Check the link before the expensive hashing of the password.
    proved(app, &link, query::by_id(&mut *app.db.read().await?, id).await?)?;
    let hash = app.passwords.hash(input.password).await?;
    let signed_in = app
        .db
        .transaction(async |tx| {
            // Check again under a lock: of concurrent requests with one link, only one succeeds.
            let invitation = proved(app, &link, query::lock(tx, id).await?)?;
            let sender = user::by_id(tx, invitation.invited_by).await?;
            if !sender.is_some_and(|sender| still_invites(&sender, app.clock.now())) {
                return Err(error::invitation_over());
            }
            let user = join(tx, app, client, &invitation, &hash).await?;
            open(tx, app, client, &user).await
        })
        .await?;
    app.throttle.succeeded(attempt).await;
    Ok(signed_in)
}

fn proved(app: &App, link: &Link, found: Option<TeamInvitation>) -> Result<TeamInvitation> {
    let found = found.ok_or_else(error::invitation_over)?;
    match app.codes.is_link(link, Proof::TeamInvitation, found.state(), app.clock.now()) {
        true => Ok(found),
        false => Err(error::invitation_over()),
    }
}

/// Whether the sender may still invite. Invitations of a demoted or banned administrator must not be a back door.
fn still_invites(sender: &User, now: DateTime<Utc>) -> bool {
    sender.role == Role::Admin && !sender.is_banned(now)
}

async fn join(tx: &mut Tx, app: &App, client: &Client, from: &TeamInvitation, hash: &str) -> Result<User> {
    let made = user::insert_verified(tx, &app.clock, &from.email, &from.name, from.role, Some(hash)).await?;
    let user = made.ok_or_else(error::has_account)?;
    query::delete(tx, from.id).await?;
    outbox::record(tx, &app.clock, &UserRegistered { user_id: user.id }).await?;
    let actor = Some(user.id.uuid());
    let details = json!({ "invitationId": from.id.encode(), "role": from.role, "invitedBy": from.invited_by.encode() });
    let entry = Entry { action: Action::TeamInvitationAccepted, actor, subject: actor, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    Ok(user)
}
