//! Commands for users.

use serde_json::json;

use crate::accounts::event::{UserRegistered, UserRoleChanged};
use crate::accounts::model::{ChangeUserRoleInput, ImportedUser, RegisterInput, User, UserId};
use crate::accounts::query::user as query;
use crate::accounts::{error, policy};
use crate::graphql::error::Check;
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, Role};
use crate::platform::db::{self, Tx};
use crate::platform::internal_error::InternalError;
use crate::platform::outbox;

/// Creates an administrator. For the command line, where there is no actor yet.
///
/// # Errors
/// The input is invalid; the email address is taken.
pub async fn create_admin(app: &App, input: RegisterInput) -> Result<User> {
    let (email, name) = check_person(&input)?;
    let password_hash = app.passwords.hash(input.password).await?;
    create(app, ImportedUser { email, name, role: Role::Admin, password_hash }).await
}

async fn create(app: &App, new: ImportedUser) -> Result<User> {
    app.db
        .transaction(async |tx| {
            let user = query::insert(tx, &app.clock, &new).await.map_err(|error| {
                if db::is_taken(&error, "users_email_key") { error::email_taken() } else { error.into() }
            })?;
            outbox::record(tx, &app.clock, &UserRegistered { user_id: user.id }).await?;
            Ok(user)
        })
        .await
}

/// Locks the administrators and returns them.
///
/// If two administrators demote or ban each other concurrently, the second one is no longer an administrator after the
/// wait for the lock, so one always remains.
///
/// # Errors
/// The actor is not one of them.
pub(super) async fn lock_administration(tx: &mut Tx, app: &App, actor: &Actor) -> Result<Vec<UserId>> {
    let admins = query::lock_admins(tx, app.clock.now()).await?;
    if admins.iter().any(|admin| actor.is(*admin)) { Ok(admins) } else { Err(error::no_longer_admin()) }
}

/// Changes the role of a user.
///
/// Access tokens contain the role: those that were issued before are rejected within a second, and refreshing the
/// session issues one with the new role.
///
/// # Errors
/// The actor is not an administrator; the user is the last administrator.
pub async fn change_role(app: &App, actor: &Actor, client: &Client, input: ChangeUserRoleInput) -> Result<User> {
    if !policy::can_administer(actor) {
        return Err(Error::Forbidden("Only administrators change roles.".into()));
    }
    let role = Role::from(input.role);
    let changed = app
        .db
        .transaction(async |tx| {
            let admins = lock_administration(tx, app, actor).await?;
            let user = query::lock(tx, input.user_id).await?.ok_or_else(error::no_such_user)?;
            if user.role == role {
                return Ok(user);
            }
            if admins == [user.id] {
                return Err(error::last_admin());
            }
            set_role(tx, app, actor, client, &user, role).await
        })
        .await?;
    app.revocations.learn([], [(changed.id.uuid(), changed.token_version)]);
    Ok(changed)
}

/// Changes the role of a locked user.
///
/// After the commit, [`crate::platform::auth::Revocations`] must learn of the new token version.
pub(super) async fn set_role(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    client: &Client,
    user: &User,
    role: Role,
) -> Result<User> {
    let changed = query::set_role(tx, user.id, role, app.clock.now()).await?;
    let event = UserRoleChanged { user_id: user.id, from: user.role, to: role };
    outbox::record(tx, &app.clock, &event).await?;
    let (subject, details) = (Some(user.id.uuid()), json!({ "from": user.role, "to": role }));
    let entry = Entry { action: Action::RoleChanged, actor: actor.id(), subject, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    Ok(changed)
}

/// Returns an email address in its stored spelling.
pub(super) fn normalise(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Validates the input and returns the email address and the name as they are stored.
pub(super) fn check_person(input: &RegisterInput) -> Result<(String, String)> {
    let mut check = Check::new();
    let email = check_email(&mut check, "email", &input.email);
    let name = check.required("name", &input.name, 100);
    check_password(&mut check, "password", &input.password);
    check.finish()?;
    Ok((email, name))
}

/// Validates an email address and returns it as it is stored.
pub fn check_email(check: &mut Check, field: &str, email: &str) -> String {
    let email = normalise(&check.required(field, email, 254));
    if !email.is_empty() && !can_be_mailed(&email) {
        check.malformed(field, &email, "is not an e-mail address; one looks like ada@school.example");
    }
    email
}

/// Whether mail servers deliver to the address. Many reject quoted names and address literals in brackets (RFC 5321).
fn can_be_mailed(email: &str) -> bool {
    email.parse::<lettre::Address>().is_ok() && !email.contains(['"', '['])
}

pub(super) fn check_password(check: &mut Check, field: &str, password: &str) {
    if let Err((code, message)) = policy::password(password) {
        check.error(code, field, message);
    }
}

/// Returns the next `limit` users with a role, or of all, in the order of their ids, after a user. Deleted ones are left
/// out.
///
/// # Errors
/// The database failed.
pub async fn users_after(
    app: &App,
    role: Option<Role>,
    after: UserId,
    limit: i64,
) -> std::result::Result<Vec<UserId>, InternalError> {
    Ok(query::after(&mut *app.db.read().await?, role, after, limit).await?)
}
