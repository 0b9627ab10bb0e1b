//! Lists of questions: what is in them, and their order.

use async_graphql::{Enum, InputObject};
use uuid::Uuid;

use super::Question;
use crate::accounts::UserId;
use crate::catalog::{CourseId, LessonId};
use crate::entitlements::Opening;
use crate::graphql::Result;
use crate::graphql::page::{Page, PageArgs, encode_cursor, instant};

/// A filter for questions; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, InputObject)]
pub struct QuestionFilter {
    /// Questions that contain all words of this text in their title, their text or one of their replies. The start of
    /// a word is enough, and case and accents are ignored. A text without words finds nothing.
    pub query: Option<String>,
    /// Whether the viewer has asked them.
    pub is_mine: Option<bool>,
    /// Whether the viewer follows them.
    pub is_followed: Option<bool>,
    /// Whether they have replies. A new reply counts after a second or two.
    pub is_answered: Option<bool>,
    /// Whether they are resolved.
    pub is_resolved: Option<bool>,
}

/// The order of questions. In each, pinned questions come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum QuestionSort {
    /// The latest question first.
    #[default]
    Newest,
    /// The question with the most votes first. A new vote counts after a second or two.
    MostVoted,
    /// The question with the latest reply first, or that was asked last. A new reply counts after a second or two.
    RecentActivity,
}

/// The position of a question in an order: whether it is pinned, a number and the id.
///
/// The number is that of the votes, or a time in microseconds since 1970, or 0.
pub type QuestionPlace = (bool, i64, Uuid);

impl QuestionSort {
    /// The name of the list in its cursors.
    fn list(self) -> &'static str {
        match self {
            QuestionSort::Newest => "questions",
            QuestionSort::MostVoted => "questions by votes",
            QuestionSort::RecentActivity => "questions by activity",
        }
    }

    /// Returns the requested page.
    ///
    /// # Errors
    /// A cursor belongs to another list or order, or has a value that is out of range.
    pub fn page(self, args: PageArgs) -> Result<Page<QuestionPlace>> {
        let list = self.list();
        args.page::<QuestionPlace>(list)?.try_map(|(pinned, number, id)| match self {
            QuestionSort::RecentActivity => instant(list, number).map(|_| (pinned, number, id)),
            QuestionSort::MostVoted | QuestionSort::Newest => Ok((pinned, number, id)),
        })
    }

    /// The cursor of a question.
    pub fn cursor(self, question: &Question) -> String {
        let number = match self {
            QuestionSort::Newest => 0,
            QuestionSort::MostVoted => i64::from(question.votes),
            QuestionSort::RecentActivity => question.active_at.timestamp_micros(),
        };
        encode_cursor(self.list(), &(question.is_pinned, number, question.post.id))
    }
}

/// Who reads, which decides about hidden posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seer {
    /// Who sees all.
    Team,
    /// Who sees their own.
    User(UserId),
    /// Who sees none.
    Anonymous,
}

/// Where the questions of a list were asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// About a lesson.
    Lesson(LessonId),
    /// About those lessons of a course that are open to who reads.
    Course(CourseId, Opening),
}

/// The questions in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Which {
    /// Where they were asked.
    pub scope: Scope,
    /// The course, whose id is a word of what is searched.
    pub course: CourseId,
    /// Who reads.
    pub seer: Seer,
    /// Whether this user has asked them, or not.
    pub mine: Option<(UserId, bool)>,
    /// Whether this user follows them, or not.
    pub followed: Option<(UserId, bool)>,
    /// Whether they have replies.
    pub is_answered: Option<bool>,
    /// Whether they are resolved.
    pub is_resolved: Option<bool>,
    /// The `tsquery` that they match.
    pub words: Option<String>,
}

impl Which {
    /// Whether the list has not all questions of its scope that the reader sees.
    pub(crate) fn is_filtered(&self) -> bool {
        let of_user = self.mine.is_some() || self.followed.is_some();
        of_user || self.is_answered.is_some() || self.is_resolved.is_some() || self.words.is_some()
    }
}
