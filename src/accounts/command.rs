//! What can be done with accounts.

use super::event::{UserRegistered, UserRoleChanged};
use super::model::{ChangeUserRoleInput, ImportedUser, RegisterInput, SignInInput, SignedIn, User};
use super::{error, policy, query};
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::{Actor, Role, Verdict};
use crate::platform::db::{self, Tx};
use crate::platform::outbox;

const SHORTEST_PASSWORD: usize = 10;
const LONGEST_PASSWORD: usize = 200;

/// Gives somebody an account as a student, active at once.
///
/// # Errors
/// The input's mistakes; the address is taken.
pub async fn register(app: &App, _actor: &Actor, input: RegisterInput) -> Result<User> {
    let (email, name) = check_person(&input)?;
    let password_hash = app.passwords.hash(input.password).await?;
    create(app, ImportedUser { email, name, role: Role::Student, password_hash }).await
}

/// Gives somebody an account as an administrator. For the command line, where there is no actor yet.
///
/// # Errors
/// The input's mistakes; the address is taken.
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

/// Brings users in from elsewhere, with their password hashes; addresses that are known already are left out. Nobody
/// is greeted by mail. The command line's, like [`create_admin`].
///
/// # Errors
/// The database failed.
pub async fn import(app: &App, users: &[ImportedUser]) -> Result<Vec<User>> {
    app.db.transaction(async |tx| Ok(query::insert_new(tx, &app.clock, users).await?)).await
}

/// Exchanges an address and a password for an access token.
///
/// # Errors
/// Either is wrong: one answer for both, after the same work.
pub async fn sign_in(app: &App, _actor: &Actor, input: SignInInput) -> Result<SignedIn> {
    if input.password.chars().count() > LONGEST_PASSWORD {
        return Err(error::wrong_credentials());
    }
    let found = query::credentials(&mut *app.db.read().await?, &normalise(&input.email)).await?;
    let stored = found.as_ref().map(|found| found.password_hash.clone());
    let verdict = app.passwords.check(input.password.clone(), stored).await?;
    let Some(user) = found.map(|found| found.user).filter(|_| verdict != Verdict::Wrong) else {
        return Err(error::wrong_credentials());
    };
    if verdict == Verdict::Outdated {
        let hash = app.passwords.hash(input.password).await?;
        query::set_password(&mut *app.db.read().await?, user.id, &hash, app.clock.now()).await?;
    }
    let (access_token, expires_at) = app.tokens.issue(user.id.uuid(), user.role)?;
    Ok(SignedIn { user, access_token, expires_at })
}

/// Gives a user another role. It counts from their next sign-in on: tokens carry the role.
///
/// # Errors
/// Only administrators may; the last administrator stays one.
pub async fn change_role(app: &App, actor: &Actor, input: ChangeUserRoleInput) -> Result<User> {
    if !policy::can_change_role(actor) {
        return Err(Error::Forbidden("Only administrators change roles.".into()));
    }
    let role = Role::from(input.role);
    app.db
        .transaction(async |tx| {
            let admins = query::lock_admins(tx).await?;
            let user = query::lock(tx, input.user_id).await?.ok_or_else(error::no_such_user)?;
            if user.role == role {
                return Ok(user);
            }
            if user.role == Role::Admin && admins.len() == 1 {
                return Err(error::last_admin());
            }
            set_role(app, tx, &user, role).await
        })
        .await
}

async fn set_role(app: &App, tx: &mut Tx, user: &User, role: Role) -> Result<User> {
    let changed = query::set_role(tx, user.id, role, app.clock.now()).await?;
    let event = UserRoleChanged { user_id: user.id, from: user.role, to: role };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(changed)
}

fn normalise(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The address and the name as they are stored.
fn check_person(input: &RegisterInput) -> Result<(String, String)> {
    let mut check = Check::new();
    let email = normalise(&check.required("email", &input.email, 254));
    if !email.is_empty() && email.parse::<lettre::Address>().is_err() {
        check.error(UserErrorCode::Invalid, "email", "This is not an e-mail address.");
    }
    let name = check.required("name", &input.name, 100);
    let length = input.password.chars().count();
    if length < SHORTEST_PASSWORD {
        let message = format!("The password has {length} characters; at least {SHORTEST_PASSWORD} are needed.");
        check.error(UserErrorCode::TooShort, "password", message);
    } else if length > LONGEST_PASSWORD {
        let message = format!("The password has {length} characters; at most {LONGEST_PASSWORD} are allowed.");
        check.error(UserErrorCode::TooLong, "password", message);
    }
    check.finish()?;
    Ok((email, name))
}
