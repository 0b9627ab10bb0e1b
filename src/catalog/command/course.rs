//! Commands for courses.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{LONGEST_TITLE, editable, facts};
use crate::accounts::{UserId, viewer};
use crate::catalog::model::{Course, CourseId, CourseLists, CreateCourseInput, UpdateCourseInput};
use crate::catalog::query::course::{self as query, CourseChanges, NewCourse};
use crate::catalog::query::{price, setting, slug};
use crate::catalog::{error, policy};
use crate::channels::own_channel;
use crate::graphql::error::{Check, Edit, UserErrorCode};
use crate::graphql::export::{FETCH, items};
use crate::graphql::idempotency::{self, Turn};
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::graphql::{Error, Result};
use crate::platform::App;
use crate::platform::auth::Actor;
use crate::platform::db::{self, Tx};

/// The longest slug of a course or a category, in characters.
pub(super) const LONGEST_SLUG: usize = 80;
/// The maximum number of prices in other currencies.
const MOST_PRICES: usize = 20;

/// Creates a draft course that belongs to the actor.
///
/// # Errors
/// The input is invalid; the slug is taken; the actor is not an instructor.
pub async fn create_course(app: &App, actor: &Actor, input: CreateCourseInput) -> Result<Course> {
    let Some(id) = actor.id().filter(|_| policy::can_create(actor)) else {
        return Err(Error::Forbidden("Only instructors create courses.".into()));
    };
    let mut check = Check::new();
    let title = check.required("title", &input.title, LONGEST_TITLE);
    let subtitle = check.line("subtitle", &input.subtitle, 200);
    let description = check.text("description", &input.description, 20_000);
    let chosen = input.slug.as_ref().map(|slug| check.slug("slug", slug, LONGEST_SLUG));
    let facts = facts::check(&mut check, input.facts.clone());
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let claimed = match input.once.claim(tx, app, id, "createCourse", &input).await? {
                Turn::Create(claimed) => claimed,
                Turn::Repeat(id) => return query::lock(tx, id).await?.ok_or_else(idempotency::gone),
            };
            let instructor_id = UserId::new(id);
            facts::check_with(tx, instructor_id, None, &facts).await?;
            let own = own_channel(tx, &app.clock, instructor_id).await?;
            let mut course = NewCourse {
                id: CourseId::new(app.clock.uuid()),
                slug: String::new(),
                title: &title,
                subtitle: &subtitle,
                description: &description,
                instructor_id,
                facts: facts.clone().into_new(own),
            };
            claimed.keep(tx, course.id.uuid()).await?;
            if let Some(slug) = &chosen {
                course.slug.clone_from(slug);
                return insert(tx, app, &course).await?.ok_or_else(error::slug_taken);
            }
            let base = slug_base(&title);
            let mut taken: HashSet<String> = slug::taken_like(tx, &base).await?.into_iter().collect();
            loop {
                course.slug = free_slug(&base, &taken);
                if let Some(course) = insert(tx, app, &course).await? {
                    return Ok(course);
                }
                // Another transaction has taken the slug in the meantime.
                taken.insert(course.slug);
            }
        })
        .await
}

/// Changes a course.
///
/// # Errors
/// The input is invalid; the slug is taken; the actor may not edit the course.
pub async fn update_course(app: &App, actor: &Actor, input: UpdateCourseInput) -> Result<Edit<Course>> {
    let mut check = Check::new();
    let changes = CourseChanges {
        title: input.title.map(|title| check.required("title", &title, LONGEST_TITLE)),
        slug: input.slug.map(|slug| check.slug("slug", &slug, LONGEST_SLUG)),
        subtitle: input.subtitle.map(|text| check.line("subtitle", &text, 200)),
        description: input.description.map(|text| check.text("description", &text, 20_000)),
        facts: facts::check(&mut check, input.facts),
        updated_at: app.clock.now(),
    };
    let completion: Option<Option<i32>> = input.completion_percent.into();
    if completion.flatten().is_some_and(|percent| !(1..=100).contains(&percent)) {
        check.error(UserErrorCode::OutOfRange, "completionPercent", "The percentage must be from 1 to 100.");
    }
    let prices = input.prices.map(|prices| check_prices(&mut check, &prices));
    check.finish()?;
    app.db
        .transaction(async |tx| {
            let course = editable(tx, actor, input.course_id, "course").await?;
            if course.version != input.version {
                return Ok(Edit::Conflict { version: course.version, current: course });
            }
            facts::check_with(tx, course.instructor_id, Some(&course), &changes.facts).await?;
            if let Some(slug) = changes.slug.as_ref().filter(|slug| **slug != course.slug)
                && !slug::take(tx, &app.clock, slug, course.id).await?
            {
                return Err(error::slug_taken());
            }
            if let Some(percent) = completion {
                setting::set_completion_percent(tx, course.id, percent).await?;
            }
            if let Some(prices) = &prices {
                let own = changes.facts.currency.unwrap_or(course.currency);
                if let Some(place) = prices.iter().position(|(currency, _)| *currency == own) {
                    return Err(error::own_currency(place));
                }
                price::replace(tx, course.id, prices).await?;
            }
            query::update(tx, course.id, changes.clone()).await.map(Edit::Saved).map_err(taken_slug)
        })
        .await
}

