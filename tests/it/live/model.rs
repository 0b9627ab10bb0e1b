//! Random joins, leaves, records, cancellations, purchases and refunds of extra hours, and steps of the clock over the
//! end of a month, compared with a simple model: hours are never overspent, also those that roll over into the next
//! month and those that were bought, seats never oversold, and a session is settled as a whole.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::support::rounds;

const STEPS: usize = 120;
/// What each user has a month.
const ALLOWED: i64 = 120;
/// How much of what is left of a month counts in the next one.
const ROLLOVER: i64 = 60;
/// What each user may buy for November besides.
const EXTRA: i64 = 180;
const MONTHS: [&str; 2] = ["2026-11", "2026-12"];

/// When December begins.
fn december() -> DateTime<Utc> {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

#[derive(Clone, Debug, PartialEq)]
struct Place {
    status: &'static str,
    /// When it was taken, as a step.
    since: usize,
    joined: bool,
    recorded: Option<bool>,
}

#[derive(Clone, Debug)]
struct Session {
    start: DateTime<Utc>,
    minutes: i64,
    seats: i64,
    canceled: bool,
    settled: bool,
    places: BTreeMap<usize, Place>,
}

impl Session {
    fn end(&self) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(self.minutes)
    }

    fn month(&self) -> String {
        self.start.format("%Y-%m").to_string()
    }

    fn taken(&self) -> i64 {
        self.places.values().filter(|place| ["HELD", "ATTENDED", "ABSENT"].contains(&place.status)).count() as i64
    }
}

#[derive(Clone, Debug, Default)]
struct Model {
    sessions: Vec<Session>,
    /// What each user has bought for November and not got refunded.
    extra: BTreeMap<usize, i64>,
    step: usize,
}

impl Model {
    fn spent(&self, user: usize, month: &str, statuses: &[&str]) -> i64 {
        let of = |session: &&Session| {
            session.month() == month && session.places.get(&user).is_some_and(|place| statuses.contains(&place.status))
        };
        self.sessions.iter().filter(of).map(|session| session.minutes).sum()
    }

    /// What a user can still spend in a month.
    fn left(&self, user: usize, month: &str, now: DateTime<Utc>) -> i64 {
        let [november, in_december] = MONTHS.map(|month| self.spent(user, month, &["HELD", "ATTENDED"]));
        if month == MONTHS[0] {
            // What was refunded after it was spent is spent. What December has spent of it is gone.
            let extra = self.extra.get(&user).copied().unwrap_or_default();
            return (ALLOWED + extra - november).max(0) - (in_december - ALLOWED).max(0);
        }
        // Of what is left of November's own: extra hours are spent last. What was rolled over and is spent stays.
        let rolled_over = if now >= december() { ROLLOVER.min(ALLOWED - november).max(0) } else { 0 };
        (ALLOWED + rolled_over - in_december).max(0)
    }

    fn join(&mut self, user: usize, at: usize, wait: bool, now: DateTime<Utc>) -> String {
        self.step += 1;
        let (since, session) = (self.step, &self.sessions[at]);
        let status = session.places.get(&user).map_or("-", |place| place.status);
        let reason = match () {
            () if session.canceled => "CANCELED",
            () if now >= session.end() => "ENDED",
            () if status == "HELD" => "ALREADY_JOINED",
            () if self.left(user, &session.month(), now) < session.minutes => "INSUFFICIENT_HOURS",
            () if session.taken() >= session.seats => "FULL",
            () => "ELIGIBLE",
        };
        let session = &mut self.sessions[at];
        let place = |status| Place { status, since, joined: false, recorded: None };
        match reason {
            "ELIGIBLE" => drop(session.places.insert(user, place("HELD"))),
            "FULL" if wait && status != "WAITING" => drop(session.places.insert(user, place("WAITING"))),
            _ => {}
        }
        let is_open = now >= session.start - TimeDelta::minutes(15) && now < session.end() && !session.canceled;
        if let Some(place) = session.places.get_mut(&user).filter(|place| place.status == "HELD" && is_open) {
            place.joined = true;
        }
        format!("{reason} {}", self.sessions[at].places.get(&user).map_or("-", |place| place.status))
    }

