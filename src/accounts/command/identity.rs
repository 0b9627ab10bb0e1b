//! Commands that link and unlink accounts at identity providers.

use super::confirmation::confirm_recent;
use super::linking::{announce, link, unlink};
use super::social::{take, vouched};
use crate::accounts::model::{Identity, IdentityId, LinkIdentityInput, UnlinkIdentityInput};
use crate::accounts::query::identity::{self as query, AttemptKey};
use crate::accounts::{error, policy};
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::auth::{Actor, Client, hash_token};

/// Links an account at an identity provider to the actor's.
///
/// Its email address does not matter: the caller has proved to own both accounts.
///
/// # Errors
/// The actor has not authenticated recently or did not begin this attempt, the provider does not confirm it, or the
/// account is linked to another user.
pub async fn link_identity(app: &App, actor: &Actor, client: &Client, input: LinkIdentityInput) -> Result<Identity> {
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
pub async fn unlink_identity(
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
