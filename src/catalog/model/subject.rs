//! Categories and levels.

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};

use crate::graphql::{Entity, Id};
use crate::media::FileId;
use crate::platform::db::schema::categories;
use crate::platform::db::stored_as_text;

/// A category's id: `category_01j…`.
pub type CategoryId = Id<Category>;

/// A category, without its description, which may be long; categories form a tree.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = categories, check_for_backend(diesel::pg::Pg))]
pub struct Category {
    /// The id.
    pub id: CategoryId,
    /// The parent; `None` for a root category.
    pub parent_id: Option<CategoryId>,
    /// The URL slug; unique.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The position among its siblings, from 1.
    pub position: i32,
    /// The version; each edit increments it, but not a move.
    pub version: i32,
    /// The file of the image.
    pub image_id: Option<FileId>,
    /// When it was last edited, moved, archived or unarchived.
    pub updated_at: DateTime<Utc>,
    /// When it was archived: it is not offered anymore. Its subcategories are archived, too.
    pub archived_at: Option<DateTime<Utc>>,
}

impl Entity for Category {
    const PREFIX: &'static str = "category";
}

/// The prior knowledge that a course requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum CourseLevel {
    /// No prior knowledge.
    Beginner,
    /// Basic knowledge.
    Intermediate,
    /// Advanced knowledge.
    Advanced,
}

stored_as_text!(CourseLevel { Beginner = "BEGINNER", Intermediate = "INTERMEDIATE", Advanced = "ADVANCED" });
