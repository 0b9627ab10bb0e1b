//! What courses are sorted by.

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};

use crate::graphql::{Entity, Id};
use crate::platform::db::schema::categories;
use crate::platform::db::stored_as_text;

/// A category's id: `category_01j…`.
pub type CategoryId = Id<Category>;

/// A subject; subjects are a tree.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = categories, check_for_backend(diesel::pg::Pg))]
pub struct Category {
    /// The id.
    pub id: CategoryId,
    /// The subject that it is part of.
    pub parent_id: Option<CategoryId>,
    /// The name in addresses; unique.
    pub slug: String,
    /// The name.
    pub name: String,
    /// Its place below its parent, from 1.
    pub position: i32,
    /// Counts the edits of its names.
    pub version: i32,
}

impl Entity for Category {
    const PREFIX: &'static str = "category";
}

/// How much one has to know before a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Level {
    /// Nothing.
    Beginner,
    /// The basics.
    Intermediate,
    /// A good deal.
    Advanced,
}

stored_as_text!(Level { Beginner = "BEGINNER", Intermediate = "INTERMEDIATE", Advanced = "ADVANCED" });

impl Level {}
