//! Hours of live classes of which 80 % are spent, for the member; once a month.

use futures_util::FutureExt;

use super::{EVERYWHERE, Kind, TIMEOUT, tell_of_hours};
use crate::live::LiveUsageChanged;
use crate::notifications::model::NotificationKind;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["hours that are nearly used up", "Stunden, die fast verbraucht sind"],
    default: EVERYWHERE,
    title: ["Your hours of live classes are nearly used up", "Deine Live-Stunden sind fast verbraucht"],
    body: ["You have used 80 % of the month's hours.", "Du hast 80 % der Stunden des Monats verbraucht."],
    handlers: || {
        vec![Handler::reaction("notifications.hours_nearly_used", LiveUsageChanged::KIND, TIMEOUT, |app, payload| {
            let of = |event: &LiveUsageChanged| event.nearly_used;
            async move { tell_of_hours(&app, payload, NotificationKind::HoursNearlyUsed, of).await }.boxed()
        })]
    },
};
