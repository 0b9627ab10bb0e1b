//! SQL for attendances.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, max};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Timestamptz, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::graphql::page::Page;
use crate::live::model::{Attendance, AttendanceId, AttendanceStatus, LiveSession, LiveSessionId, Place, Seats, Usage};
use crate::platform::db::schema::{live_attendances, live_sessions};
use crate::platform::db::{RunQueryDsl, Tx, oldest_first, sql_query};
use crate::platform::retention::Retention;

/// The states of those who have, or had, a seat.
const SEATED: [AttendanceStatus; 3] = [AttendanceStatus::Held, AttendanceStatus::Attended, AttendanceStatus::Absent];
/// The states of places in sessions that are not settled.
const OPEN: [AttendanceStatus; 2] = [AttendanceStatus::Held, AttendanceStatus::Waiting];
/// The number of attendances in one batch of a sweep.
const BATCH: i64 = 100;

/// Old attendances: those of settled sessions, by when they were settled, and places that were given up, by when they
/// were taken.
pub(crate) const ATTENDANCES: [Retention; 2] = [
    Retention::new("live_attendances", "settled_at"),
    Retention { only: "status = 'RELEASED'", ..Retention::new("live_attendances", "since") },
];

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[AttendanceId]) -> QueryResult<Vec<Attendance>> {
    live_attendances::table.filter(live_attendances::id.eq_any(ids)).select(Attendance::as_select()).load(conn).await
}

/// Returns the attendances of users in sessions: of each of the users in each of the sessions.
pub(crate) async fn of(
    conn: &mut AsyncPgConnection,
    sessions: &[LiveSessionId],
    users: &[UserId],
) -> QueryResult<Vec<Attendance>> {
    live_attendances::table
        .filter(live_attendances::session_id.eq_any(sessions).and(live_attendances::user_id.eq_any(users)))
        .select(Attendance::as_select())
        .load(conn)
        .await
}

/// Counts the places that are taken in sessions; one without any is missing.
pub(crate) async fn seats(
    conn: &mut AsyncPgConnection,
    sessions: &[LiveSessionId],
) -> QueryResult<Vec<(LiveSessionId, Seats)>> {
    let rows: Vec<(LiveSessionId, AttendanceStatus, i64)> = live_attendances::table
        .filter(live_attendances::session_id.eq_any(sessions))
        .group_by((live_attendances::session_id, live_attendances::status))
        .select((live_attendances::session_id, live_attendances::status, count_star()))
        .load(conn)
        .await?;
    let mut seats: Vec<(LiveSessionId, Seats)> = Vec::new();
    for (session, status, count) in rows {
        let more = match status {
            AttendanceStatus::Waiting => Seats { taken: 0, waiting: count },
            status if SEATED.contains(&status) => Seats { taken: count, waiting: 0 },
            _ => Seats::default(),
        };
        match seats.iter_mut().find(|(known, _)| *known == session) {
            Some((_, sum)) => *sum = Seats { taken: sum.taken + more.taken, waiting: sum.waiting + more.waiting },
            None => seats.push((session, more)),
        }
    }
    Ok(seats)
}

/// Returns a batch of the waiting list of a session, by when the users got their place: those after the one with such a
/// time and id.
pub(crate) async fn waiting(
    tx: &mut Tx,
    session: LiveSessionId,
    (since, id): (DateTime<Utc>, AttendanceId),
) -> QueryResult<Vec<Attendance>> {
    let waiting = live_attendances::status.eq(AttendanceStatus::Waiting);
    live_attendances::table
        .filter(live_attendances::session_id.eq(session).and(waiting))
        .filter(live_attendances::since.ge(since))
        .filter(live_attendances::since.gt(since).or(live_attendances::id.gt(id)))
        .order((live_attendances::since, live_attendances::id))
        .limit(BATCH)
        .select(Attendance::as_select())
        .load(tx.conn())
        .await
}

