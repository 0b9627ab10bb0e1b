//! Commands that give many users access, or take it from them, each in a transaction of its own.

use super::{grant, revoke};
use crate::accounts::User;
use crate::enrollments::model::{
    BulkGrantCourseAccessInput, BulkRevokeCourseAccessInput, GrantCourseAccessInput, RevokeCourseAccessInput,
};
use crate::entitlements::Entitlement;
use crate::graphql::Result;
use crate::graphql::bulk::{Done, for_each};
use crate::platform::App;
use crate::platform::auth::{Actor, Client};

const USERS: &str = "userIds";

/// Grants users access to a course, each as by [`grant`].
///
/// # Errors
/// There are no users, too many, or one twice.
pub async fn grant_users(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: BulkGrantCourseAccessInput,
) -> Result<Vec<Done<User, Entitlement>>> {
    let BulkGrantCourseAccessInput { user_ids, course_id, expires_at, reason } = input;
    for_each(USERS, user_ids, |user_id| {
        let input = GrantCourseAccessInput { user_id, course_id, expires_at, reason: reason.clone() };
        grant(app, actor, client, input)
    })
    .await
}

/// Revokes what administrators have granted to users, each as by [`revoke`].
///
/// # Errors
/// There are no users, too many, or one twice.
pub async fn revoke_users(
    app: &App,
    actor: &Actor,
    client: &Client,
    input: BulkRevokeCourseAccessInput,
) -> Result<Vec<Done<User, Entitlement>>> {
    let BulkRevokeCourseAccessInput { user_ids, course_id, reason } = input;
    for_each(USERS, user_ids, |user_id| {
        let input = RevokeCourseAccessInput { user_id, course_id, reason: reason.clone() };
        revoke(app, actor, client, input)
    })
    .await
}
