//! Users in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::identity::IdentityObject;
use super::session_list::{SessionObject, sessions_of};
use crate::accounts::loader::{BioOf, IdentitiesOf, LastSignIn, UserById};
use crate::accounts::model::{Ban, ChangeUserRoleInput, User, UserId};
use crate::accounts::{command, policy};
use crate::enrollments::{EnrollmentFilter, EnrollmentObject, EnrollmentSort, enrollments_of};
use crate::graphql::context::{actor, app, client, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, owned, public, requires, scoped};
use crate::graphql::page::slice;
use crate::graphql::{
    Connection, Error, ImageObject, PageArgs, Requires, Result, Scoped, Sequential, UserError, YearMonth,
};
use crate::live::{SubscriptionUsageObject, usage_of_user};
use crate::media::{self, FileId};
use crate::orders::{OrderObject, orders_of};

const IDENTITIES: &str = "identities";

/// A user in the schema.
#[derive(Clone)]
pub struct UserObject {
    pub(super) user: Arc<User>,
    /// Whether this request has proved to be the user's without a token.
    ///
    /// It has signed the user in, or contained a link that was emailed to them.
    own: bool,
}

/// A user of the platform.
#[Object(name = "User")]
impl UserObject {
    /// The id of the user.
    pub async fn id(&self) -> UserId {
        self.user.id
    }

    /// The name that others see.
    async fn name(&self) -> &str {
        &self.user.name
    }

    /// The email address. Visible to the user and administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.private(ctx, "e-mail address")?;
        Ok(Some(&self.user.email))
    }

    /// The ban that is in force; null if the user is not banned. Visible to the user and administrators; for others it
    /// is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn ban(&self, ctx: &Context<'_>) -> Result<Option<Sequential<Ban>>> {
        self.private(ctx, "ban")?;
        Ok(Ban::of(&self.user, app(ctx).clock.now()).map(Sequential))
    }

    /// The user's role.
    async fn role(&self) -> Role {
        self.user.role.into()
    }

    /// The linked accounts at identity providers, in the order in which they were linked. Visible to the user and
    /// administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn identities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<IdentityObject>>>> {
        self.private(ctx, "linked services")?;
        identities(ctx, self.user.id, PageArgs { first, after, last, before }).await
    }

    /// The user's description of themselves, in plain text; empty if there is none.
    async fn bio(&self, ctx: &Context<'_>) -> Result<String> {
        let bio = loaders(ctx).load(BioOf(self.user.id)).await?;
        Ok(bio.map(|bio| bio.to_string()).unwrap_or_default())
    }

    /// The user's picture; null if there is none. To set it, upload it with `attachTo: { avatar: true }`; see also
    /// `removeAvatar`.
    async fn avatar(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ImageObject>>> {
        let Some(id) = self.user.avatar_id else { return Ok(None) };
        media::image(ctx, FileId::new(id), &self.user.name).await
    }

    /// The language that the user chose, as a BCP 47 tag; null if they chose none. Visible to the user and
    /// administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn locale(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.private(ctx, "language")?;
        Ok(self.user.locale.as_deref())
    }

    /// The time zone that the user chose, by its IANA name; null if they chose none. Visible to the user and
    /// administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn time_zone(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.private(ctx, "time zone")?;
        Ok(self.user.time_zone.as_deref())
    }

    /// When the account is deleted, if the user has requested it; otherwise null. See `cancelAccountDeletion`. Visible
    /// to the user and administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn deletion_due_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        self.private(ctx, "end")?;
        Ok(self.user.deletion_due_at)
    }

    /// When the user signed in last; null if they never did. Visible to the user and administrators; for others it is
    /// null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn last_sign_in_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        self.private(ctx, "last sign-in")?;
        Ok(loaders(ctx).load(LastSignIn(self.user.id)).await?)
    }

    /// The user's sessions, newest first; also those that have ended, for a month. Visible to the user and
    /// administrators, in a session; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, None))]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<SessionObject>>>> {
        // No scope opens addresses and devices to an API token.
        if !policy::can_see_private(actor(ctx), self.user.id) {
            return Err(only_owner("sessions"));
        }
        sessions_of(ctx, self.user.id, PageArgs { first, after, last, before }).await
    }

    /// What the user learns: the courses to which they have or had access, each once, latest activity first unless they
    /// are sorted otherwise. Visible to administrators.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadLearning)",
        directive = scoped::apply(Role::Admin, Scope::ReadLearning)
    )]
    #[allow(clippy::too_many_arguments)]
    async fn enrollments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which enrollments to return; defaults to all.")] filter: Option<EnrollmentFilter>,
        #[graphql(desc = "The sort order. A cursor is valid for one sort field only.")] sort: Option<EnrollmentSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<EnrollmentObject>>>> {
        enrollments_of(ctx, self.user.id, filter, sort, PageArgs { first, after, last, before }).await
    }

    /// The user's orders, latest first. Visible to the user and administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadOrders)))]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<OrderObject>>>> {
        orders_of(ctx, self.user.id, PageArgs { first, after, last, before }).await
    }

    /// The user's hours of live classes in a month. Visible to administrators.
    #[graphql(
        guard = "Scoped(Role::Admin, Scope::ReadLearning)",
        directive = scoped::apply(Role::Admin, Scope::ReadLearning)
    )]
    async fn subscription_usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month; defaults to the current one in the time zone of the school.")] month: Option<
            YearMonth,
        >,
    ) -> Result<Option<Sequential<SubscriptionUsageObject>>> {
        usage_of_user(ctx, self.user.id, month).await
    }

    /// When the user registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.user.created_at
    }

    /// When the account was last changed, for example by `updateProfile` or a ban. Visible to the user and
    /// administrators; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadUsers)))]
    async fn updated_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        self.private(ctx, "last change")?;
        Ok(Some(self.user.updated_at))
    }
}

