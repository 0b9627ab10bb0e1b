//! Authorization rules of the catalog.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Course, Lesson};
use crate::accounts::UserId;
use crate::channels::ChannelId;
use crate::entitlements::{self, Access, Content, Entitlement, LessonContent, Opening};
use crate::media::{self, Video};
use crate::platform::auth::{Actor, Role};

/// Whether the actor may create courses: instructors and administrators may.
pub(crate) fn can_create(actor: &Actor) -> bool {
    actor.has(Role::Instructor)
}

/// Whether the actor may edit a course: its instructor and administrators may, and instructors whom the owner of its
/// channel lets edit the channel's courses (`channel_editor`).
pub(crate) fn can_edit(actor: &Actor, course: &Course, channel_editor: bool) -> bool {
    (actor.has(Role::Instructor) && (actor.is(course.instructor_id) || channel_editor)) || actor.has(Role::Admin)
}

/// Returns the user and the channel for which to find out whether the actor is a `channel_editor` for [`can_edit`];
/// `None` if it does not matter.
pub(crate) fn possible_editor(actor: &Actor, course: &Course) -> Option<(UserId, ChannelId)> {
    let matters = actor.has(Role::Instructor) && !can_edit(actor, course, false);
    actor.id().map(UserId::new).zip(course.channel_id).filter(|_| matters)
}

/// Whether the actor may change the category tree: administrators may.
pub(crate) fn can_sort(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Whether the actor may give a course to another instructor: administrators may.
pub(crate) fn can_transfer(actor: &Actor) -> bool {
    actor.has(Role::Admin)
}

/// Whether the actor may see a course.
///
/// A draft is visible only to those who may edit it (`edits`); an archived course also to users with access to it
/// (`entitled`). For other courses `entitled` does not matter.
pub fn can_see(course: &Course, edits: bool, entitled: bool) -> bool {
    course.published_at.is_some() || edits || (entitled && course.archived_at.is_some())
}

/// Whether the actor may see a lesson.
///
/// They must be able to see its course; a draft lesson is visible only to those who may edit it (`edits`).
pub fn can_see_lesson(course: &Course, lesson: &Lesson, edits: bool, entitled: bool) -> bool {
    can_see(course, edits, entitled) && (lesson.published_at.is_some() || edits)
}

/// Whether the actor may use an upload of `owner` in a course.
///
/// Actors may use uploads of their own and of the course's instructor; administrators may use any.
pub(crate) fn can_show(actor: &Actor, course: &Course, owner: UserId) -> bool {
    actor.has(Role::Admin) || actor.is(owner) || owner == course.instructor_id
}

/// Decides whether the viewer may see the content of a lesson, or of the whole course.
///
/// `edits` is whether they may edit the course, `category_path` is the path of its category, and `held` are the viewer's
/// entitlements.
pub fn access(
    viewer: &Actor,
    course: &Course,
    edits: bool,
    category_path: &[Uuid],
    lesson: Option<&Lesson>,
    held: &[Entitlement],
    now: DateTime<Utc>,
) -> Access {
    let lesson = lesson.map(|lesson| LessonContent {
        published: lesson.published_at.is_some(),
        preview: lesson.is_preview,
        unlock_at: lesson.unlock_at,
        unlock_after_days: lesson.unlock_after_days,
    });
    entitlements::access(viewer, &Content { lesson, ..content(course, edits, category_path) }, held, now)
}

/// Decides which lessons of a course the viewer may see the content of; see [`access`].
pub(crate) fn opening(
    viewer: &Actor,
    course: &Course,
    edits: bool,
    category_path: &[Uuid],
    held: &[Entitlement],
    now: DateTime<Utc>,
) -> Opening {
    entitlements::opening(viewer, &content(course, edits, category_path), held, now)
}

/// The whole course.
fn content<'a>(course: &Course, edits: bool, category_path: &'a [Uuid]) -> Content<'a> {
    Content {
        course: course.id.uuid(),
        category_path,
        staff: edits,
        published: course.published_at.is_some(),
        archived: course.archived_at.is_some(),
        lesson: None,
    }
}

