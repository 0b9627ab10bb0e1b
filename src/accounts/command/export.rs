//! The export of the viewer's account data.

use serde_json::{Value, json};

use super::session::viewer;
use crate::accounts::error;
use crate::accounts::model::{ApiToken, EmailChange, Identity, Session, User, UserId};
use crate::accounts::query::export::{self as query, Rest};
use crate::accounts::query::{identity, second_factor, user};
use crate::graphql::Result;
use crate::graphql::export::{FETCH, items};
use crate::platform::App;
use crate::platform::audit::{self, Line};
use crate::platform::auth::Actor;

/// Returns the viewer's account data: profile, sessions, audit trail and more; no secrets.
///
/// A new table that refers to users must be added here, and to the test that checks for it.
///
/// # Errors
/// The caller is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let id = viewer(actor)?;
    let mut conn = app.db.read().await?;
    let user = user::by_ids(&mut conn, &[id]).await?.pop().ok_or_else(error::no_such_user)?;
    let rest = query::rest(&mut conn, id).await?;
    let sessions = query::sessions(&mut conn, id).await?;
    let factor = second_factor::state(&mut conn, id).await?;
    let tokens = query::api_tokens(&mut conn, id).await?;
    let identities = identity::of_users(&mut conn, &[id]).await?;
    let changes = query::email_changes(&mut conn, id).await?;
    let trail = audit::about(&mut conn, id.uuid(), FETCH).await?;
    Ok(json!({
        "profile": profile(&user, &rest),
        "sessions": items(sessions.iter().map(session_item)),
        "secondFactor": factor.map(|factor| json!({ "enabledAt": factor.enabled_at, "recoveryCodesLeft": factor.codes_left })),
        "apiTokens": items(tokens.iter().map(api_token)),
        "identities": items(identities.iter().map(linked)),
        "emailChanges": items(changes.iter().map(email_change)),
        "activity": items(trail.into_iter().map(|line| activity(line, id))),
    }))
}

fn profile(user: &User, rest: &Rest) -> Value {
    json!({
        "id": user.id.encode(),
        "email": user.email,
        "emailVerifiedAt": rest.email_verified_at,
        "hasPassword": rest.has_password,
        "name": user.name,
        "bio": rest.bio,
        "role": user.role,
        "locale": user.locale,
        "timeZone": user.time_zone,
        "avatarFileId": user.avatar_id,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
        "lastSignInAt": rest.last_sign_in_at,
        "bannedAt": user.banned_at,
        "bannedUntil": user.banned_until,
        "banReason": user.ban_reason,
        "deletionDueAt": user.deletion_due_at,
    })
}

fn session_item(session: &Session) -> Value {
    json!({
        "id": session.id.encode(),
        "userAgent": session.user_agent,
        "ip": session.ip,
        "createdAt": session.created_at,
        "lastUsedAt": session.last_used_at,
        "expiresAt": session.expires_at,
        "endedAt": session.ended_at,
        "endReason": session.end_reason,
    })
}

fn api_token(token: &ApiToken) -> Value {
    json!({
        "id": token.id.encode(),
        "name": token.name,
        "scopes": token.scopes.names(),
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
        "lastUsedAt": token.last_used_at,
        "lastUsedIp": token.last_used_ip,
        "revokedAt": token.revoked_at,
    })
}

fn linked(identity: &Identity) -> Value {
    json!({
        "id": identity.id.encode(),
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": identity.email,
        "createdAt": identity.created_at,
        "lastUsedAt": identity.last_used_at,
    })
}

fn email_change(change: &EmailChange) -> Value {
    json!({
        "id": change.id.encode(),
        "oldEmail": change.old_email,
        "newEmail": change.new_email,
        "requestedAt": change.requested_at,
        "expiresAt": change.expires_at,
        "endedAt": change.ended_at,
    })
}

/// Returns an entry of the audit trail, without the IP address and user agent of other users.
fn activity(mut line: Line, viewer: UserId) -> Value {
    // The reasons for granting or revoking course access are visible to administrators only.
    if let Some(details) = line.details.as_object_mut().filter(|_| line.action.starts_with("course_access")) {
        details.remove("reason");
    }
    let by = match line.actor {
        None => "unknown",
        Some(actor) if actor == viewer.uuid() => "you",
        Some(_) => "staff",
    };
    let own = by != "staff";
    json!({
        "createdAt": line.at,
        "action": line.action,
        "by": by,
        "ip": line.ip.filter(|_| own),
        "userAgent": Some(line.user_agent).filter(|_| own),
        "details": line.details,
    })
}
