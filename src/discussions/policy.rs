//! Authorization rules of discussions.

use super::model::{Post, PostAction, PostKind, Question};
use crate::accounts::UserId;
use crate::entitlements::{Access, AccessReason};

/// What a user may do in the discussion of a lesson or a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The user; `None` for anonymous.
    pub viewer: Option<UserId>,
    /// Whether they read: they may see the lesson.
    pub reads: bool,
    /// Whether they write: they are entitled to the lesson, or in the course's team.
    pub writes: bool,
    /// Whether they may edit the course, and therefore moderate.
    pub is_team: bool,
}

impl Rights {
    /// The rights of a user with this access to what is discussed.
    pub(super) fn new(viewer: Option<UserId>, access: &Access) -> Rights {
        let is_team = access.reason == AccessReason::Staff;
        let writes = viewer.is_some() && access.granted && (is_team || access.reason == AccessReason::Entitled);
        Rights { viewer, reads: access.granted, writes, is_team }
    }

    fn is_author(&self, post: &Post) -> bool {
        self.viewer == Some(post.author_id)
    }
}

/// Whether the viewer may see a post: a hidden one is for its author and the team. A reply is seen with its question.
pub(super) fn can_see(rights: &Rights, post: &Post, question: Option<&Question>) -> bool {
    let shown = |post: &Post| post.hidden_at.is_none() || rights.is_team || rights.is_author(post);
    rights.reads && shown(post) && question.is_none_or(|question| shown(&question.post))
}

/// Whether the viewer may see earlier versions of a post: its author and the team may.
pub(super) fn can_see_edits(rights: &Rights, post: &Post) -> bool {
    rights.reads && (rights.is_team || rights.is_author(post))
}

/// Whether the viewer may do something with a post that they may see. `question` is the post's question, or that of the
/// reply.
pub(super) fn permits(rights: &Rights, action: PostAction, post: &Post, question: Option<&Question>) -> bool {
    let own = rights.is_author(post);
    let asked = post.kind == PostKind::Question;
    let may = match action {
        PostAction::Update | PostAction::Delete => own,
        PostAction::Vote => rights.writes && !own && post.is_shown(),
        PostAction::Report => rights.viewer.is_some() && !own,
        PostAction::Reply => post.is_shown() && can_reply(rights, post, question),
        PostAction::Accept => post.kind == PostKind::Reply && post.is_shown() && can_resolve(rights, question),
        PostAction::Resolve => asked && can_resolve(rights, question),
        PostAction::Pin | PostAction::Lock => asked && rights.is_team,
        PostAction::Hide => rights.is_team && post.hidden_at.is_none(),
        PostAction::Restore => rights.is_team && post.hidden_at.is_some(),
        PostAction::Remove => rights.is_team,
    };
    may && post.deleted_at.is_none()
}

/// Whether the viewer may reply: to a question, all who write may unless it is locked; to a review, the team may once.
fn can_reply(rights: &Rights, post: &Post, question: Option<&Question>) -> bool {
    match post.kind {
        PostKind::Question => rights.writes && question.is_some_and(|question| !question.is_locked),
        PostKind::Reply => false,
        PostKind::Review => rights.is_team && post.stats.reply_count == 0,
    }
}

/// Whether the viewer decides if a question is resolved, and by which reply: who asked it and still writes, and the team.
fn can_resolve(rights: &Rights, question: Option<&Question>) -> bool {
    question.is_some_and(|question| {
        question.post.deleted_at.is_none() && (rights.is_team || (rights.writes && rights.is_author(&question.post)))
    })
}