    fn leave(&mut self, user: usize, at: usize, now: DateTime<Utc>) {
        self.step += 1;
        let session = &mut self.sessions[at];
        if session.canceled || now >= session.end() {
            return;
        }
        let before_start = now < session.start;
        let Some(place) = session.places.get_mut(&user) else { return };
        match place.status {
            "HELD" if before_start => {
                place.status = "RELEASED";
                self.move_up(at, now);
            }
            "WAITING" => place.status = "RELEASED",
            _ => {}
        }
    }

    fn move_up(&mut self, at: usize, now: DateTime<Utc>) {
        loop {
            let session = &self.sessions[at];
            if session.taken() >= session.seats {
                // Those at the front who cannot attend are looked at before it is seen that there is no seat.
                return self.drop_broke(at, now);
            }
            let waiting = session.places.iter().filter(|(_, place)| place.status == "WAITING");
            let Some(user) = waiting.min_by_key(|(_, place)| place.since).map(|(user, _)| *user) else { return };
            let can = self.left(user, &session.month(), now) >= session.minutes;
            let status = if can { "HELD" } else { "RELEASED" };
            let place = self.sessions[at].places.get_mut(&user).unwrap();
            place.status = status;
        }
    }

    fn drop_broke(&mut self, at: usize, now: DateTime<Utc>) {
        loop {
            let session = &self.sessions[at];
            let waiting = session.places.iter().filter(|(_, place)| place.status == "WAITING");
            let Some(user) = waiting.min_by_key(|(_, place)| place.since).map(|(user, _)| *user) else { return };
            if self.left(user, &session.month(), now) >= session.minutes {
                return;
            }
            self.sessions[at].places.get_mut(&user).unwrap().status = "RELEASED";
        }
    }

    fn record(&mut self, user: usize, at: usize, attended: bool, now: DateTime<Utc>) {
        let session = &self.sessions[at];
        let left = self.left(user, &session.month(), now);
        let (open, minutes) = (now >= session.start && !session.canceled, session.minutes);
        let Some(place) = self.sessions[at].places.get_mut(&user).filter(|_| open) else { return };
        match place.status {
            "HELD" => place.recorded = Some(attended),
            "ATTENDED" if !attended => place.status = "ABSENT",
            "ABSENT" if attended && left >= minutes => place.status = "ATTENDED",
            _ => {}
        }
    }

    fn cancel(&mut self, at: usize, now: DateTime<Utc>) {
        let session = &mut self.sessions[at];
        if now < session.end() {
            session.canceled = true;
            for place in session.places.values_mut().filter(|place| ["HELD", "WAITING"].contains(&place.status)) {
                place.status = "RELEASED";
            }
        }
    }

    fn settle(&mut self, now: DateTime<Utc>) {
        for session in self.sessions.iter_mut().filter(|session| !session.canceled && now >= session.end()) {
            session.settled = true;
            for place in session.places.values_mut() {
                place.status = match place.status {
                    "HELD" if place.recorded.unwrap_or(place.joined) => "ATTENDED",
                    "HELD" => "ABSENT",
                    "WAITING" => "RELEASED",
                    other => other,
                };
            }
        }
    }
}

/// What runs at random, and the ids of it.
struct Run {
    school: School,
    users: Vec<User>,
    ids: Vec<String>,
    model: Model,
    /// The orders of extra hours that are not refunded: who has bought how many minutes.
    bought: Vec<(usize, i64, Value)>,
    random: StdRng,
}

