//! Authorization rules of discussions.

use chrono::TimeDelta;

use super::model::{HiddenReason, Post, PostAction, PostKind, Question, Seer};
use crate::accounts::UserId;
use crate::config::discussions::Discussions;
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
    pub fn new(viewer: Option<UserId>, access: &Access) -> Rights {
        let is_team = access.reason == AccessReason::Staff;
        let writes = viewer.is_some() && access.granted && (is_team || access.reason == AccessReason::Entitled);
        Rights { viewer, reads: access.granted, writes, is_team }
    }

    /// The rights of a user to whom lessons are open: as the course's team, as free previews, or otherwise.
    pub fn of_open(viewer: Option<UserId>, is_team: bool, is_preview: bool) -> Rights {
        Rights { viewer, reads: true, writes: viewer.is_some() && (is_team || !is_preview), is_team }
    }

    /// Who the user is for hidden posts.
    pub fn seer(&self) -> Seer {
        match self.viewer {
            _ if self.is_team => Seer::Team,
            Some(user) => Seer::User(user),
            None => Seer::Anonymous,
        }
    }

    fn is_author(&self, post: &Post) -> bool {
        self.viewer == Some(post.author_id)
    }
}

/// Why a text is held for moderation; `None` if everybody may see it at once. What the team writes is never held.
///
/// A link is held if the author's account, of the age `age`, is new.
pub(crate) fn hold(settings: &Discussions, rights: &Rights, age: TimeDelta, texts: [&str; 2]) -> Option<HiddenReason> {
    if rights.is_team {
        return None;
    }
    let texts = texts.map(str::to_lowercase);
    let mut words = texts.iter().flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric()));
    if words.any(|word| settings.blocked_words.iter().any(|blocked| blocked == word)) {
        return Some(HiddenReason::BlockedWord);
    }
    let has_link = texts.iter().any(|text| ["http://", "https://", "www."].iter().any(|sign| text.contains(sign)));
    (has_link && age < settings.link_age).then_some(HiddenReason::Link)
}

/// Whether the viewer may see a post: a hidden one is for its author and the team. A reply is seen with its question.
pub fn can_see(rights: &Rights, post: &Post, question: Option<&Question>) -> bool {
    let shown = |post: &Post| post.hidden_at.is_none() || rights.is_team || rights.is_author(post);
    rights.reads && shown(post) && question.is_none_or(|question| shown(&question.post))
}

/// Whether the viewer may see earlier versions of a post: its author and the team may.
pub fn can_see_edits(rights: &Rights, post: &Post) -> bool {
    rights.reads && (rights.is_team || rights.is_author(post))
}

