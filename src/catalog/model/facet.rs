//! Facets: how many of the courses in a list have each category, level, language, price and rating.

use std::collections::HashMap;

use async_graphql::{Enum, SimpleObject};
use rust_decimal::Decimal;

use super::{CategoryId, CategoryTree, CourseLevel, Which};
use crate::graphql::Sequential;
use crate::graphql::cost::cost;
use crate::graphql::money::CurrencyCode;
use crate::platform::language;

/// The maximum number of values of a facet.
const MOST_VALUES: usize = 50;
/// The least prices of the bands, in the currency's main unit. A band ends below the next one.
const BANDS: [i64; 4] = [0, 20, 50, 100];
/// The steps of the ratings in hundredths, with their keys.
const RATINGS: [(i32, &str); 4] = [(450, "4.5"), (400, "4"), (350, "3.5"), (300, "3")];
/// The levels, with their labels.
const LEVELS: [(CourseLevel, &str); 3] = [
    (CourseLevel::Beginner, "Beginner"),
    (CourseLevel::Intermediate, "Intermediate"),
    (CourseLevel::Advanced, "Advanced"),
];

/// What the courses of a facet are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum FacetKind {
    /// The category. A course also counts for all categories above its own. The key is the slug, for `categorySlugs`.
    Category,
    /// The level. The key is the enum value, for `levels`.
    Level,
    /// The language. The key is the BCP 47 tag, for `languages`. A language also counts its regional variants.
    Language,
    /// The price, in bands of one currency: that of the filter, otherwise the one of most paid courses. The keys are
    /// `FREE`, for `isFree`, and for `price` `0-20`, `20-50`, `50-100` and `100+` in the currency's main unit. A band
    /// includes its lower end and excludes its upper end; `0-20` excludes free courses.
    Price,
    /// The average rating. The keys are `4.5`, `4`, `3.5` and `3`, for `minRating`: each counts all courses with at
    /// least this rating.
    Rating,
}

/// The values of one kind in a list of courses, with the number of courses that have each.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(directive = cost::apply(Some(50), None, None))]
pub struct Facet {
    /// What the courses are counted by.
    kind: FacetKind,
    /// The currency of the price bands; null for other kinds, and if all courses are free.
    currency: Option<CurrencyCode>,
    /// The values that at least one course has: the 50 most frequent ones, most frequent first. Levels, prices and
    /// ratings are in their natural order.
    values: Vec<Sequential<FacetValue>>,
}

/// A value of a facet.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct FacetValue {
    /// What the filter takes to select this value; see `FacetKind`.
    key: String,
    /// The name of the value, in English except for the names of categories.
    label: String,
    /// The number of courses: how many the list has if this value replaces the ones of its kind in the filter.
    count: i64,
}

/// What courses are counted for facets by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    Category(CategoryId),
    Level(CourseLevel),
    /// A tag, not in lower case.
    Language(String),
    /// In minor units.
    Price(CurrencyCode, i64),
    /// In hundredths.
    Rating(i32),
}

/// The courses that facets count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FacetQuery {
    /// The conditions that hold for all facets.
    pub which: Which,
    /// The conditions that a facet ignores if they are of its own kind; all others are unset.
    pub chosen: Which,
    /// The kinds, each once.
    pub kinds: Vec<FacetKind>,
}

