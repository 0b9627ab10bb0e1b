//! The plans of the demo school, and their first members.

use rust_decimal::Decimal;

use super::actor;
use super::people::People;
use super::progress::Progress;
use crate::cli::explain;
use crate::graphql::Idempotency;
use crate::graphql::loaders::Loaders;
use crate::graphql::money::{CurrencyCode, MoneyInput};
use crate::memberships::{self, BillingInterval, CreatePlanInput, NewPriceInput, PlanKind};
use crate::orders;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// A plan: name, description, hours of live classes a month if that is what it is for, price of a month and of a year in
/// dollars, days of trial.
type DemoPlan = (&'static str, &'static str, Option<i64>, i64, i64, i32);

const PLANS: [DemoPlan; 3] = [
    ("Basic", "Four hours of live classes each month.", Some(4), 29, 290, 0),
    ("Premium", "Eight hours of live classes each month.", Some(8), 49, 490, 0),
    ("All courses", "Every course, also those that are added later.", None, 19, 190, 14),
];
/// The number of members of each plan.
const MEMBERS: usize = 3;
/// The students before this one are no members: what they have is known from the rest of the school.
const FIRST: usize = 18;

/// Makes the plans, and orders and pays memberships of them. Plans that are there are left out.
pub(super) async fn import(app: &App, people: &People, progress: &Progress) -> Result<(), InternalError> {
    let loaders = Loaders::new(app.clone());
    progress.step("plans", PLANS.len())?;
    for (place, plan) in PLANS.into_iter().enumerate() {
        let made = memberships::import_plan(&loaders, &actor(&people.admin), input(plan)).await.map_err(explain)?;
        let monthly = made.into_iter().flat_map(|(_, prices)| prices);
        if let Some(price) = monthly.into_iter().find(|price| price.billing_interval == BillingInterval::Month) {
            for member in people.students.iter().skip(FIRST + place * MEMBERS).take(MEMBERS) {
                orders::import_membership(&loaders, &actor(member), &price).await.map_err(explain)?;
            }
        }
        progress.done(1);
    }
    Ok(())
}

fn input((name, description, hours, month, year, trial_days): DemoPlan) -> CreatePlanInput {
    let price = |amount: i64, interval| NewPriceInput {
        amount: MoneyInput { amount: Decimal::from(amount), currency: CurrencyCode::USD },
        interval,
        trial_days,
        extra_hour_amount: None,
    };
    CreatePlanInput {
        kind: if hours.is_some() { PlanKind::LiveClass } else { PlanKind::AllAccess },
        name: name.into(),
        slug: None,
        description: description.into(),
        course_id: None,
        category_id: None,
        live_hours_per_month: hours.map(Decimal::from),
        rollover_hours: None,
        max_extra_hours: None,
        family_size: None,
        family_member_hours: None,
        renewal_cron: Some("0 6 * * *".into()),
        prices: vec![price(month, BillingInterval::Month), price(year, BillingInterval::Year)],
        once: Idempotency::default(),
    }
}
