//! Validation of course metadata.

use std::collections::HashSet;

use crate::accounts::UserId;
use crate::catalog::error;
use crate::catalog::model::{Course, CourseFacts, FactChanges};
use crate::catalog::query::category;
use crate::channels::teaches_in;
use crate::graphql::Result;
use crate::graphql::error::{Check, UserErrorCode};
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::platform::db::Tx;
use crate::platform::language;

const MOST_TAGS: usize = 20;
const LONGEST_TAG: usize = 40;
const MOST_SENTENCES: usize = 20;
const LONGEST_SENTENCE: usize = 200;

/// Validates metadata, except for what depends on stored rows.
pub(super) fn check(check: &mut Check, input: CourseFacts) -> FactChanges {
    let mut sentences = |field: &str, list: Option<Vec<String>>| {
        list.map(|list| check.list(field, &list, MOST_SENTENCES, LONGEST_SENTENCE))
    };
    let benefits = sentences("benefits", input.benefits);
    let prerequisites = sentences("prerequisites", input.prerequisites);
    let tags = input.tags.map(|tags| {
        let mut seen = HashSet::new();
        let tags = check.list("tags", &tags, MOST_TAGS, LONGEST_TAG).into_iter().map(|tag| tag.to_lowercase());
        tags.filter(|tag| seen.insert(tag.clone())).collect()
    });
    let language = input.language.as_opt_deref().map(|tag| {
        let normal = tag.and_then(language::tag);
        if let (Some(tag), None) = (tag, &normal) {
            check.malformed("language", tag, "is not a language tag; write it like de, pt-BR or zh-Hant");
        }
        normal
    });
    let price = input.price.map(|price| (price.minor(check, "price"), price.currency));
    let estimated: Option<Option<MoneyInput>> = input.estimated_price.into();
    let estimated = estimated.map(|price| price.map(|price| (price.minor(check, "estimatedPrice"), price.currency)));
    let currency = price.map(|(_, currency)| currency);
    if let (Some(own), Some(Some((_, other)))) = (currency, estimated) {
        same_currency(check, own, other);
    }
    FactChanges {
        level: input.level.into(),
        language,
        tags,
        benefits,
        prerequisites,
        category_id: input.category_id.into(),
        channel_id: input.channel_id,
        price_minor: price.map(|(minor, _)| minor),
        estimated_price_minor: estimated.map(|price| price.map(|(minor, _)| minor)),
        currency: currency.or_else(|| Some(estimated??.1)),
    }
}

/// Validates what depends on stored rows, within the transaction.
///
/// The category must exist and not be archived, unless the course has it; the instructor must teach in the channel, and
/// both prices must be in one currency. `course` is `None` for a new course.
///
/// # Errors
/// One of these conditions is not met, or the database failed.
pub(super) async fn check_with(
    tx: &mut Tx,
    instructor: UserId,
    course: Option<&Course>,
    facts: &FactChanges,
) -> Result<()> {
    let mut check = Check::new();
    if let Some(Some(id)) = facts.category_id {
        let is_new = course.is_none_or(|course| course.category_id != Some(id));
        match category::hold(tx, id).await? {
            None => check.error(UserErrorCode::NotFound, "categoryId", "There is no such category."),
            Some(row) if is_new && row.archived_at.is_some() => {
                check.error(UserErrorCode::NotAllowed, "categoryId", error::ARCHIVED_CATEGORY);
            }
            Some(_) => {}
        }
    }
    if let Some(channel) = facts.channel_id
        && !teaches_in(tx, instructor, channel).await?
    {
        let message = "The course's instructor does not teach in such a channel.";
        check.error(UserErrorCode::NotFound, "channelId", message);
    }
    if let (Some(course), Some(currency)) = (course, facts.currency) {
        if facts.price_minor.is_none() && course.price_minor > 0 {
            same_currency(&mut check, course.currency, currency);
        }
        if facts.estimated_price_minor.is_none()
            && course.estimated_price_minor.is_some()
            && course.currency != currency
        {
            check.error(UserErrorCode::Invalid, "price", error::other_currency(course.currency, "estimatedPrice"));
        }
    }
    check.finish()
}

fn same_currency(check: &mut Check, price: CurrencyCode, estimated: CurrencyCode) {
    if price != estimated {
        check.error(UserErrorCode::Invalid, "estimatedPrice", error::other_currency(price, "price"));
    }
}