impl FacetQuery {
    /// Splits the conditions of a filter.
    pub fn new(mut which: Which, wanted: &[FacetKind]) -> FacetQuery {
        let chosen = Which {
            categories: which.categories.take(),
            levels: which.levels.take(),
            languages: which.languages.take(),
            price: which.price.take(),
            free: which.free.take(),
            least_rating: which.least_rating.take(),
            ..Which::default()
        };
        let mut kinds = Vec::new();
        for kind in wanted {
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        FacetQuery { which, chosen, kinds }
    }
}

/// Makes the facets of these counts.
///
/// `below` limits the categories to those below this one, and `currency` is the currency of the prices.
pub fn facets(
    kinds: &[FacetKind],
    counts: &[(Counted, i64)],
    tree: &CategoryTree,
    below: Option<CategoryId>,
    currency: Option<CurrencyCode>,
) -> Vec<Facet> {
    let currency = currency.or_else(|| most_frequent(counts));
    let facet = |kind: &FacetKind| {
        let values = match kind {
            FacetKind::Category => categories(counts, tree, below),
            FacetKind::Level => levels(counts),
            FacetKind::Language => languages(counts),
            FacetKind::Price => prices(counts, currency),
            FacetKind::Rating => ratings(counts),
        };
        let values = values.into_iter().filter(|value| value.count > 0).take(MOST_VALUES).map(Sequential).collect();
        Facet { kind: *kind, currency: currency.filter(|_| *kind == FacetKind::Price), values }
    };
    kinds.iter().map(facet).collect()
}

fn total<'a>(counts: &'a [(Counted, i64)], holds: impl Fn(&'a Counted) -> bool) -> i64 {
    counts.iter().filter(|(counted, _)| holds(counted)).map(|(_, count)| count).sum()
}

fn frequent_first(mut values: Vec<FacetValue>) -> Vec<FacetValue> {
    values.sort_by(|one, other| (other.count, &one.label, &one.key).cmp(&(one.count, &other.label, &other.key)));
    values
}

fn categories(counts: &[(Counted, i64)], tree: &CategoryTree, below: Option<CategoryId>) -> Vec<FacetValue> {
    let mut sums: HashMap<CategoryId, i64> = HashMap::new();
    for (counted, count) in counts {
        let Counted::Category(id) = counted else { continue };
        let path = tree.path(Some(*id)).into_iter().map(CategoryId::new);
        for id in path.take_while(|id| Some(*id) != below) {
            *sums.entry(id).or_default() += count;
        }
    }
    let value = |(id, count): (CategoryId, i64)| {
        let category = tree.get(id).filter(|category| category.archived_at.is_none())?;
        Some(FacetValue { key: category.slug.clone(), label: category.name.clone(), count })
    };
    frequent_first(sums.into_iter().filter_map(value).collect())
}

fn levels(counts: &[(Counted, i64)]) -> Vec<FacetValue> {
    let value = |(level, label): (CourseLevel, &str)| {
        let count = total(counts, |counted| matches!(counted, Counted::Level(own) if *own == level));
        FacetValue { key: level.as_str().into(), label: label.into(), count }
    };
    LEVELS.map(value).into()
}

fn languages(counts: &[(Counted, i64)]) -> Vec<FacetValue> {
    let tags = counts.iter().filter_map(|(counted, _)| match counted {
        Counted::Language(tag) => Some(tag),
        _ => None,
    });
    let value = |tag: &String| {
        let own = tag.to_lowercase();
        let is_in = |other: &str| {
            let other = other.to_lowercase();
            other == own || other.split('-').next() == Some(&own)
        };
        let count = total(counts, |counted| matches!(counted, Counted::Language(other) if is_in(other)));
        FacetValue { key: tag.clone(), label: language::english_name(tag), count }
    };
    frequent_first(tags.map(value).collect())
}

/// Returns the currency that most paid courses are priced in.
fn most_frequent(counts: &[(Counted, i64)]) -> Option<CurrencyCode> {
    let mut paid: HashMap<&'static str, (i64, CurrencyCode)> = HashMap::new();
    for (counted, count) in counts {
        if let Counted::Price(currency, minor) = counted
            && *minor > 0
        {
            paid.entry(currency.code()).or_insert((0, *currency)).0 += count;
        }
    }
    let most = paid.into_iter().max_by(|(code, (count, _)), (other, (most, _))| (count, other).cmp(&(most, code)));
    most.map(|(_, (_, currency))| currency)
}

fn prices(counts: &[(Counted, i64)], currency: Option<CurrencyCode>) -> Vec<FacetValue> {
    // Free courses are free in every currency.
    let free = total(counts, |counted| matches!(counted, Counted::Price(_, 0)));
    let mut values = vec![FacetValue { key: "FREE".into(), label: "Free".into(), count: free }];
    let Some(currency) = currency else { return values };
    let least = |place: usize| Some(*BANDS.get(place)?).and_then(|amount| currency.minor(Decimal::from(amount)));
    for (place, from) in BANDS.iter().enumerate() {
        let (Some(low), high) = (least(place), least(place + 1)) else { continue };
        let is_in = |minor: i64| minor > 0 && minor >= low && high.is_none_or(|high| minor < high);
        let count = total(
            counts,
            |counted| matches!(counted, Counted::Price(other, minor) if *other == currency && is_in(*minor)),
        );
        let code = currency.code();
        let (key, label) = match BANDS.get(place + 1) {
            Some(to) => (format!("{from}-{to}"), format!("{from} to {to} {code}")),
            None => (format!("{from}+"), format!("{from} {code} and more")),
        };
        values.push(FacetValue { key, label, count });
    }
    values
}

fn ratings(counts: &[(Counted, i64)]) -> Vec<FacetValue> {
    let value = |(least, key): (i32, &str)| {
        let count = total(counts, |counted| matches!(counted, Counted::Rating(rating) if *rating >= least));
        FacetValue { key: key.into(), label: format!("{key} and up"), count }
    };
    RATINGS.map(value).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: FacetKind, counts: &[(Counted, i64)], currency: Option<&str>) -> String {
        let currency = currency.map(|code| CurrencyCode::parse(code).unwrap());
        let facets = facets(&[kind], counts, &CategoryTree::default(), None, currency);
        let value = |value: &Sequential<FacetValue>| format!("{}: {}", value.key, value.count);
        facets[0].values.iter().map(value).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn prices_are_in_bands_of_one_currency() {
        let price = |code: &str, minor| Counted::Price(CurrencyCode::parse(code).unwrap(), minor);
        let counts = [
            (price("EUR", 0), 1),
            (price("USD", 0), 2),
            (price("EUR", 1), 3),
            (price("EUR", 1999), 4),
            (price("EUR", 2000), 5),
            (price("EUR", 9999), 6),
            (price("EUR", 10_000), 7),
            (price("JPY", 20), 9),
            (price("JPY", 19), 8),
        ];
        let euros = "FREE: 3, 0-20: 7, 20-50: 5, 50-100: 6, 100+: 7";
        assert_eq!(shown(FacetKind::Price, &counts, None), euros, "most paid courses are in euros");
        assert_eq!(shown(FacetKind::Price, &counts, Some("EUR")), euros);
        assert_eq!(shown(FacetKind::Price, &counts, Some("JPY")), "FREE: 3, 0-20: 8, 20-50: 9");
        assert_eq!(shown(FacetKind::Price, &counts, Some("CHF")), "FREE: 3");
        assert_eq!(shown(FacetKind::Price, &[], None), "");
    }

    #[test]
    fn ratings_add_up_and_languages_include_their_variants() {
        let counts = [(Counted::Rating(500), 1), (Counted::Rating(449), 2), (Counted::Rating(299), 4)];
        assert_eq!(shown(FacetKind::Rating, &counts, None), "4.5: 1, 4: 3, 3.5: 3, 3: 3");
        let tag = |tag: &str| Counted::Language(tag.into());
        let counts = [(tag("de"), 4), (tag("en-GB"), 1), (tag("en"), 3), (tag("pt-BR"), 2)];
        assert_eq!(shown(FacetKind::Language, &counts, None), "en: 4, de: 4, pt-BR: 2, en-GB: 1");
    }
}
