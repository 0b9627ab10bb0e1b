//! Settings of orders and payments.

use chrono::TimeDelta;

use super::Environment;
use super::reader::Reader;

/// The settings of orders and payments.
#[derive(Clone, Debug)]
pub struct Payments {
    /// Whether the sandbox takes payments.
    pub sandbox: bool,
    /// How long an order waits for its payment.
    pub order_lifetime: TimeDelta,
    /// After what time the buyer of an unpaid order is reminded; `None` for never.
    pub reminder: Option<TimeDelta>,
}

impl Payments {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Payments {
        let sandbox = match reader.text("LYCEUM_PAYMENTS") {
            None => environment == Environment::Development,
            Some("sandbox") => {
                if environment == Environment::Production {
                    reader.problem(
                        "LYCEUM_PAYMENTS is sandbox, which gives away everything for nothing; in production it must be \
                         off",
                    );
                }
                true
            }
            Some("off") => false,
            Some(other) => {
                let problem = format!("LYCEUM_PAYMENTS is {other:?}; it must be sandbox or off");
                reader.problem(problem);
                false
            }
        };
        let minutes = |minutes: u64| TimeDelta::minutes(minutes.cast_signed());
        let lifetime = reader.number("LYCEUM_ORDER_MINUTES", 5..=44_640);
        let reminder = reader.number("LYCEUM_ORDER_REMINDER_MINUTES", 0..=44_640);
        Payments {
            sandbox,
            order_lifetime: minutes(lifetime),
            reminder: (1..lifetime).contains(&reminder).then(|| minutes(reminder)),
        }
    }
}