/// Returns the viewer's data in the catalog, for an export: the courses that they teach.
///
/// # Errors
/// The caller is not signed in.
pub async fn my_data(app: &App, actor: &Actor) -> Result<Value> {
    let id = viewer(actor)?;
    let courses = query::taught_in_full(&*app.db.read().await?, id, FETCH).await?;
    let course = |(course, description, lists): (Course, String, CourseLists)| {
        json!({
            "id": course.id.encode(),
            "slug": course.slug,
            "title": course.title,
            "subtitle": course.subtitle,
            "description": description,
            "level": course.level.map(|level| level.as_str()),
            "language": course.language,
            "tags": lists.tags,
            "benefits": lists.benefits,
            "prerequisites": lists.prerequisites,
            "priceMinor": course.price_minor,
            "estimatedPriceMinor": course.estimated_price_minor,
            "currency": course.currency.code(),
            "createdAt": course.created_at,
            "publishedAt": course.published_at,
        })
    };
    Ok(json!({ "courses": items(courses.into_iter().map(course)) }))
}

/// Checks the prices in other currencies.
fn check_prices(check: &mut Check, prices: &[MoneyInput]) -> Vec<(CurrencyCode, i64)> {
    if prices.len() > MOST_PRICES {
        check.error(UserErrorCode::TooLong, "prices", format!("At most {MOST_PRICES} are allowed."));
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut checked = Vec::new();
    for (place, price) in prices.iter().enumerate() {
        let place = place.to_string();
        let amount = check.part(&["prices"], |check| price.minor(check, &place));
        if price.amount.is_zero() {
            let message = "A price is more than 0; a course that is free has no other prices.";
            check.part(&["prices"], |check| check.error(UserErrorCode::OutOfRange, &place, message));
        }
        if !seen.insert(price.currency) {
            let message = format!("There is a price in {} already.", price.currency.code());
            check.part(&["prices", &place], |check| check.error(UserErrorCode::Taken, "currency", message));
        }
        checked.push((price.currency, amount));
    }
    checked
}

/// Reserves the course's slug and inserts the course; `None` if the slug is taken.
async fn insert(tx: &mut Tx, app: &App, course: &NewCourse<'_>) -> Result<Option<Course>> {
    if !slug::take(tx, &app.clock, &course.slug, course.id).await? {
        return Ok(None);
    }
    Ok(query::insert(tx, &app.clock, course).await?)
}

/// Makes a slug from a title, with room for a number.
fn slug_base(title: &str) -> String {
    let base: String = ::slug::slugify(title).chars().take(LONGEST_SLUG - 8).collect();
    match base.trim_matches('-') {
        "" => "course".into(),
        base => base.to_owned(),
    }
}

/// Returns the base, with a number if it is taken.
fn free_slug(base: &str, taken: &HashSet<String>) -> String {
    let mut slug = base.to_owned();
    let mut number = 1_u64;
    while taken.contains(&slug) {
        number += 1;
        slug = format!("{base}-{number}");
    }
    slug
}

fn taken_slug(failed: diesel::result::Error) -> Error {
    if db::is_taken(&failed, "courses_slug_key") { error::slug_taken() } else { failed.into() }
}
