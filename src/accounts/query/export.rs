//! SQL for the export of a user's data.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{ApiToken, EmailChange, Session, UserId};
use crate::graphql::export::FETCH;
use crate::platform::db::RunQueryDsl;
use crate::platform::db::schema::{api_tokens, email_changes, sessions, users};

/// The columns of the user's row that [`User`](crate::accounts::model::User) leaves out.
#[derive(Queryable)]
pub(crate) struct Rest {
    pub bio: String,
    pub has_password: bool,
    pub(crate) email_verified_at: Option<DateTime<Utc>>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

pub(crate) async fn rest(conn: &mut AsyncPgConnection, id: UserId) -> QueryResult<Rest> {
    let columns = (users::bio, users::password_hash.is_not_null(), users::email_verified_at, users::last_sign_in_at);
    users::table.find(id).select(columns).first(conn).await
}

/// Returns live and ended sessions, most recently used first.
pub(crate) async fn sessions(conn: &mut AsyncPgConnection, id: UserId) -> QueryResult<Vec<Session>> {
    sessions::table
        .filter(sessions::user_id.eq(id))
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .limit(FETCH)
        .select(Session::as_select())
        .load(conn)
        .await
}

/// Returns all API tokens, valid or not, newest first.
pub(crate) async fn api_tokens(conn: &mut AsyncPgConnection, id: UserId) -> QueryResult<Vec<ApiToken>> {
    api_tokens::table
        .filter(api_tokens::user_id.eq(id))
        .order((api_tokens::created_at.desc(), api_tokens::id.desc()))
        .limit(FETCH)
        .select(ApiToken::as_select())
        .load(conn)
        .await
}

/// Returns all requested email changes, confirmed or not, newest first.
pub(crate) async fn email_changes(conn: &mut AsyncPgConnection, id: UserId) -> QueryResult<Vec<EmailChange>> {
    email_changes::table
        .filter(email_changes::user_id.eq(id))
        .order((email_changes::requested_at.desc(), email_changes::id.desc()))
        .limit(FETCH)
        .select(EmailChange::as_select())
        .load(conn)
        .await
}