/// Returns a batch of the users who have a seat in a session, by id after `after`.
pub(crate) async fn seated(tx: &mut Tx, session: LiveSessionId, after: UserId) -> QueryResult<Vec<UserId>> {
    let held = live_attendances::status.eq(AttendanceStatus::Held);
    live_attendances::table
        .filter(live_attendances::session_id.eq(session).and(held))
        .filter(live_attendances::user_id.gt(after))
        .order(live_attendances::user_id)
        .limit(BATCH)
        .select(live_attendances::user_id)
        .load(tx.conn())
        .await
}

/// Returns the seats of locked sessions, by user.
pub(crate) async fn held(tx: &mut Tx, sessions: &[LiveSessionId]) -> QueryResult<Vec<Attendance>> {
    let held = live_attendances::status.eq(AttendanceStatus::Held);
    live_attendances::table
        .filter(live_attendances::session_id.eq_any(sessions).and(held))
        .order((live_attendances::user_id, live_attendances::session_id))
        .select(Attendance::as_select())
        .load(tx.conn())
        .await
}

/// Returns the users who have a seat in one of the sessions or wait for one, with the session and its version.
pub(crate) async fn participants(
    tx: &mut Tx,
    sessions: &[LiveSessionId],
) -> QueryResult<Vec<(LiveSessionId, i32, UserId)>> {
    live_attendances::table
        .inner_join(live_sessions::table)
        .filter(live_attendances::session_id.eq_any(sessions).and(live_attendances::status.eq_any(OPEN)))
        .order((live_attendances::session_id, live_attendances::user_id))
        .select((live_sessions::id, live_sessions::version, live_attendances::user_id))
        .load(tx.conn())
        .await
}

/// Gives a user a place in a locked session: their first one, or another one after they left.
pub(crate) async fn place(
    tx: &mut Tx,
    (id, session, user): (AttendanceId, LiveSessionId, UserId),
    place: &Place,
) -> QueryResult<Attendance> {
    let ids =
        (live_attendances::id.eq(id), live_attendances::session_id.eq(session), live_attendances::user_id.eq(user));
    diesel::insert_into(live_attendances::table)
        .values((ids, place.clone()))
        .on_conflict((live_attendances::session_id, live_attendances::user_id))
        .do_update()
        .set(place.clone())
        .returning(Attendance::as_returning())
        .get_result(tx.conn())
        .await
}

/// Changes an attendance of a locked session.
pub(crate) async fn set(tx: &mut Tx, row: &Attendance) -> QueryResult<Attendance> {
    diesel::update(live_attendances::table.find(row.id))
        .set((
            live_attendances::status.eq(row.status),
            live_attendances::minutes.eq(row.minutes),
            live_attendances::month.eq(row.month),
            live_attendances::since.eq(row.since),
            live_attendances::joined_at.eq(row.joined_at),
            live_attendances::left_at.eq(row.left_at),
            live_attendances::recorded.eq(row.recorded),
            live_attendances::settled_at.eq(row.settled_at),
            live_attendances::payer_id.eq(row.payer_id),
        ))
        .returning(Attendance::as_returning())
        .get_result(tx.conn())
        .await
}

