//! The metadata of a course: level, language, tags, category, channel and prices.

use async_graphql::{InputObject, MaybeUndefined};
use diesel::{AsChangeset, Insertable, Queryable, Selectable};

use super::{CategoryId, CourseLevel};
use crate::channels::ChannelId;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::platform::db::schema::courses;

/// The metadata of a course. Omitted fields stay unchanged, or are empty in a new course.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CourseFacts {
    /// The required prior knowledge; null for unspecified.
    pub level: MaybeUndefined<CourseLevel>,
    /// The spoken language, as a BCP 47 tag such as `de` or `pt-BR`; null for unspecified.
    pub language: MaybeUndefined<String>,
    /// Tags: at most 20, each up to 40 characters. They are converted to lower case, without duplicates.
    pub tags: Option<Vec<String>>,
    /// What students learn: at most 20 sentences, each up to 200 characters.
    pub benefits: Option<Vec<String>>,
    /// What students need beforehand: at most 20 sentences, each up to 200 characters.
    pub prerequisites: Option<Vec<String>>,
    /// The category; null for none.
    pub category_id: MaybeUndefined<CategoryId>,
    /// The channel, in which the course's instructor must teach. A new course defaults to the instructor's default
    /// channel.
    pub channel_id: Option<ChannelId>,
    /// The price; 0 if the course is free. A new course is free by default.
    pub price: Option<MoneyInput>,
    /// A previous or comparison price, in the currency of the price, for display only; null for none.
    pub estimated_price: MaybeUndefined<MoneyInput>,
}

/// The metadata of a new course.
#[derive(Insertable)]
#[diesel(table_name = courses)]
pub(crate) struct NewFacts {
    pub level: Option<CourseLevel>,
    pub language: Option<String>,
    pub tags: Vec<String>,
    pub benefits: Vec<String>,
    pub prerequisites: Vec<String>,
    pub category_id: Option<CategoryId>,
    pub channel_id: ChannelId,
    pub price_minor: i64,
    pub estimated_price_minor: Option<i64>,
    pub currency: CurrencyCode,
}

/// Validated changes of the metadata; `None` stays unchanged.
#[derive(AsChangeset, Clone, Default)]
#[diesel(table_name = courses)]
pub(crate) struct FactChanges {
    pub level: Option<Option<CourseLevel>>,
    pub language: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
    pub benefits: Option<Vec<String>>,
    pub prerequisites: Option<Vec<String>>,
    pub category_id: Option<Option<CategoryId>>,
    pub channel_id: Option<ChannelId>,
    pub price_minor: Option<i64>,
    pub estimated_price_minor: Option<Option<i64>>,
    pub currency: Option<CurrencyCode>,
}

impl FactChanges {
    /// Converts the changes to the metadata of a new course.
    ///
    /// The course is in the channel `own` if no channel was chosen.
    pub(crate) fn into_new(self, own: ChannelId) -> NewFacts {
        NewFacts {
            level: self.level.flatten(),
            language: self.language.flatten(),
            tags: self.tags.unwrap_or_default(),
            benefits: self.benefits.unwrap_or_default(),
            prerequisites: self.prerequisites.unwrap_or_default(),
            category_id: self.category_id.flatten(),
            channel_id: self.channel_id.unwrap_or(own),
            price_minor: self.price_minor.unwrap_or_default(),
            estimated_price_minor: self.estimated_price_minor.flatten(),
            currency: self.currency.unwrap_or(CurrencyCode::USD),
        }
    }
}

/// The text lists of a course.
///
/// They are not part of [`super::Course`], because lists of courses do not show them.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = courses, check_for_backend(diesel::pg::Pg))]
pub struct CourseLists {
    /// Tags, in lower case.
    pub tags: Vec<String>,
    /// What students learn.
    pub benefits: Vec<String>,
    /// What students need beforehand.
    pub prerequisites: Vec<String>,
}
