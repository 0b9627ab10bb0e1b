//! Personal API tokens.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use diesel::{Queryable, Selectable};

use super::{User, UserId};
use crate::graphql::{Entity, Id, Idempotency, Time, guard};
use crate::platform::auth::{Actor, Scopes};
use crate::platform::db::schema::api_tokens;

/// A personal API token's id: `api_token_01j…`.
pub type ApiTokenId = Id<ApiToken>;

/// A token with which a program acts for a user. Its secret is not part of it: only a hash is stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = api_tokens, check_for_backend(diesel::pg::Pg))]
pub struct ApiToken {
    /// The id.
    pub id: ApiTokenId,
    /// The owner.
    pub user_id: UserId,
    /// The name that its owner gave it.
    pub name: String,
    /// The scopes that it is limited to.
    pub scopes: Scopes,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to within a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The IP address that it was last used from.
    pub last_used_ip: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Entity for ApiToken {
    const PREFIX: &'static str = "api_token";
}

impl ApiToken {
    /// Returns the actor that the token of `owner` authenticates at `now`.
    ///
    /// `None` if the token is expired or revoked, or if the owner is banned.
    pub fn actor(&self, owner: &User, now: DateTime<Utc>) -> Option<Actor> {
        let good = self.revoked_at.is_none() && self.expires_at > now && !owner.is_banned(now);
        good.then_some(Actor::User {
            id: owner.id.uuid(),
            role: owner.role,
            session: self.id.uuid(),
            version: owner.token_version,
            expires_at: self.expires_at,
            scopes: Some(self.scopes),
        })
    }
}

/// A new token with its secret, which is not available later.
#[derive(Clone)]
pub struct CreatedApiToken {
    /// The stored token.
    pub row: ApiToken,
    /// The secret that the program sends; `None` if an earlier request created the token.
    pub token: Option<String>,
}

/// The input of `createApiToken`.
#[derive(Clone, Debug, InputObject)]
pub struct CreateApiTokenInput {
    /// What the token is for, 1 to 100 characters. Only its owner sees it.
    pub name: String,
    /// The scopes that the token is limited to; at least one.
    pub scopes: Vec<guard::Scope>,
    /// When the token expires; at most 366 days from now.
    pub expires_at: Time,
    /// Identifies this request.
    #[graphql(flatten)]
    pub once: Idempotency,
}

/// The input of `revokeApiToken`.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeApiTokenInput {
    /// The token to revoke, which must be one of the viewer's.
    pub api_token_id: ApiTokenId,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::platform::auth::{Role, Scope};

    #[test]
    fn a_token_speaks_for_its_owner_while_it_lives_and_the_owner_is_not_banned() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let owner = User {
            id: Id::new(Uuid::from_u128(1)),
            email: "ada@example.org".into(),
            name: "Ada".into(),
            role: Role::Instructor,
            role_since: None,
            created_at: at(0),
            token_version: 7,
            banned_at: None,
            banned_until: None,
            ban_reason: None,
            locale: None,
            time_zone: None,
            avatar_id: None,
            updated_at: DateTime::UNIX_EPOCH,
            deletion_due_at: None,
            deleted_at: None,
        };
        let banned = User { banned_at: Some(at(10)), banned_until: Some(at(20)), ..owner.clone() };
        let token = ApiToken {
            id: Id::new(Uuid::from_u128(2)),
            user_id: Id::new(Uuid::from_u128(1)),
            name: "importer".into(),
            scopes: Scopes::from_iter([Scope::WriteCourses]),
            created_at: at(0),
            expires_at: at(100),
            last_used_at: None,
            last_used_ip: None,
            revoked_at: None,
        };
        let revoked = ApiToken { revoked_at: Some(at(5)), ..token.clone() };
        for (case, token, owner, now, good) in [
            ("new", &token, &owner, 0, true),
            ("in its last second", &token, &owner, 99, true),
            ("expired", &token, &owner, 100, false),
            ("revoked", &revoked, &owner, 50, false),
            ("its owner is banned", &token, &banned, 15, false),
            ("the ban is over", &token, &banned, 20, true),
        ] {
            let expected = good.then_some(Actor::User {
                id: Uuid::from_u128(1),
                role: Role::Instructor,
                session: Uuid::from_u128(2),
                version: 7,
                expires_at: at(100),
                scopes: Some(token.scopes),
            });
            assert_eq!(token.actor(owner, at(now)), expected, "{case}");
        }
    }
}
