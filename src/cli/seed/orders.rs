//! What the students of the demo school buy.

use super::actor;
use super::people::People;
use super::progress::Progress;
use crate::catalog::Course;
use crate::cli::explain;
use crate::graphql::loaders::Loaders;
use crate::orders;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The number of orders.
const ORDERS: usize = 8;
/// The students before this one do not buy: what they have is known from the rest of the school.
const FIRST: usize = 10;

/// Orders courses, most of them paid. What was ordered already is left out.
pub(super) async fn import(
    app: &App,
    people: &People,
    courses: &[Course],
    progress: &Progress,
) -> Result<(), InternalError> {
    let loaders = Loaders::new(app.clone());
    let sold: Vec<&Course> =
        courses.iter().filter(|course| course.published_at.is_some() && course.price_minor > 0).collect();
    progress.step("orders", ORDERS)?;
    let buyers = people.students.iter().skip(FIRST).take(ORDERS);
    for (number, (student, course)) in buyers.zip(sold.iter().cycle()).enumerate() {
        orders::import(&loaders, &actor(student), course, number % 4 != 3).await.map_err(explain)?;
        progress.done(1);
    }
    Ok(())
}
