//! Mutations of the access of many users.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use crate::accounts::{User, UserId};
use crate::enrollments::command;
use crate::enrollments::model::{BulkGrantCourseAccessInput, BulkRevokeCourseAccessInput};
use crate::entitlements::{Entitlement, EntitlementObject};
use crate::graphql::bulk::{BulkPayload, Done};
use crate::graphql::context::{actor, app, client};
use crate::graphql::guard::{Role, requires};
use crate::graphql::{Requires, Result, Sequential, UserError};

// Markers: each mutation has a result type of its own in the schema, which is named after it.
pub(super) struct Grant;
pub(super) struct Revoke;

/// What a bulk mutation did with the access of one user.
#[derive(SimpleObject)]
#[graphql(concrete(name = "BulkGrantCourseAccessResult", params(Grant)))]
#[graphql(concrete(name = "BulkRevokeCourseAccessResult", params(Revoke)))]
pub(super) struct AccessResult<M: Send + Sync> {
    /// The id of the user in the input.
    id: UserId,
    /// The entitlement in its current state; null if there are `userErrors`.
    entitlement: Option<Sequential<EntitlementObject>>,
    /// Why nothing was done for this user; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

impl<M: Send + Sync> From<Done<User, Entitlement>> for AccessResult<M> {
    fn from(Done { id, value, user_errors }: Done<User, Entitlement>) -> AccessResult<M> {
        let entitlement = value.map(|row| Sequential(EntitlementObject(Arc::new(row))));
        AccessResult { id, entitlement, user_errors, mutation: PhantomData }
    }
}

/// The mutations of the access of many users.
#[derive(Default)]
pub(super) struct BulkAccessMutation;

#[Object]
impl BulkAccessMutation {
    /// Grants users access to a course, each as by `grantCourseAccess`. One that fails leaves the others. Repeating the
    /// mutation is safe.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn bulk_grant_course_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The users, the course and the expiry.")] input: BulkGrantCourseAccessInput,
    ) -> Result<Option<Sequential<BulkPayload<AccessResult<Grant>>>>> {
        BulkPayload::of(command::grant_users(app(ctx), actor(ctx), client(ctx), input).await, AccessResult::from)
    }

    /// Revokes users' access to a course, each as by `revokeCourseAccess`. One that fails leaves the others.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn bulk_revoke_course_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The users and the course.")] input: BulkRevokeCourseAccessInput,
    ) -> Result<Option<Sequential<BulkPayload<AccessResult<Revoke>>>>> {
        BulkPayload::of(command::revoke_users(app(ctx), actor(ctx), client(ctx), input).await, AccessResult::from)
    }
}
