//! Hours of live classes of which none is left, for the member; once a month.

use futures_util::FutureExt;

use super::{EVERYWHERE, Kind, TIMEOUT, tell_of_hours};
use crate::live::LiveUsageChanged;
use crate::notifications::model::NotificationKind;
use crate::platform::jobs::Handler;
use crate::platform::outbox::Event;

pub(super) static KIND: Kind = Kind {
    name: ["hours that are used up", "Stunden, die verbraucht sind"],
    default: EVERYWHERE,
    title: ["Your hours of live classes are used up", "Deine Live-Stunden sind verbraucht"],
    body: ["New ones come with the next month.", "Mit dem nächsten Monat kommen neue."],
    handlers: || {
        vec![Handler::reaction("notifications.hours_used_up", LiveUsageChanged::KIND, TIMEOUT, |app, payload| {
            let of = |event: &LiveUsageChanged| event.used_up;
            async move { tell_of_hours(&app, payload, NotificationKind::HoursUsedUp, of).await }.boxed()
        })]
    },
};
