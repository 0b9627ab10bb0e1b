//! The account of the viewer in the schema.

use async_graphql::{Context, Object};

use super::audit::{AuditEntryObject, connection};
use super::email_change::EmailChangeObject;
use super::identity::IdentityObject;
use super::user::{UserObject, identities, user_node};
use crate::accounts::command::{self, viewer};
use crate::accounts::loader::{AuditCount, AuditPage};
use crate::accounts::model::AuditFilter;
use crate::graphql::context::{actor, app, bearer, loaders};
use crate::graphql::guard::{Role, public, requires};
use crate::graphql::page::wants_total;
use crate::graphql::{Connection, Entity, Error, Id, PageArgs, Requires, Result, Sequential};

const SECURITY_LOG: &str = "securityLog";

/// The viewer's account.
#[derive(Default)]
pub(super) struct ViewerAccount;

impl Entity for ViewerAccount {
    const PREFIX: &'static str = "viewer";
}

#[Object]
impl ViewerAccount {
    /// The id of the viewer, for client caches. It is not the id of `user`.
    #[graphql(directive = public::apply())]
    async fn id(&self, ctx: &Context<'_>) -> Result<Id<ViewerAccount>> {
        Ok(Id::new(viewer(bearer(ctx))?.uuid()))
    }

    /// The user. An API token needs the scope `READ_ACCOUNT` for private fields, such as the email address.
    #[graphql(directive = public::apply())]
    async fn user(&self, ctx: &Context<'_>) -> Result<Sequential<UserObject>> {
        let id = viewer(bearer(ctx))?;
        let user =
            user_node(ctx, id).await?.ok_or_else(|| Error::Unauthenticated("The account was deleted.".into()))?;
        Ok(Sequential(user))
    }

    /// Whether the account has a password. An account without one signs in with identity providers only.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn has_password(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        command::has_password(app(ctx), actor(ctx)).await.map(Some)
    }

    /// Whether administrator rights are withheld until a second factor is set up.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn second_factor_required(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        command::second_factor_required(app(ctx), actor(ctx)).await.map(Some)
    }

    /// The pending change of the email address; null if there is none.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn pending_email_change(&self, ctx: &Context<'_>) -> Result<Option<Sequential<EmailChangeObject>>> {
        let change = command::pending_email_change(app(ctx), actor(ctx)).await?;
        Ok(change.map(|change| Sequential(change.into())))
    }

    /// The linked accounts at identity providers, in the order in which they were linked.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn identities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<IdentityObject>>>> {
        identities(ctx, viewer(actor(ctx))?, PageArgs { first, after, last, before }).await
    }

    /// What happened to the account, newest first: sign-ins, failed sign-ins, changes of the password, the role and
    /// more. Entries for actions of others, such as administrators, have no IP address and device.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn security_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<AuditEntryObject>>>> {
        let page = PageArgs { first, after, last, before }.timed_page(SECURITY_LOG)?;
        let viewer = viewer(actor(ctx))?;
        let about = AuditFilter::about(viewer);
        let rows = loaders(ctx).load(AuditPage(about.clone(), page.clone())).await?.unwrap_or_default();
        let rows = rows.into_iter().map(|entry| command::redacted(entry, viewer)).collect();
        let connection = connection(SECURITY_LOG, &page, rows);
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(AuditCount(about)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}
