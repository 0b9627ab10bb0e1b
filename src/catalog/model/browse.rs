//! Filters and orders of the catalog.

use async_graphql::{Enum, InputObject};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{CategoryId, Course, CourseId, CourseLevel, PublicationStatus, Search};
use crate::accounts::UserId;
use crate::channels::ChannelId;
use crate::graphql::money::CurrencyCode;
use crate::graphql::page::{Page, PageArgs, SortDirection, encode_cursor, instant};
use crate::graphql::{Error, Result};

/// The maximum number of items in a list of a filter.
const MOST_ITEMS: usize = 50;

/// A filter for courses; its conditions are combined with AND. Omitted fields, blank text and empty lists restrict
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, InputObject)]
pub struct CourseFilter {
    /// Courses with all of these words in the title, subtitle, tags or description. They match as in `searchCourses`.
    /// `totalCount` counts at most 1,000 of them.
    pub query: Option<String>,
    /// Courses in this category or in one of its subcategories, at any depth.
    pub category_id: Option<CategoryId>,
    /// Courses in one of the categories with these slugs, or in one of their subcategories. Earlier slugs work, too.
    pub category_slugs: Option<Vec<String>>,
    /// Courses that take at least this many seconds.
    pub min_duration_seconds: Option<i32>,
    /// Courses that take at most this many seconds.
    pub max_duration_seconds: Option<i32>,
    /// Courses of one of these levels.
    pub levels: Option<Vec<CourseLevel>>,
    /// Courses in one of these languages (BCP 47 tags); `en` includes `en-GB`.
    pub languages: Option<Vec<String>>,
    /// Courses with all of these tags; case-insensitive.
    pub tags: Option<Vec<String>>,
    /// Courses with a price in this range.
    pub price: Option<PriceRange>,
    /// True for free courses only, false for paid courses only.
    pub is_free: Option<bool>,
    /// Courses with at least this average rating, 0 to 5 stars. Courses without reviews have 0.
    pub min_rating: Option<f64>,
    /// Courses with one of these statuses, sorted by `CREATED_AT` unless you say otherwise; only administrators may
    /// ask. Defaults to published courses.
    pub statuses: Option<Vec<PublicationStatus>>,
    /// Courses by this instructor.
    pub instructor_id: Option<UserId>,
    /// Courses of this channel.
    pub channel_id: Option<ChannelId>,
}

/// A price range in one currency. Prices are not converted: paid courses in other currencies do not match, but free
/// courses match in every currency if the range includes 0.
#[derive(Clone, Copy, Debug, PartialEq, InputObject)]
pub struct PriceRange {
    /// The currency.
    pub currency: CurrencyCode,
    /// The lowest price, inclusive, in the currency's main unit, such as 9.90. Defaults to 0.
    pub min: Option<Decimal>,
    /// The highest price, inclusive, in the currency's main unit. Defaults to no limit.
    pub max: Option<Decimal>,
}

/// The field to sort courses by. Ties are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum CourseSortField {
    /// When the courses were created.
    CreatedAt,
    /// When the courses were published.
    PublishedAt,
    /// The number of students.
    Popularity,
    /// The average rating.
    Rating,
    /// The price. Prices in different currencies are not compared: courses are ordered by currency code, then by price.
    Price,
}

/// How to sort courses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, InputObject)]
pub struct CourseSort {
    /// The field to sort by.
    pub field: CourseSortField,
    /// The direction.
    pub direction: SortDirection,
}

impl Default for CourseSort {
    fn default() -> CourseSort {
        CourseSort { field: CourseSortField::PublishedAt, direction: SortDirection::Desc }
    }
}

/// The position of a course in an order: the currency, the sort key and the id.
///
/// The currency is set if the order is by price. A time is in microseconds since the Unix epoch.
pub(crate) type CoursePlace = (Option<CurrencyCode>, i64, Uuid);

impl CourseSort {
    /// The name of the list in its cursors, which are valid in both directions.
    fn list(self) -> &'static str {
        match self.field {
            CourseSortField::CreatedAt => "courses by creation",
            CourseSortField::PublishedAt => "courses",
            CourseSortField::Popularity => "courses by popularity",
            CourseSortField::Rating => "courses by rating",
            CourseSortField::Price => "courses by price",
        }
    }

    /// Returns the requested page.
    ///
    /// # Errors
    /// A cursor belongs to another list or order, or has a value that is out of range.
    pub fn page(self, args: PageArgs) -> Result<Page<CoursePlace>> {
        let list = self.list();
        let strange = || Error::BadInput(format!("The cursor is not one that {list} returned."));
        match self.field {
            CourseSortField::CreatedAt | CourseSortField::PublishedAt => {
                args.page::<(i64, Uuid)>(list)?.try_map(|(micros, id)| {
                    instant(list, micros)?;
                    Ok((None, micros, id))
                })
            }
            CourseSortField::Popularity | CourseSortField::Rating => args
                .page::<(i64, Uuid)>(list)?
                .try_map(|(number, id)| i32::try_from(number).map(|_| (None, number, id)).map_err(|_| strange())),
            CourseSortField::Price => args.page::<(String, i64, Uuid)>(list)?.try_map(|(currency, price, id)| {
                Ok((Some(CurrencyCode::parse(&currency).ok_or_else(strange)?), price, id))
            }),
        }
    }

    /// The cursor of a course.
    pub fn cursor(self, course: &Course) -> String {
        let number = match self.field {
            CourseSortField::CreatedAt => course.created_at.timestamp_micros(),
            CourseSortField::PublishedAt => course.published_at.map(|at| at.timestamp_micros()).unwrap_or_default(),
            CourseSortField::Popularity => course.popularity.into(),
            CourseSortField::Rating => course.rating_hundredths.into(),
            CourseSortField::Price => {
                return encode_cursor(self.list(), &(course.currency.code(), course.price_minor, course.id));
            }
        };
        encode_cursor(self.list(), &(number, course.id))
    }
}