impl Run {
    async fn start(seed: u64) -> Run {
        // Nine in the evening of the last day of November.
        let settings = [("LYCEUM_LIVE_MINUTES", "30,60,90")];
        let school = School::later(&settings, TimeDelta::days(10) + TimeDelta::hours(12)).await;
        let mut users = vec![school.sam.clone(), school.tim.clone()];
        for name in ["Uma", "Vic"] {
            users.push(school.app.user(name, Role::Student).await);
        }
        let price = school.plan_with_extras("2", "1").await;
        for user in &users {
            school.subscribe(user, &price, "30").await;
        }
        // They had all of November, and nothing is left of October.
        school.app.sql("UPDATE memberships SET plan_since = '2026-10-15T00:00:00Z'").await;
        let (mut random, mut model, mut ids) = (StdRng::seed_from_u64(seed), Model::default(), Vec::new());
        let mut start = school.now() + TimeDelta::minutes(40);
        for _ in 0..8 {
            let minutes = [30, 60, 90][random.random_range(0..3)];
            let seats = random.random_range(1..4);
            let mut input = school.input(start);
            (input["endsAt"], input["capacity"]) = (json!(start + TimeDelta::minutes(minutes)), json!(seats));
            ids.push(school.created(&school.ada, input).await[0]["id"].as_str().unwrap().to_owned());
            let (canceled, settled, places) = (false, false, BTreeMap::new());
            model.sessions.push(Session { start, minutes, seats, canceled, settled, places });
            start += TimeDelta::minutes(minutes + random.random_range(0..60));
        }
        Run { school, users, ids, model, bought: Vec::new(), random }
    }

    async fn step(&mut self) -> String {
        let now = self.school.now();
        let (user, at) = (self.random.random_range(0..self.users.len()), self.random.random_range(0..self.ids.len()));
        let (wait, choice) = (self.random.random_bool(0.5), self.random.random_range(0..22));
        let (school, who, id) = (&self.school, &self.users[user], &self.ids[at]);
        match choice {
            0..=8 => {
                // Later ones are told apart by their time.
                school.app.app.clock.advance(TimeDelta::milliseconds(1));
                let joined = school.join(who, id, wait).await;
                assert_eq!(joined, self.model.join(user, at, wait, school.now()));
                format!("{user} joins {at}: {joined}")
            }
            9..=11 => {
                let input = json!({ "liveSessionId": id });
                school.error(Some(who), "leaveLiveSession", input).await;
                self.model.leave(user, at, now);
                format!("{user} leaves {at}")
            }
            12..=13 => {
                let outcome = school.record(&school.ada, id, &[(who, wait)]).await;
                self.model.record(user, at, wait, now);
                format!("{user} in {at}: {wait} {outcome}")
            }
            14 => {
                school.error(Some(&school.ada), "cancelLiveSession", json!({ "liveSessionId": id })).await;
                self.model.cancel(at, now);
                format!("{at} is canceled")
            }
            15..=16 => self.race(user, at, wait).await,
            17 => self.buy(user, if wait { 1 } else { 2 }).await,
            18 => self.refund().await,
            _ => {
                let to = now + TimeDelta::minutes(self.random.random_range(5..60));
                school.turn_to(to).await;
                self.model.settle(to);
                format!("it is {to}")
            }
        }
    }

    /// A user buys extra hours for November, while it is not over.
    async fn buy(&mut self, user: usize, hours: i32) -> String {
        let (school, who, minutes) = (&self.school, &self.users[user], 60 * i64::from(hours));
        let extra = self.model.extra.entry(user).or_default();
        if school.now() >= december() || *extra + minutes > EXTRA {
            let input = school.extra(hours, Some(MONTHS[0]));
            assert_eq!(school.error(Some(who), "createOrder", input).await.0, "OUT_OF_RANGE");
            return format!("{user} may not buy {hours}");
        }
        *extra += minutes;
        self.bought.push((user, minutes, school.buy(who, hours).await));
        format!("{user} buys {hours}")
    }

    /// The money of some extra hours goes back, also after their month.
    async fn refund(&mut self) -> String {
        if self.bought.is_empty() {
            return "nothing to refund".into();
        }
        let (user, minutes, order) = self.bought.swap_remove(self.random.random_range(0..self.bought.len()));
        self.school.refund(&order).await;
        *self.model.extra.entry(user).or_default() -= minutes;
        format!("{user} gets the money for {minutes} back")
    }

