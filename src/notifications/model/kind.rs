//! The kinds of notifications.

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};

use crate::platform::db::stored_as_text;

/// What a notification is about. `job/kind/` has a file for each.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[diesel(sql_type = Text)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationKind {
    /// Videos were published in a course that the user learns.
    NewVideo,
    /// Courses were published in a channel that the user follows.
    NewCourse,
    /// Lessons without a video were published in a course that the user learns.
    CourseUpdated,
    /// Questions were asked in a course in whose team the user is.
    QuestionAsked,
    /// There are replies to a question that the user follows, such as their own.
    ReplyReceived,
    /// A reply of the user was accepted as the answer.
    ReplyAccepted,
    /// Reviews were written of a course in whose team the user is.
    ReviewReceived,
    /// The user has completed a course and has got its certificate.
    CertificateIssued,
    /// The security of the account has changed, such as its password. Cannot be turned off.
    Security,
    /// Something was announced by an instructor or an administrator.
    Announcement,
    /// Posts were reported: for the course's team, and for administrators.
    ReportReceived,
    /// Background jobs have failed too often: for administrators.
    JobFailed,
    /// An order of the user is paid: the receipt.
    OrderPaid,
    /// The payment of an order of the user has failed, or a monthly donation has ended because several have.
    OrderFailed,
    /// An order of the user is not paid yet: one reminder.
    OrderUnpaid,
    /// An order of the user, or a part of it, was refunded.
    OrderRefunded,
    /// A refund of an order has failed: for its buyer, and for administrators.
    OrderRefundFailed,
    /// A membership of the user has begun, was renewed or changed, or could not be renewed.
    MembershipChanged,
    /// Orders were paid: for administrators.
    NewOrder,
    /// A live session of the user was moved or canceled, or they moved up from its waiting list.
    LiveSessionChanged,
    /// A live session of the user starts in 24 hours or in 15 minutes.
    LiveSessionSoon,
    /// The user has spent 80 % of their hours of live classes of a month.
    HoursNearlyUsed,
    /// The user has spent all of their hours of live classes of a month.
    HoursUsedUp,
}

stored_as_text!(NotificationKind {
    NewVideo = "NEW_VIDEO",
    NewCourse = "NEW_COURSE",
    CourseUpdated = "COURSE_UPDATED",
    QuestionAsked = "QUESTION_ASKED",
    ReplyReceived = "REPLY_RECEIVED",
    ReplyAccepted = "REPLY_ACCEPTED",
    ReviewReceived = "REVIEW_RECEIVED",
    CertificateIssued = "CERTIFICATE_ISSUED",
    Security = "SECURITY",
    Announcement = "ANNOUNCEMENT",
    ReportReceived = "REPORT_RECEIVED",
    JobFailed = "JOB_FAILED",
    OrderPaid = "ORDER_PAID",
    OrderFailed = "ORDER_FAILED",
    OrderUnpaid = "ORDER_UNPAID",
    OrderRefunded = "ORDER_REFUNDED",
    OrderRefundFailed = "ORDER_REFUND_FAILED",
    MembershipChanged = "MEMBERSHIP_CHANGED",
    NewOrder = "NEW_ORDER",
    LiveSessionChanged = "LIVE_SESSION_CHANGED",
    LiveSessionSoon = "LIVE_SESSION_SOON",
    HoursNearlyUsed = "HOURS_NEARLY_USED",
    HoursUsedUp = "HOURS_USED_UP",
});

impl NotificationKind {
    /// All kinds.
    pub const ALL: [NotificationKind; 23] = [
        NotificationKind::NewVideo,
        NotificationKind::NewCourse,
        NotificationKind::CourseUpdated,
        NotificationKind::QuestionAsked,
        NotificationKind::ReplyReceived,
        NotificationKind::ReplyAccepted,
        NotificationKind::ReviewReceived,
        NotificationKind::CertificateIssued,
        NotificationKind::Security,
        NotificationKind::Announcement,
        NotificationKind::ReportReceived,
        NotificationKind::JobFailed,
        NotificationKind::OrderPaid,
        NotificationKind::OrderFailed,
        NotificationKind::OrderUnpaid,
        NotificationKind::OrderRefunded,
        NotificationKind::OrderRefundFailed,
        NotificationKind::MembershipChanged,
        NotificationKind::NewOrder,
        NotificationKind::LiveSessionChanged,
        NotificationKind::LiveSessionSoon,
        NotificationKind::HoursNearlyUsed,
        NotificationKind::HoursUsedUp,
    ];
}