/// A normalized filter for SQL, with only the conditions that apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Which {
    /// With these words.
    pub search: Option<Search>,
    /// In one of these categories.
    pub categories: Option<Vec<CategoryId>>,
    /// Of one of these levels.
    pub levels: Option<Vec<CourseLevel>>,
    /// In lower case, like the tags.
    pub languages: Option<Vec<String>>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// In minor units; both ends are inclusive.
    pub price: Option<(CurrencyCode, i64, i64)>,
    /// Free of charge, or not.
    pub free: Option<bool>,
    /// In seconds, inclusive.
    pub shortest: Option<i32>,
    /// In seconds, inclusive.
    pub longest: Option<i32>,
    /// In hundredths of a star, inclusive.
    pub least_rating: Option<i32>,
    /// `None` for published courses.
    pub statuses: Option<Vec<PublicationStatus>>,
    /// By this instructor.
    pub instructor: Option<UserId>,
    /// All but this course.
    pub other_than: Option<CourseId>,
    /// In this channel.
    pub channel: Option<ChannelId>,
}

impl CourseFilter {
    /// Returns the requested statuses, if the filter has any.
    pub fn statuses(&self) -> Option<Vec<PublicationStatus>> {
        self.statuses.clone().filter(|statuses| !statuses.is_empty())
    }

    /// Normalizes the filter, without its query and its category, which must be looked up.
    ///
    /// # Errors
    /// A list is too long, or an amount or the rating is invalid.
    pub fn which(&self) -> Result<Which> {
        let counts = [
            ("categorySlugs", self.category_slugs.as_ref().map(Vec::len)),
            ("levels", self.levels.as_ref().map(Vec::len)),
            ("languages", self.languages.as_ref().map(Vec::len)),
            ("tags", self.tags.as_ref().map(Vec::len)),
        ];
        for (name, count) in counts {
            if count.is_some_and(|count| count > MOST_ITEMS) {
                return Err(Error::BadInput(format!("filter.{name} has more than {MOST_ITEMS} items.")));
            }
        }
        let lower = |texts: &Vec<String>| texts.iter().map(|text| text.trim().to_lowercase()).collect();
        Ok(Which {
            search: None,
            categories: None,
            // An empty list restricts nothing.
            levels: self.levels.clone().filter(|levels| !levels.is_empty()),
            languages: self.languages.as_ref().filter(|languages| !languages.is_empty()).map(lower),
            tags: self.tags.as_ref().map(lower).unwrap_or_default(),
            price: self.price.map(PriceRange::minor).transpose()?,
            free: self.is_free,
            shortest: self.min_duration_seconds,
            longest: self.max_duration_seconds,
            least_rating: self.min_rating.map(hundredths).transpose()?,
            statuses: self.statuses(),
            instructor: self.instructor_id,
            other_than: None,
            channel: self.channel_id,
        })
    }
}

impl Which {
    /// Limits the courses to these categories, in addition to those that they are limited to already.
    pub fn limit_to(&mut self, mut categories: Vec<CategoryId>) {
        categories.retain(|id| self.categories.as_ref().is_none_or(|wanted| wanted.contains(id)));
        self.categories = Some(categories);
    }

    /// Whether any course can match.
    ///
    /// PostgreSQL rejects text with a NUL character; no course contains one.
    pub fn is_possible(&self) -> bool {
        let mut texts = self.languages.iter().flatten().chain(&self.tags);
        texts.all(|text| !text.contains('\0'))
    }
}

impl PriceRange {
    fn minor(self) -> Result<(CurrencyCode, i64, i64)> {
        let minor = |name: &str, amount: Option<Decimal>, open: i64| {
            let Some(amount) = amount else { return Ok(open) };
            self.currency.minor(amount).ok_or_else(|| {
                let (code, decimals) = (self.currency.code(), self.currency.decimals());
                Error::BadInput(format!("filter.price.{name} is no amount of {code}, which has {decimals} decimals."))
            })
        };
        Ok((self.currency, minor("min", self.min, 0)?, minor("max", self.max, i64::MAX)?))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it was checked")]
fn hundredths(stars: f64) -> Result<i32> {
    if !(0.0..=5.0).contains(&stars) {
        return Err(Error::BadInput(format!("filter.minRating must be between 0 and 5; it is {stars}.")));
    }
    Ok((stars * 100.0).round() as i32)
}
