//! How the catalog is filtered and ordered.

use async_graphql::{Enum, InputObject};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{CategoryId, Course, Level, Search};
use crate::accounts::UserId;
use crate::channels::ChannelId;
use crate::graphql::money::CurrencyCode;
use crate::graphql::page::{OrderDirection, Page, PageArgs, encode_cursor, instant};
use crate::graphql::{Error, Result};

/// Items of a list in a filter.
const MOST_ITEMS: usize = 50;

/// Which courses. What is left out, a blank text and an empty list restrict nothing; what is given must hold together.
#[derive(Clone, Debug, Default, PartialEq, InputObject)]
pub(crate) struct CourseFilter {
    /// With all of these words in the title, the subtitle, the tags or the description, as in `searchCourses`.
    pub query: Option<String>,
    /// In this category or in one below it.
    pub category_id: Option<CategoryId>,
    /// Of one of these levels.
    pub levels: Option<Vec<Level>>,
    /// In one of these languages (BCP 47); `en` includes `en-GB`.
    pub languages: Option<Vec<String>>,
    /// With all of these tags; upper and lower case are the same.
    pub tags: Option<Vec<String>>,
    /// With a price in this range.
    pub price: Option<PriceRange>,
    /// Only those that cost nothing, or only those that cost something.
    pub free: Option<bool>,
    /// With at least so many stars on average, 0 to 5. Courses without reviews have 0.
    pub min_rating: Option<f64>,
    /// By this instructor.
    pub instructor_id: Option<UserId>,
    /// From this channel.
    pub channel_id: Option<ChannelId>,
}

/// A range of prices in one currency. Nothing is converted: courses with a price in another currency are left out,
/// while those that cost nothing cost nothing in every currency.
#[derive(Clone, Copy, Debug, PartialEq, InputObject)]
pub(crate) struct PriceRange {
    /// The currency.
    pub currency: CurrencyCode,
    /// This much or more, in the currency's main unit: 9.90.
    pub min: Option<Decimal>,
    /// This much or less.
    pub max: Option<Decimal>,
}

/// What courses are ordered by. Those that are equal are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub(crate) enum CourseOrderField {
    /// When they were published.
    PublishedAt,
    /// How many students have access.
    Popularity,
    /// The average of their reviews.
    Rating,
    /// The price. Prices in different currencies do not compare: courses of one currency stand together, in the order
    /// of the currencies' codes.
    Price,
}

/// How courses are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, InputObject)]
pub(crate) struct CourseOrder {
    /// By what.
    pub field: CourseOrderField,
    /// In which direction.
    pub direction: OrderDirection,
}

impl Default for CourseOrder {
    fn default() -> CourseOrder {
        CourseOrder { field: CourseOrderField::PublishedAt, direction: OrderDirection::Desc }
    }
}

/// Where a course stands: the currency where the order is by price, the number that it is ordered by, and the id. A
/// time is a number of microseconds.
pub(crate) type CoursePlace = (Option<CurrencyCode>, i64, Uuid);

impl CourseOrder {
    /// The list's name in its cursors. A cursor is good in either direction.
    fn list(self) -> &'static str {
        match self.field {
            CourseOrderField::PublishedAt => "courses",
            CourseOrderField::Popularity => "courses by popularity",
            CourseOrderField::Rating => "courses by rating",
            CourseOrderField::Price => "courses by price",
        }
    }

    /// Which rows of the list are wanted.
    ///
    /// # Errors
    /// A cursor is of another list or order, or no row could have it.
    pub(crate) fn page(self, args: PageArgs) -> Result<Page<CoursePlace>> {
        let list = self.list();
        let strange = || Error::BadInput(format!("The cursor is not one that {list} returned."));
        match self.field {
            CourseOrderField::PublishedAt => args.page::<(i64, Uuid)>(list)?.try_map(|(micros, id)| {
                instant(list, micros)?;
                Ok((None, micros, id))
            }),
            CourseOrderField::Popularity | CourseOrderField::Rating => args
                .page::<(i64, Uuid)>(list)?
                .try_map(|(number, id)| i32::try_from(number).map(|_| (None, number, id)).map_err(|_| strange())),
            CourseOrderField::Price => args.page::<(String, i64, Uuid)>(list)?.try_map(|(currency, price, id)| {
                Ok((Some(CurrencyCode::parse(&currency).ok_or_else(strange)?), price, id))
            }),
        }
    }

    /// The cursor of a course.
    pub(crate) fn cursor(self, course: &Course) -> String {
        let number = match self.field {
            CourseOrderField::PublishedAt => course.published_at.map(|at| at.timestamp_micros()).unwrap_or_default(),
            CourseOrderField::Popularity => course.popularity.into(),
            CourseOrderField::Rating => course.rating_hundredths.into(),
            CourseOrderField::Price => {
                return encode_cursor(self.list(), &(course.currency.code(), course.price_minor, course.id));
            }
        };
        encode_cursor(self.list(), &(number, course.id))
    }
}

/// A filter as the database is asked, which holds no more than was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Which {
    pub(in crate::catalog) search: Option<Search>,
    pub(in crate::catalog) categories: Option<Vec<CategoryId>>,
    pub(in crate::catalog) levels: Option<Vec<Level>>,
    /// In lower case, as the tags.
    pub(in crate::catalog) languages: Option<Vec<String>>,
    pub(in crate::catalog) tags: Vec<String>,
    /// In minor units, both ends included.
    pub(in crate::catalog) price: Option<(CurrencyCode, i64, i64)>,
    pub(in crate::catalog) free: Option<bool>,
    pub(in crate::catalog) least_rating: Option<i32>,
    pub(in crate::catalog) instructor: Option<UserId>,
    pub(in crate::catalog) channel: Option<ChannelId>,
}

impl CourseFilter {
    /// What the filter says, but for its words and its category, which have to be looked up.
    ///
    /// # Errors
    /// A list is too long; an amount or a rating is none.
    pub(crate) fn which(&self) -> Result<Which> {
        let counts = [
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
            // An empty list is one from which nothing was chosen.
            levels: self.levels.clone().filter(|levels| !levels.is_empty()),
            languages: self.languages.as_ref().filter(|languages| !languages.is_empty()).map(lower),
            tags: self.tags.as_ref().map(lower).unwrap_or_default(),
            price: self.price.map(PriceRange::minor).transpose()?,
            free: self.free,
            least_rating: self.min_rating.map(hundredths).transpose()?,
            instructor: self.instructor_id,
            channel: self.channel_id,
        })
    }
}

impl Which {
    /// PostgreSQL refuses a statement with a NUL in a text; no course has one.
    pub(crate) fn is_possible(&self) -> bool {
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