    /// Two users join a session, or one joins two, at once: as if it were one after the other.
    async fn race(&mut self, user: usize, at: usize, wait: bool) -> String {
        let (other, beside) = ((user + 1) % self.users.len(), (at + 1) % self.ids.len());
        let second = if wait { (other, at) } else { (user, beside) };
        let (school, now) = (&self.school, self.school.now());
        let join = |(user, at): (usize, usize)| school.join(&self.users[user], &self.ids[at], false);
        let found = tokio::join!(join((user, at)), join(second));
        let (mut one, mut two) = (self.model.clone(), self.model.clone());
        let first = one.join(user, at, false, now);
        let in_order = (first, one.join(second.0, second.1, false, now));
        let first = two.join(second.0, second.1, false, now);
        let reversed = (two.join(user, at, false, now), first);
        assert!(found == in_order || found == reversed, "{found:?} {in_order:?} {reversed:?}");
        self.model = if found == in_order { one } else { two };
        format!("{user} in {at} races {second:?}: {found:?}")
    }

    /// Compares all places and months.
    async fn compare(&self, trace: &[String]) {
        let places = "SELECT coalesce(string_agg(concat_ws(' ', session_id, user_id, status), ',' ORDER BY session_id, \
            user_id), '') FROM live_attendances";
        let found = self.school.app.sql(places).await;
        let uuid = |id: &str| id.parse::<lyceum::live::LiveSessionId>().unwrap().uuid();
        let person = |user: &User| user.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
        let mut expected = Vec::new();
        for (session, id) in self.model.sessions.iter().zip(&self.ids) {
            for (user, place) in &session.places {
                expected.push(format!("{} {} {}", uuid(id), person(&self.users[*user]), place.status));
            }
            assert!(session.taken() <= session.seats);
        }
        expected.sort();
        assert_eq!(found, expected.join(","), "{trace:#?}");
        let months = "SELECT coalesce(string_agg(concat_ws(' ', user_id, month, attended_minutes, held_minutes, \
            sessions_attended), ',' ORDER BY user_id, month), '') FROM live_usage WHERE attended_minutes + held_minutes > 0";
        let found = self.school.app.sql(months).await;
        let mut expected = Vec::new();
        for (number, user) in self.users.iter().enumerate() {
            for month in MONTHS {
                // What they are shown is what they can spend, while the month is not over.
                let now = self.school.now();
                if month == MONTHS[1] || now < december() {
                    let shown = self.school.hours(user, Some(month)).await;
                    let left: f64 = shown.rsplit(' ').next().unwrap().parse().unwrap();
                    let expected = self.model.left(number, month, now);
                    assert_eq!((left * 60.0).round() as i64, expected, "{shown} {trace:#?}");
                }
                let [attended, held] = ["ATTENDED", "HELD"].map(|status| self.model.spent(number, month, &[status]));
                let was_in = |session: &&Session| {
                    session.month() == month
                        && session.places.get(&number).is_some_and(|place| place.status == "ATTENDED")
                };
                let times = self.model.sessions.iter().filter(was_in).count();
                if attended + held > 0 {
                    expected.push(format!("{} {month}-01 {attended} {held} {times}", person(user)));
                }
            }
        }
        expected.sort();
        assert_eq!(found, expected.join(","), "{trace:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_are_never_overspent_and_seats_never_oversold() {
    for round in 0..rounds(2) {
        let mut run = Run::start(16 + round as u64).await;
        let mut trace = Vec::new();
        for number in 0..STEPS {
            trace.push(run.step().await);
            if number % 5 == 0 {
                run.compare(&trace).await;
            }
        }
        // In the end all sessions are over and settled.
        let end = run.model.sessions.last().unwrap().end();
        run.school.turn_to(end.max(run.school.now())).await;
        run.model.settle(run.school.now());
        run.compare(&trace).await;
        let open =
            run.school.app.sql("SELECT count(*) FROM live_attendances WHERE status IN ('HELD', 'WAITING')").await;
        assert_eq!(open, "0");
        assert!(run.model.sessions.iter().all(|session| session.settled || session.canceled));
    }
}
