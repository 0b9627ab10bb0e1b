//! The kinds of notifications, a file for each: to which event it reacts, whom it tells, how events are grouped, what
//! users are told by default, and its texts.

mod announcement;
mod certificate_issued;
mod course_updated;
mod hours_nearly_used;
mod hours_used_up;
mod job_failed;
mod live_session_changed;
mod live_session_soon;
mod membership_changed;
mod new_course;
mod new_order;
mod new_video;
mod order_failed;
mod order_paid;
mod order_refund_failed;
mod order_refunded;
mod order_unpaid;
mod question_asked;
mod reply_accepted;
mod reply_received;
mod report_received;
mod review_received;
mod security;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::text::Texts;
use crate::accounts::UserId;
use crate::catalog::{CourseById, LessonKind, LessonPublished};
use crate::graphql::YearMonth;
use crate::graphql::loaders::Load;
use crate::live::{LiveSessionId, LiveUsageChanged};
use crate::notifications::command;
use crate::notifications::model::{Audience, Facts, NewNotification, NotificationKind, Preference};
use crate::orders::{self, OrderById, OrderId};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::jobs::Handler;

/// How long a reaction may take: some reads and one short transaction.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What makes a kind.
pub(super) struct Kind {
    /// What it is about, in words: the object of "no more emails about".
    name: Texts,
    /// How users are told who have chosen nothing.
    default: Preference,
    /// The templates of the title.
    pub(super) title: Texts,
    /// The templates of the body.
    pub(super) body: Texts,
    /// The reactions that tell of it.
    handlers: fn() -> Vec<Handler>,
}

/// Returns what makes a kind.
pub(super) fn kind(of: NotificationKind) -> &'static Kind {
    match of {
        NotificationKind::NewVideo => &new_video::KIND,
        NotificationKind::NewCourse => &new_course::KIND,
        NotificationKind::CourseUpdated => &course_updated::KIND,
        NotificationKind::QuestionAsked => &question_asked::KIND,
        NotificationKind::ReplyReceived => &reply_received::KIND,
        NotificationKind::ReplyAccepted => &reply_accepted::KIND,
        NotificationKind::ReviewReceived => &review_received::KIND,
        NotificationKind::CertificateIssued => &certificate_issued::KIND,
        NotificationKind::Security => &security::KIND,
        NotificationKind::Announcement => &announcement::KIND,
        NotificationKind::ReportReceived => &report_received::KIND,
        NotificationKind::JobFailed => &job_failed::KIND,
        NotificationKind::OrderPaid => &order_paid::KIND,
        NotificationKind::OrderFailed => &order_failed::KIND,
        NotificationKind::OrderUnpaid => &order_unpaid::KIND,
        NotificationKind::OrderRefunded => &order_refunded::KIND,
        NotificationKind::OrderRefundFailed => &order_refund_failed::KIND,
        NotificationKind::MembershipChanged => &membership_changed::KIND,
        NotificationKind::NewOrder => &new_order::KIND,
        NotificationKind::LiveSessionChanged => &live_session_changed::KIND,
        NotificationKind::LiveSessionSoon => &live_session_soon::KIND,
        NotificationKind::HoursNearlyUsed => &hours_nearly_used::KIND,
        NotificationKind::HoursUsedUp => &hours_used_up::KIND,
    }
}

/// Returns how users are told of a kind who have chosen nothing.
pub fn default_of(of: NotificationKind) -> Preference {
    kind(of).default
}

/// Returns what a kind is about, in words: English, German.
pub(crate) fn name_of(of: NotificationKind) -> Texts {
    kind(of).name
}

/// Returns the reactions of all kinds.
pub(super) fn handlers() -> impl Iterator<Item = Handler> {
    NotificationKind::ALL.into_iter().flat_map(|of| (kind(of).handlers)())
}

/// By every way.
const EVERYWHERE: Preference = Preference { in_app: true, email: true, push: true };
/// In the list and on devices, and not by email.
const ON_DEVICES: Preference = Preference { in_app: true, email: false, push: true };
/// In the list only.
const IN_APP: Preference = Preference { in_app: true, email: false, push: false };

/// What is told of an order: its number, and its first course.
async fn of_order(
    app: &App,
    kind: NotificationKind,
    audience: Audience,
    order: OrderId,
    occurrence: String,
) -> Result<NewNotification, InternalError> {
    let number = OrderById(order).load_one(app).await?.map(|row| row.number.to_string());
    let course = orders::courses_of(app, order).await?.into_iter().next();
    Ok(NewNotification {
        kind,
        audience,
        group: order.uuid().to_string(),
        subject: order.encode(),
        mute_keys: Vec::new(),
        actor: None,
        occurrence,
        facts: Facts { course, detail: number, ..Facts::default() },
    })
}

/// What a participant of a live session is told of it: a detail, and what tells it from others with the same detail.
fn of_session(
    kind: NotificationKind,
    participant: UserId,
    session: LiveSessionId,
    (detail, occurrence): (&str, &str),
) -> NewNotification {
    NewNotification {
        kind,
        audience: Audience::User(participant),
        group: format!("{}/{detail}", session.uuid()),
        subject: session.encode(),
        mute_keys: Vec::new(),
        actor: None,
        occurrence: format!("{}/{detail}/{occurrence}", session.uuid()),
        facts: Facts { session: Some(session), detail: Some(detail.to_owned()), ..Facts::default() },
    }
}

/// Tells a member of their hours in a month, once, if the event is such a one.
async fn tell_of_hours(
    app: &App,
    payload: Value,
    kind: NotificationKind,
    is_such: impl Fn(&LiveUsageChanged) -> bool,
) -> Result<(), InternalError> {
    let event: LiveUsageChanged = serde_json::from_value(payload)?;
    if !is_such(&event) {
        return Ok(());
    }
    let month = YearMonth::of_day(event.month).to_string();
    let new = NewNotification {
        kind,
        audience: Audience::User(event.user),
        group: month.clone(),
        subject: String::new(),
        mute_keys: Vec::new(),
        actor: None,
        occurrence: month.clone(),
        facts: Facts { detail: Some(month), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}

/// Tells the students of a course of a lesson that was published in it, if it is of the kind `only`.
async fn tell_of_lesson(
    app: &App,
    payload: Value,
    only: LessonKind,
    kind: NotificationKind,
) -> Result<(), InternalError> {
    let event: LessonPublished = serde_json::from_value(payload)?;
    if event.kind != only {
        return Ok(());
    }
    let Some(course) = CourseById(event.course_id).load_one(app).await? else { return Ok(()) };
    let channel = event.channel_id.map(Audience::Channel);
    let new = NewNotification {
        kind,
        audience: Audience::Course(course.id),
        group: format!("{}/{}", course.id.uuid(), day(event.published_at.unwrap_or(app.clock.now()))),
        subject: course.id.encode(),
        mute_keys: [Audience::Course(course.id)].into_iter().chain(channel).collect(),
        actor: Some(course.instructor_id),
        occurrence: event.lesson_id.uuid().to_string(),
        facts: Facts { course: Some(course.id), lesson: Some(event.lesson_id), ..Facts::default() },
    };
    command::create(app, &new).await.map(drop)
}

/// The day of an event, by which those of a course or a channel are grouped.
fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}
