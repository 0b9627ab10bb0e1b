//! Users in the schema.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::identity::IdentityObject;
use crate::accounts::loader::{BioOf, IdentitiesOf, UserById};
use crate::accounts::model::{Ban, ChangeUserRoleInput, User, UserId};
use crate::accounts::{command, policy};
use crate::graphql::context::{Role, Scope, actor, app, client, loaders, public, requires, within};
use crate::graphql::error::payload;
use crate::graphql::page::slice;
use crate::graphql::{Connection, Error, Inline, PageArgs, Requires, Result, UserError};

const IDENTITIES: &str = "identities";

/// A user in the schema.
#[derive(Clone)]
pub struct UserObject {
    pub(super) user: Arc<User>,
    /// Whether this request has proved to be the user's, though it came without a token: it has signed them in, or had
    /// a link that was mailed to them.
    own: bool,
}

/// Somebody with an account.
#[Object(name = "User")]
impl UserObject {
    /// Identifies the user.
    pub async fn id(&self) -> UserId {
        self.user.id
    }

    /// The name that others see.
    async fn name(&self) -> &str {
        &self.user.name
    }

    /// The e-mail address. Only its owner and administrators see it; for others it is null, with an error.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.private(ctx, "e-mail address")?;
        Ok(Some(&self.user.email))
    }

    /// Why and for how long the user is shut out; null for most. Only the user and administrators see it; for others it
    /// is null, with an error.
    async fn ban(&self, ctx: &Context<'_>) -> Result<Option<Inline<Ban>>> {
        self.private(ctx, "ban")?;
        Ok(Ban::of(&self.user, app(ctx).clock.now()).map(Inline))
    }

    /// What the user is to the platform.
    async fn role(&self) -> Role {
        self.user.role.into()
    }

    /// The accounts at other services that open this one, in the order in which they were linked. Only its owner and
    /// administrators see them; for others they are null, with an error.
    async fn identities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<Inline<Connection<IdentityObject>>>> {
        self.private(ctx, "linked services")?;
        let linked = loaders(ctx).load(IdentitiesOf(self.user.id)).await?.unwrap_or_default();
        let objects = linked.iter().map(|identity| IdentityObject::new(app(ctx), identity)).collect();
        let args = PageArgs { first, after, last, before };
        let key = |identity: &IdentityObject| (identity.created_at.timestamp_micros(), identity.id.uuid());
        slice(args, IDENTITIES, objects, key).map(|page| Some(Inline(page)))
    }

    /// What the user tells about themselves, in plain text; may be empty.
    async fn bio(&self, ctx: &Context<'_>) -> Result<String> {
        let bio = loaders(ctx).load(BioOf(self.user.id)).await?;
        Ok(bio.map(|bio| bio.to_string()).unwrap_or_default())
    }

    /// The user's picture, a JPEG, PNG or WebP file; null if there is none. The address is good for a day at least and
    /// stays the same for as long as a day, so don't keep it: ask again.
    async fn avatar_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(key) = &self.user.avatar_key else { return Ok(None) };
        let url = app(ctx).storage.presign_shared(key, app(ctx).clock.now()).await?;
        Ok(Some(url.to_string()))
    }

    /// The language that the user chose, a BCP 47 tag; null if they chose none. Only the user and administrators see
    /// it; for others it is null, with an error.
    async fn locale(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.private(ctx, "language")?;
        Ok(self.user.locale.as_deref())
    }

    /// The time zone that the user chose, by its IANA name; null if they chose none. Only the user and administrators
    /// see it; for others it is null, with an error.
    async fn time_zone(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        self.private(ctx, "time zone")?;
        Ok(self.user.time_zone.as_deref())
    }

    /// When the account is deleted, if its user has given it up: see `cancelAccountDeletion`. Only the user and
    /// administrators see it; for others it is null, with an error.
    async fn deletion_due_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        self.private(ctx, "end")?;
        Ok(self.user.deletion_due_at)
    }

    /// When the user registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.user.created_at
    }
}

impl UserObject {
    /// A user as whoever asks may see them.
    pub fn new(user: Arc<User>) -> UserObject {
        UserObject { user, own: false }
    }

    /// Who it is.
    pub fn user_id(&self) -> UserId {
        self.user.id
    }

    /// A user whose own request it is.
    pub(super) fn own(user: User) -> UserObject {
        UserObject { user: Arc::new(user), own: true }
    }

    /// What only the user and administrators see; with an API token, those whose scope it has.
    fn private(&self, ctx: &Context<'_>, what: &str) -> Result<()> {
        let own = self.own || within(ctx, Scope::ReadAccount).is(self.user.id);
        match own || policy::can_see_private(within(ctx, Scope::ReadUsers), &self.user) {
            true => Ok(()),
            false => Err(Error::Forbidden(format!("Only the owner of an account sees its {what}."))),
        }
    }
}

/// The queries about users.
#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// The signed-in user; null when nobody is signed in. An API token needs the scope READ_ACCOUNT.
    #[graphql(directive = public::apply())]
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<Inline<UserObject>>> {
        let Some(id) = within(ctx, Scope::ReadAccount).id() else { return Ok(None) };
        let user = loaders(ctx).load(UserById(UserId::new(id))).await?;
        Ok(user.map(|user| Inline(UserObject::new(user))))
    }
}

/// The answer to `changeUserRole`.
#[derive(SimpleObject)]
pub(in crate::accounts) struct ChangeUserRolePayload {
    /// The user with the new role; null when there are userErrors.
    user: Option<Inline<UserObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// What can be done with users.
#[derive(Default)]
pub(super) struct UserMutation;

#[Object]
impl UserMutation {
    /// Gives a user another role. Their access tokens are refused within a second; refreshing gives one with the new
    /// role.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn change_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets which role.")] input: ChangeUserRoleInput,
    ) -> Result<Option<Inline<ChangeUserRolePayload>>> {
        let (user, user_errors) = payload(command::change_role(app(ctx), actor(ctx), client(ctx), input).await)?;
        Ok(Some(Inline(ChangeUserRolePayload { user: user.map(object), user_errors })))
    }
}

pub(super) fn object(user: User) -> Inline<UserObject> {
    Inline(UserObject::new(Arc::new(user)))
}
