//! The authorization rules for videos and files.
//!
//! Who may watch a video depends on the lesson or course that shows it, so later features decide that.

use super::model::{Target, Video};
use crate::accounts::UserId;
use crate::platform::auth::{Actor, Role};

/// Returns whether the actor may manage a video: its owner and administrators may.
pub fn can_manage(actor: &Actor, video: &Video) -> bool {
    owns(actor, video.owner_id)
}

/// Returns whether the actor may manage what `owner` uploaded.
///
/// Administrators may, and the owner while an instructor.
pub fn owns(actor: &Actor, owner: UserId) -> bool {
    (actor.has(Role::Instructor) && actor.is(owner)) || actor.has(Role::Admin)
}

/// Returns whether the actor may upload a file for `target`: instructors may, and others if the target says so.
pub(crate) fn can_upload(actor: &Actor, target: Option<&Target>) -> bool {
    actor.has(target.map_or(Role::Instructor, |target| target.role))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::graphql::Id;
    use crate::media::{UploadPurpose, VideoStatus};

    #[test]
    fn the_table() {
        let video = Video {
            id: Id::new(Uuid::from_u128(10)),
            owner_id: Id::new(Uuid::from_u128(1)),
            filename: "ownership.mp4".into(),
            object_key: "videos/1/original".into(),
            content_type: "video/mp4".into(),
            size_bytes: 1,
            status: VideoStatus::Ready,
            progress_percent: 100,
            failure: None,
            duration_ms: Some(1001),
            width: None,
            height: None,
            poster_key: None,
            playlist_key: None,
            created_at: DateTime::UNIX_EPOCH,
            delete_after: None,
        };
        assert_eq!(video.duration_seconds(), Some(2));
        let avatar = Target { purpose: UploadPurpose::Image, role: Role::Student, value: Value::Null };
        let user = |id: u128, role: Role| Actor::User {
            id: Uuid::from_u128(id),
            role,
            session: Uuid::nil(),
            version: 0,
            expires_at: DateTime::<Utc>::MAX_UTC,
            scopes: None,
        };
        for (who, actor, uploads, manages) in [
            ("anonymous", Actor::Anonymous, false, false),
            ("its owner", user(1, Role::Instructor), true, true),
            ("its owner, now a student", user(1, Role::Student), false, false),
            ("another instructor", user(2, Role::Instructor), true, false),
            ("an administrator", user(3, Role::Admin), true, true),
        ] {
            assert_eq!(can_upload(&actor, None), uploads, "{who}");
            assert_eq!(can_upload(&actor, Some(&avatar)), who != "anonymous", "{who}");
            assert_eq!(can_manage(&actor, &video), manages, "{who}");
        }
    }
}