/// Decides whether the viewer may watch a video by itself: its owner and administrators may.
pub(crate) fn own_access(viewer: &Actor, video: &Video, now: DateTime<Utc>) -> Access {
    let content = Content {
        course: Uuid::nil(),
        category_path: &[],
        staff: media::can_manage(viewer, video),
        published: false,
        archived: false,
        lesson: None,
    };
    entitlements::access(viewer, &content, &[], now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::model::LessonKind;
    use crate::graphql::Id;
    use crate::graphql::money::CurrencyCode;

    fn actor(id: u128, role: Role) -> Actor {
        let id = Uuid::from_u128(id);
        Actor::User { id, role, session: Uuid::nil(), version: 0, expires_at: DateTime::<Utc>::MAX_UTC, scopes: None }
    }

    fn course(published: bool) -> Course {
        Course {
            id: Id::new(Uuid::from_u128(10)),
            slug: "rust".into(),
            title: "Rust".into(),
            subtitle: String::new(),
            instructor_id: Id::new(Uuid::from_u128(1)),
            category_id: None,
            channel_id: None,
            level: None,
            language: None,
            thumbnail_id: None,
            demo_video_id: None,
            price_minor: 0,
            estimated_price_minor: None,
            currency: CurrencyCode::USD,
            rating_hundredths: 0,
            popularity: 0,
            lesson_count: 0,
            duration_seconds: 0,
            published_at: published.then_some(DateTime::UNIX_EPOCH),
            publish_at: None,
            archived_at: None,
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn lesson(published: bool) -> Lesson {
        Lesson {
            id: Id::new(Uuid::from_u128(20)),
            course_id: Id::new(Uuid::from_u128(10)),
            section_id: Id::new(Uuid::from_u128(15)),
            position: 1,
            title: "Ownership".into(),
            kind: LessonKind::Video,
            duration_seconds: Some(60),
            is_preview: false,
            video_id: None,
            published_at: published.then_some(DateTime::UNIX_EPOCH),
            publish_at: None,
            unlock_after_days: None,
            unlock_at: None,
            updated_at: DateTime::UNIX_EPOCH,
            version: 1,
        }
    }

    #[test]
    fn the_table() {
        // who, edits the channel's courses, creates, edits, sees (draft, published) course, sees (draft, published)
        // lesson of a published course
        for (who, actor, channel_editor, creates, edits, sees, sees_lesson) in [
            ("anonymous", Actor::Anonymous, false, false, false, (false, true), (false, true)),
            ("a student", actor(2, Role::Student), false, false, false, (false, true), (false, true)),
            ("its instructor", actor(1, Role::Instructor), false, true, true, (true, true), (true, true)),
            (
                "its instructor, now a student",
                actor(1, Role::Student),
                false,
                false,
                false,
                (false, true),
                (false, true),
            ),
            ("another instructor", actor(2, Role::Instructor), false, true, false, (false, true), (false, true)),
            ("an editor of its channel", actor(2, Role::Instructor), true, true, true, (true, true), (true, true)),
            ("an editor, now a student", actor(2, Role::Student), true, false, false, (false, true), (false, true)),
            ("an administrator", actor(3, Role::Admin), false, true, true, (true, true), (true, true)),
        ] {
            assert_eq!(can_create(&actor), creates, "{who}");
            assert_eq!(can_edit(&actor, &course(true), channel_editor), edits, "{who}");
            assert_eq!((can_see(&course(false), edits, true), can_see(&course(true), edits, false)), sees, "{who}");
            let of_published = |published| can_see_lesson(&course(true), &lesson(published), edits, true);
            assert_eq!((of_published(false), of_published(true)), sees_lesson, "{who}");
            assert_eq!(
                can_see_lesson(&course(false), &lesson(true), edits, true),
                edits,
                "{who}: a draft hides its lessons"
            );
            let archived = Course { archived_at: Some(DateTime::UNIX_EPOCH), ..course(false) };
            assert_eq!(can_see(&archived, edits, false), edits, "{who}");
            assert!(can_see(&archived, edits, true), "{who}: an archived course is there for those who have it");
            let of_archived = |published| can_see_lesson(&archived, &lesson(published), edits, true);
            assert_eq!((of_archived(false), of_archived(true)), (edits, true), "{who}");
        }
    }

    #[test]
    fn access_depends_on_the_rows() {
        use crate::entitlements::AccessReason::{NotEnrolled, NotPublished, Preview, SignInRequired, Staff};
        let draft_lesson = lesson(false);
        let preview = Lesson { is_preview: true, ..lesson(true) };
        for (what, viewer, published, lesson, expected) in [
            ("a course", Actor::Anonymous, true, None, SignInRequired),
            ("a course", actor(2, Role::Instructor), true, None, NotEnrolled),
            ("a draft", actor(2, Role::Student), false, None, NotPublished),
            ("a draft of their own", actor(1, Role::Instructor), false, None, Staff),
            ("a course that was theirs", actor(1, Role::Student), true, None, NotEnrolled),
            ("any draft", actor(3, Role::Admin), false, Some(&draft_lesson), Staff),
            ("a draft lesson", actor(2, Role::Student), true, Some(&draft_lesson), NotPublished),
            ("a preview", Actor::Anonymous, true, Some(&preview), Preview),
        ] {
            let course = course(published);
            let edits = can_edit(&viewer, &course, false);
            let access = access(&viewer, &course, edits, &[], lesson, &[], DateTime::UNIX_EPOCH);
            assert_eq!(access.reason, expected, "{what}: {viewer:?}");
        }
    }
}
