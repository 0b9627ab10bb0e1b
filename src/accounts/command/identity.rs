//! Commands that link and unlink accounts at identity providers.

use serde_json::json;

use super::reauthentication::confirm_recent;
use super::social::{link, take, vouched};
use crate::accounts::event::IdentityChanged;
use crate::accounts::model::{Identity, IdentityId, LinkIdentityInput, UnlinkIdentityInput, UserId};
use crate::accounts::query::identity::{self as query, AttemptKey};
use crate::accounts::{error, policy};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::{Actor, Client, hash_token};
use crate::platform::db::Tx;
use crate::platform::outbox;

/// Links an account at an identity provider to the actor's.
///
/// Its email address does not matter: the caller has proved to own both accounts.
///
/// # Errors
/// The actor has not authenticated recently or did not begin this attempt, the provider does not confirm it, or the account is linked to another user.
pub(in crate::accounts) async fn link_identity(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: LinkIdentityInput,
) -> Result<Identity> {
    let confirmed = confirm_recent(app, actor).await?;
    let user = confirmed.user;
    let (state, browser) = (hash_token(&input.state), hash_token(&input.browser_key));
    let attempt = take(app, &AttemptKey { state, browser, user: Some(user) }).await?;
    let (provider, vouched) = vouched(app, attempt, &input.code).await?;
    app.db
        .transaction(async |tx| {
            // Lock the user: nothing must be linked to an account that is being deleted.
            confirmed.lock(tx, app).await?;
            if let Some(linked) = link(tx, app, client, provider, user, &vouched).await? {
                announce(tx, app, user, provider.name(), true).await?;
                return Ok(linked);
            }
            match query::touch(tx, &vouched, app.clock.now()).await? {
                Some(linked) if linked.user_id == user => Ok(linked),
                _ => Err(error::identity_taken(provider.name())),
            }
        })
        .await
}

/// Unlinks one of the actor's accounts at identity providers.
///
/// # Errors
/// The actor has not authenticated recently; the account is not the actor's, or is the only way to sign in.
pub(in crate::accounts) async fn unlink_identity(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: UnlinkIdentityInput,
) -> Result<IdentityId> {
    let confirmed = confirm_recent(app, actor).await?;
    let user = confirmed.user;
    app.db
        .transaction(async |tx| {
            let has_password = query::lock_password(tx, user).await?.ok_or_else(error::no_such_identity)?;
            let linked = query::of_users(tx.conn(), &[user]).await?;
            let Some(unlinked) = linked.iter().find(|identity| identity.id == input.identity_id) else {
                return Err(error::no_such_identity());
            };
            let is_usable = |identity: &&Identity| app.identity.of(&identity.issuer).is_some();
            let others = linked.iter().filter(|identity| identity.id != unlinked.id).filter(is_usable).count();
            if !policy::can_unlink(has_password, others) {
                return Err(error::only_way_in());
            }
            unlink(tx, app, client, unlinked).await?;
            Ok(unlinked.id)
        })
        .await
}

/// Unlinks an identity at the request of its user.
pub(super) async fn unlink(tx: &mut Tx, app: &App, client: &Client, identity: &Identity) -> Result<()> {
    let user = identity.user_id;
    query::delete(tx, identity.id).await?;
    let (actor, details) = (Some(user.uuid()), json!({ "identityId": identity.id, "issuer": identity.issuer }));
    let entry = Entry { action: Action::IdentityUnlinked, actor, subject: actor, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    announce(tx, app, user, app.identity.name_of(&identity.issuer), false).await
}

/// Records that an identity was linked or unlinked, so that an email notifies the user.
pub(super) async fn announce(tx: &mut Tx, app: &App, user: UserId, provider: &str, linked: bool) -> Result<()> {
    let event = IdentityChanged { user_id: user, provider: provider.to_owned(), linked, at: app.clock.now() };
    outbox::record(tx, &app.clock, &event).await?;
    Ok(())
}