impl UserObject {
    /// Wraps a user as the caller may see them.
    pub fn new(user: Arc<User>) -> UserObject {
        UserObject { user, own: false }
    }

    /// Returns the id of the user.
    pub fn user_id(&self) -> UserId {
        self.user.id
    }

    /// Wraps a user whom this request has proved to belong to.
    pub(super) fn own(user: User) -> UserObject {
        UserObject { user: Arc::new(user), own: true }
    }

    /// Checks that the caller may see private fields; an API token needs the scope for it.
    fn private(&self, ctx: &Context<'_>, what: &str) -> Result<()> {
        let own = self.own || within(ctx, Scope::ReadAccount).is(self.user.id);
        match own || policy::can_see_private(within(ctx, Scope::ReadUsers), self.user.id) {
            true => Ok(()),
            false => Err(only_owner(what)),
        }
    }
}

fn only_owner(what: &str) -> Error {
    Error::Forbidden(format!("Only the owner of an account sees its {what}."))
}

/// The identities that are linked to the account of `user`.
pub(super) async fn identities(
    ctx: &Context<'_>,
    user: UserId,
    args: PageArgs,
) -> Result<Option<Sequential<Connection<IdentityObject>>>> {
    let linked = loaders(ctx).load(IdentitiesOf(user)).await?.unwrap_or_default();
    let objects = linked.iter().map(|identity| IdentityObject::new(app(ctx), identity)).collect();
    let key = |identity: &IdentityObject| (identity.created_at.timestamp_micros(), identity.id.uuid());
    slice(args, IDENTITIES, objects, key).map(|page| Some(Sequential(page)))
}

/// The user queries.
#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// The user with this id; null if there is none.
    #[graphql(directive = public::apply())]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user.")] id: UserId,
    ) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, id).await?.map(Sequential))
    }
}

/// The payload of `changeUserRole`.
#[derive(SimpleObject)]
pub(in crate::accounts) struct ChangeUserRolePayload {
    /// The user with the new role; null if there are `userErrors`.
    user: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The user mutations.
#[derive(Default)]
pub(super) struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes the role of a user. Their access tokens are rejected within a second; refreshing a session issues one
    /// with the new role.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn change_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the new role.")] input: ChangeUserRoleInput,
    ) -> Result<Option<Sequential<ChangeUserRolePayload>>> {
        let (user, user_errors) = payload(command::change_role(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Sequential(ChangeUserRolePayload { user: user.map(object), user_errors })))
    }
}

/// Returns a user as others see them.
///
/// # Errors
/// The database failed.
pub async fn user_node(ctx: &Context<'_>, id: UserId) -> Result<Option<UserObject>> {
    Ok(loaders(ctx).load(UserById(id)).await?.map(UserObject::new))
}

pub(super) fn object(user: User) -> Sequential<UserObject> {
    Sequential(UserObject::new(Arc::new(user)))
}