/// Forgets who has entered locked sessions, as they are at another time.
pub(crate) async fn forget_entries(tx: &mut Tx, sessions: &[LiveSessionId]) -> QueryResult<usize> {
    let entered = live_attendances::status.eq(AttendanceStatus::Held).and(live_attendances::joined_at.is_not_null());
    diesel::update(live_attendances::table.filter(live_attendances::session_id.eq_any(sessions).and(entered)))
        .set((
            live_attendances::joined_at.eq(None::<DateTime<Utc>>),
            live_attendances::left_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(tx.conn())
        .await
}

/// Removes all users from the waiting lists of locked sessions.
pub(crate) async fn release_waiting(tx: &mut Tx, sessions: &[LiveSessionId]) -> QueryResult<usize> {
    let waiting = live_attendances::status.eq(AttendanceStatus::Waiting);
    diesel::update(live_attendances::table.filter(live_attendances::session_id.eq_any(sessions).and(waiting)))
        .set(live_attendances::status.eq(AttendanceStatus::Released))
        .execute(tx.conn())
        .await
}

/// Locks the months of all who have seats in sessions, in an order that all transactions follow.
async fn lock_months(tx: &mut Tx, sessions: &[LiveSessionId]) -> QueryResult<usize> {
    sql_query(
        "SELECT 1 FROM live_usage WHERE (user_id, month) IN (SELECT coalesce(payer_id, user_id), month \
             FROM live_attendances WHERE session_id = ANY ($1) AND status = 'HELD') \
         ORDER BY user_id, month FOR NO KEY UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(sessions.to_vec())
    .execute(tx.conn())
    .await
}

/// Releases all seats of locked sessions and gives the hours back; returns the months of the users.
pub(crate) async fn release_seats(tx: &mut Tx, sessions: &[LiveSessionId]) -> QueryResult<Vec<Usage>> {
    lock_months(tx, sessions).await?;
    sql_query(
        "WITH released AS (UPDATE live_attendances SET status = 'RELEASED' \
             WHERE session_id = ANY ($1) AND status = 'HELD' RETURNING user_id, payer_id, month, minutes), \
         shares AS (SELECT user_id AS member, payer_id AS owner, month AS first_day, sum(minutes)::integer AS back \
             FROM released WHERE payer_id IS NOT NULL GROUP BY 1, 2, 3), \
         members AS (UPDATE live_family_usage SET held_minutes = held_minutes - back FROM shares \
             WHERE user_id = member AND month = first_day AND payer_id = owner), \
         sums AS (SELECT coalesce(payer_id, user_id) AS id, month AS first_day, sum(minutes)::integer AS back \
             FROM released GROUP BY 1, 2) \
         UPDATE live_usage SET held_minutes = held_minutes - back FROM sums \
         WHERE user_id = id AND month = first_day RETURNING live_usage.*",
    )
    .bind::<Array<SqlUuid>, _>(sessions.to_vec())
    .load(tx.conn())
    .await
}

/// Settles all seats of a locked session: who was there has attended it, and the others get their hours back. If
/// `is_partial`, it costs those who have entered the minutes of the session until they left, begun ones included. Returns
/// the months of the users.
pub(crate) async fn settle(
    tx: &mut Tx,
    session: &LiveSession,
    is_partial: bool,
    now: DateTime<Utc>,
) -> QueryResult<Vec<Usage>> {
    lock_months(tx, &[session.id]).await?;
    sql_query(
        "WITH seats AS (SELECT id AS seat, minutes AS held FROM live_attendances \
             WHERE session_id = $1 AND status = 'HELD'), \
         settled AS (UPDATE live_attendances SET settled_at = $4, \
                 status = CASE WHEN coalesce(recorded, joined_at IS NOT NULL) THEN 'ATTENDED' ELSE 'ABSENT' END, \
                 minutes = CASE WHEN $5 AND joined_at IS NOT NULL THEN least(minutes, greatest(1, \
                     ceil(extract(epoch FROM coalesce(left_at, $3) - greatest(joined_at, $2)) / 60)::integer)) \
                     ELSE minutes END \
             FROM seats WHERE id = seat RETURNING user_id AS user_of, payer_id AS owner, month AS first_day, held, \
                 minutes AS cost, (status = 'ATTENDED')::integer AS times, coalesce(joined_at, $2) AS entered), \
         members AS (UPDATE live_family_usage SET held_minutes = held_minutes - held, \
                 attended_minutes = attended_minutes + times * cost, sessions_attended = sessions_attended + times, \
                 sessions_missed = sessions_missed + 1 - times, last_attended_at = \
                     CASE times WHEN 1 THEN greatest(last_attended_at, entered) ELSE last_attended_at END \
             FROM settled WHERE user_id = user_of AND month = first_day AND payer_id = owner), \
         sums AS (SELECT coalesce(owner, user_of) AS id, first_day, sum(held)::integer AS back, \
                 sum(times * cost)::integer AS spent, \
                 count(*) FILTER (WHERE owner IS NULL AND times = 1)::integer AS own, \
                 count(*) FILTER (WHERE owner IS NULL AND times = 0)::integer AS missed, \
                 max(entered) FILTER (WHERE owner IS NULL AND times = 1) AS entered \
             FROM settled GROUP BY 1, 2) \
         UPDATE live_usage SET held_minutes = held_minutes - back, attended_minutes = attended_minutes + spent, \
             sessions_attended = sessions_attended + own, sessions_missed = sessions_missed + missed, \
             last_attended_at = greatest(last_attended_at, entered) \
         FROM sums WHERE user_id = id AND month = first_day RETURNING live_usage.*",
    )
    .bind::<SqlUuid, _>(session.id)
    .bind::<Timestamptz, _>(session.starts_at)
    .bind::<Timestamptz, _>(session.ends_at)
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(is_partial)
    .load(tx.conn())
    .await
}

/// Returns when the last of those who have attended a session left, which has just been settled; `None` if none of them
/// entered, or one stayed.
pub(crate) async fn last_left(tx: &mut Tx, session: LiveSessionId) -> QueryResult<Option<DateTime<Utc>>> {
    let attended = live_attendances::status.eq(AttendanceStatus::Attended);
    let joined = live_attendances::table
        .filter(live_attendances::session_id.eq(session).and(attended))
        .filter(live_attendances::joined_at.is_not_null());
    let stayed: i64 = joined.filter(live_attendances::left_at.is_null()).count().get_result(tx.conn()).await?;
    if stayed > 0 {
        return Ok(None);
    }
    joined.select(max(live_attendances::left_at)).get_result(tx.conn()).await
}

/// Returns a page of the participants of a session, by when they got their place.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    session: LiveSessionId,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Attendance>> {
    let rows = live_attendances::table.filter(live_attendances::session_id.eq(session)).select(Attendance::as_select());
    oldest_first!(&mut conn, rows, live_attendances::since, live_attendances::id, page)
}

/// Counts the participants of a session.
pub(crate) async fn count(mut conn: &AsyncPgConnection, session: LiveSessionId) -> QueryResult<i64> {
    live_attendances::table.filter(live_attendances::session_id.eq(session)).count().get_result(&mut conn).await
}

/// Returns the latest attendances of a user.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Attendance>> {
    live_attendances::table
        .filter(live_attendances::user_id.eq(user))
        .order((live_attendances::since.desc(), live_attendances::id.desc()))
        .limit(limit)
        .select(Attendance::as_select())
        .load(conn)
        .await
}

/// Returns a batch of the sessions in which a user has a place that is not settled.
pub(crate) async fn open_of(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<LiveSessionId>> {
    live_attendances::table
        .filter(live_attendances::user_id.eq(user).and(live_attendances::status.eq_any(OPEN)))
        .limit(BATCH)
        .select(live_attendances::session_id)
        .load(conn)
        .await
}

/// Returns a batch of the sessions after `now` in which a user has a place, latest first, with their starts: those
/// before the session with the start and id `before`.
pub(crate) async fn to_come(
    conn: &mut AsyncPgConnection,
    user: UserId,
    now: DateTime<Utc>,
    (start, id): (DateTime<Utc>, LiveSessionId),
) -> QueryResult<Vec<(DateTime<Utc>, LiveSessionId)>> {
    live_attendances::table
        .inner_join(live_sessions::table)
        .filter(live_attendances::user_id.eq(user).and(live_attendances::status.eq_any(OPEN)))
        .filter(live_sessions::starts_at.gt(now).and(live_sessions::starts_at.le(start)))
        .filter(live_sessions::starts_at.lt(start).or(live_sessions::id.lt(id)))
        .order((live_sessions::starts_at.desc(), live_sessions::id.desc()))
        .limit(BATCH)
        .select((live_sessions::starts_at, live_sessions::id))
        .load(conn)
        .await
}