/// Whether the viewer may do something with a post that they may see. `question` is the post's question, or that of the
/// reply.
pub fn permits(rights: &Rights, action: PostAction, post: &Post, question: Option<&Question>) -> bool {
    let own = rights.is_author(post);
    let asked = post.kind == PostKind::Question;
    let may = match action {
        // The team does not rate its own course, not even those who reviewed it before they joined.
        PostAction::Update => own && !(post.kind == PostKind::Review && rights.is_team),
        PostAction::Delete => own,
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

/// Whether the viewer decides if a question is resolved, and by which reply: who asked it and still writes, and the
/// team.
fn can_resolve(rights: &Rights, question: Option<&Question>) -> bool {
    question.is_some_and(|question| {
        question.post.deleted_at.is_none() && (rights.is_team || (rights.writes && rights.is_author(&question.post)))
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::discussions::model::{PostStats, QuestionId, ReplyId};
    use crate::graphql::Id;

    const ASKER: u128 = 1;
    const REPLIER: u128 = 2;

    fn post(kind: PostKind, author: u128) -> Post {
        Post {
            id: Uuid::from_u128(10 + author),
            kind,
            course_id: Id::new(Uuid::from_u128(20)),
            lesson_id: Some(Id::new(Uuid::from_u128(21))),
            parent_id: (kind == PostKind::Reply).then_some(Uuid::from_u128(10 + ASKER)),
            author_id: Id::new(Uuid::from_u128(author)),
            body: "Why?".into(),
            version: 1,
            is_by_team: false,
            created_at: DateTime::UNIX_EPOCH,
            edited_at: None,
            deleted_at: None,
            hidden_at: None,
            hidden_reason: None,
            stats: PostStats::default(),
        }
    }

    fn question() -> Question {
        Question {
            post: post(PostKind::Question, ASKER),
            title: "How?".into(),
            at_seconds: None,
            is_pinned: false,
            is_locked: false,
            resolved_at: None,
            accepted_reply_id: None::<ReplyId>,
            votes: 0,
            active_at: DateTime::UNIX_EPOCH,
        }
    }

    fn rights(viewer: Option<u128>, writes: bool, is_team: bool) -> Rights {
        let viewer = viewer.map(|id| Id::new(Uuid::from_u128(id)));
        Rights { viewer, reads: true, writes, is_team }
    }

    /// The actions of a viewer, as the first letters of their names; `Restore`, `Remove`, `Resolve`, `Report` and
    /// `Reply` by more of them.
    fn actions(rights: &Rights, post: &Post, question: Option<&Question>) -> String {
        let named = PostAction::ALL.into_iter().filter(|action| permits(rights, *action, post, question));
        named.map(|action| format!("{action:?} ")).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn the_table() {
        let question = question();
        let reply = post(PostKind::Reply, REPLIER);
        let review = post(PostKind::Review, ASKER);
        let (nobody, reader) = (rights(None, false, false), rights(Some(9), false, false));
        let (writer, team) = (rights(Some(9), true, false), rights(Some(8), true, true));
        let asker = rights(Some(ASKER), true, false);
        let refunded = rights(Some(ASKER), false, false);
        for (who, rights, of_question, of_reply, of_review) in [
            ("anonymous", nobody, "", "", ""),
            ("who sees a preview", reader, "Report", "Report", "Report"),
            ("who is entitled", writer, "Vote Report Reply", "Vote Report", "Vote Report"),
            ("the asker", asker, "Update Delete Reply Resolve", "Vote Report Accept", "Update Delete"),
            ("the asker without access", refunded, "Update Delete", "Report", "Update Delete"),
            (
                "the team",
                team,
                "Vote Report Reply Resolve Pin Lock Hide Remove",
                "Vote Report Accept Hide Remove",
                "Vote Report Reply Hide Remove",
            ),
        ] {
            assert_eq!(actions(&rights, &question.post, Some(&question)), of_question, "{who}");
            assert_eq!(actions(&rights, &reply, Some(&question)), of_reply, "{who}: a reply");
            assert_eq!(actions(&rights, &review, None), of_review, "{who}: a review");
        }
        let locked = Question { is_locked: true, ..question.clone() };
        assert_eq!(actions(&writer, &locked.post, Some(&locked)), "Vote Report");
        let hidden = Post { hidden_at: Some(DateTime::UNIX_EPOCH), ..reply.clone() };
        assert_eq!(actions(&team, &hidden, Some(&question)), "Report Restore Remove");
        let deleted = Post { deleted_at: Some(DateTime::UNIX_EPOCH), ..question.post.clone() };
        assert_eq!(actions(&team, &deleted, Some(&question)), "");
    }

    #[test]
    fn a_hidden_post_is_seen_by_its_author_and_the_team_and_a_reply_with_its_question() {
        let hidden = |post: Post| Post { hidden_at: Some(DateTime::UNIX_EPOCH), ..post };
        let question = question();
        let hidden_question = Question { post: hidden(question.post.clone()), ..question.clone() };
        let reply = post(PostKind::Reply, REPLIER);
        for (who, rights, sees_reply, sees_question) in [
            ("anonymous", rights(None, false, false), false, false),
            ("another one", rights(Some(9), true, false), false, false),
            ("who replied", rights(Some(REPLIER), true, false), true, false),
            ("who asked", rights(Some(ASKER), true, false), false, true),
            ("the team", rights(Some(8), true, true), true, true),
        ] {
            assert_eq!(can_see(&rights, &hidden(reply.clone()), Some(&question)), sees_reply, "{who}");
            assert_eq!(can_see(&rights, &hidden_question.post, Some(&hidden_question)), sees_question, "{who}");
            assert_eq!(can_see(&rights, &reply, Some(&hidden_question)), sees_question, "{who}: the reply to it");
            assert!(!can_see(&Rights { reads: false, ..rights }, &reply, Some(&question)), "{who}");
        }
        assert_eq!(question.id(), QuestionId::new(Uuid::from_u128(11)));
    }

    #[test]
    fn links_of_new_accounts_and_blocked_words_are_held() {
        let settings =
            Discussions { hourly_posts: 0, link_age: TimeDelta::hours(24), blocked_words: vec!["casino".into()] };
        let (writer, team) = (rights(Some(9), true, false), rights(Some(8), true, true));
        let (young, old) = (TimeDelta::hours(1), TimeDelta::hours(24));
        for (rights, age, text, expected) in [
            (&writer, young, "Look: HTTPS://x.example", Some(HiddenReason::Link)),
            (&writer, young, "www.x.example", Some(HiddenReason::Link)),
            (&writer, old, "https://x.example", None),
            (&writer, old, "My Casino!", Some(HiddenReason::BlockedWord)),
            (&writer, old, "casinos", None),
            (&team, young, "https://casino", None),
        ] {
            assert_eq!(hold(&settings, rights, age, ["Title", text]), expected, "{text}");
            assert_eq!(hold(&settings, rights, age, [text, ""]), expected, "{text} as a title");
        }
    }
}
