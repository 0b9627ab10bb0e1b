//! Roles and API token scopes in the schema.

use async_graphql::Enum;

use crate::platform::auth;

/// A user's role on the platform. ADMIN includes the permissions of INSTRUCTOR, which includes those of STUDENT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "auth::Role")]
pub enum Role {
    /// A learner. Every signed-in user has at least this role.
    Student,
    /// Creates courses and edits their own.
    Instructor,
    /// Administers the platform.
    Admin,
}

/// A permission of a personal API token. A scope never grants more than the owner's role allows. Public data needs no
/// scope. Whatever is neither public nor covered by a scope requires a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ApiTokenScope", remote = "auth::Scope")]
pub enum Scope {
    /// The private fields of the owner's own account, such as the email address.
    ReadAccount,
    /// Drafts that the owner may see, and the content of courses in which the owner is enrolled. Draft courses and
    /// lessons appear in all fields that return the published ones to everyone.
    ReadCourses,
    /// Authoring: all mutations of courses, sections, lessons and uploads. Includes READ_COURSES.
    WriteCourses,
    /// The owner's enrollments, progress and certificates; for administrators, everyone's enrollments.
    ReadLearning,
    /// Learning: enroll, save progress, and show or hide the name on certificates. Includes READ_LEARNING.
    WriteLearning,
    /// Private data of other users, as far as the owner may see it. For administrators, this is the list of users, and
    /// every user's email address, ban and linked identity providers.
    ReadUsers,
    /// Questions and replies about the lessons that the owner may see, and the owner's own and hidden reviews.
    ReadDiscussions,
    /// Taking part in discussions: asking, replying, reviewing, voting, following, reporting and moderating. Includes
    /// READ_DISCUSSIONS.
    WriteDiscussions,
    /// The owner's notifications, their settings, and the announcements that the owner may see.
    ReadNotifications,
    /// Marking and muting notifications, changing their settings, and making announcements. Includes READ_NOTIFICATIONS.
    WriteNotifications,
    /// The owner's orders and memberships; for administrators, all orders and the events of payment providers.
    ReadOrders,
}
