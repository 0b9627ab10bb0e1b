//! Links and unlinks identities inside the transactions of other commands.

use serde_json::json;

use crate::accounts::event::IdentityChanged;
use crate::accounts::model::{Identity, UserId};
use crate::accounts::query::identity as query;
use crate::graphql::Result;
use crate::platform::App;
use crate::platform::audit::{self, Action, Entry};
use crate::platform::auth::Client;
use crate::platform::db::Tx;
use crate::platform::identity::{Identity as Vouched, Provider};
use crate::platform::outbox;

/// Links an identity to the user; returns `None` if it is already linked to a user.
pub(super) async fn link(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    provider: &Provider,
    user: UserId,
    vouched: &Vouched,
) -> Result<Option<Identity>> {
    let Some(identity) = query::insert(tx, &app.clock, user, vouched).await? else { return Ok(None) };
    let details = json!({ "identityId": identity.id, "provider": provider.id() });
    let actor = Some(user.uuid());
    let entry = Entry { action: Action::IdentityLinked, actor, subject: actor, client, details };
    audit::record(tx.conn(), app.clock.uuid(), app.clock.now(), entry).await?;
    Ok(Some(identity))
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
