//! Random joins, leaves, records, cancellations, purchases and refunds of extra hours, and steps of the clock over the
//! end of a month, compared with a simple model: hours are never overspent, also those that roll over into the next
//! month, that were bought, or that a family shares, seats never oversold, and a session is settled as a whole. Users
//! join and leave families meanwhile.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::reference::{EXTRA, MONTHS, Model, OWNERS, Session, december};
use super::*;
use crate::support::rounds;

const STEPS: usize = 120;

/// What runs at random, and the ids of it.
struct Run {
    school: School,
    users: Vec<User>,
    /// The ids of those of the owners.
    memberships: Vec<String>,
    ids: Vec<String>,
    model: Model,
    /// The orders of extra hours that are not refunded: who has bought how many minutes.
    bought: Vec<(usize, i64, Value)>,
    random: StdRng,
}

impl Run {
    async fn start(seed: u64) -> Run {
        // Nine in the evening of the last day of November.
        let settings = [("LYCEUM_LIVE_MINUTES", "30,60,90"), ("LYCEUM_LIVE_FREE_HOURS", "0")];
        let school = School::later(&settings, TimeDelta::days(10) + TimeDelta::hours(12)).await;
        let mut users = vec![school.sam.clone(), school.tim.clone()];
        for name in ["Uma", "Vic"] {
            users.push(school.app.user(name, Role::Student).await);
        }
        let terms = json!({ "familySize": 3, "familyMemberHours": "1.5" });
        let price = school.plan_with_extras("2", "1", terms).await;
        let mut memberships = Vec::new();
        for user in &users[..OWNERS] {
            memberships.push(school.subscribe(user, &price, "30").await);
        }
        school.adopt(&users[0], &memberships[0], &users[2], "uma").await;
        // They had all of November, and nothing is left of October.
        school.app.sql("UPDATE memberships SET plan_since = '2026-10-15T00:00:00Z'").await;
        let (mut random, mut model, mut ids) = (StdRng::seed_from_u64(seed), Model::default(), Vec::new());
        model.payers = vec![Some(0), Some(1), Some(0), None];
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
        Run { school, users, memberships, ids, model, bought: Vec::new(), random }
    }

    async fn step(&mut self) -> String {
        let now = self.school.now();
        let (user, at) = (self.random.random_range(0..self.users.len()), self.random.random_range(0..self.ids.len()));
        let (wait, choice) = (self.random.random_bool(0.5), self.random.random_range(0..24));
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
            17 => self.buy(user % OWNERS, if wait { 1 } else { 2 }).await,
            18 => self.refund().await,
            19..=20 => self.change_family(OWNERS + user % 2, at % OWNERS, wait).await,
            _ => {
                let to = now + TimeDelta::minutes(self.random.random_range(5..60));
                school.turn_to(to).await;
                self.model.settle(to);
                format!("it is {to}")
            }
        }
    }

    /// An owner buys extra hours for November, while it is not over.
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

    /// A user joins a family, or leaves theirs, or is removed from it.
    async fn change_family(&mut self, user: usize, owner: usize, leaves: bool) -> String {
        let (school, who, now) = (&self.school, &self.users[user], self.school.now());
        let family = self.model.payers[user];
        match family {
            None => {
                let email = ["uma", "vic"][user - OWNERS];
                school.adopt(&self.users[owner], &self.memberships[owner], who, email).await;
            }
            Some(owner) if leaves => {
                let input = json!({ "ownerId": self.users[owner].id });
                school.app.mutate(who, "leaveFamily", "owner { id }", input).await;
            }
            Some(owner) => {
                let input = json!({ "membershipId": self.memberships[owner], "userId": who.id });
                school.app.mutate(&self.users[owner], "removeFamilyMember", "family { size }", input).await;
            }
        }
        school.settle().await;
        let joined = family.is_none().then_some(owner);
        self.model.change_family(user, joined, now);
        format!("{user} in family {family:?}, now {joined:?}")
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
        let places = "SELECT coalesce(string_agg(concat_ws(' ', session_id, user_id, status, CASE WHEN status IN \
            ('HELD', 'ATTENDED', 'ABSENT') THEN coalesce(payer_id, user_id) END), ',' ORDER BY session_id, user_id), '') \
            FROM live_attendances";
        let found = self.school.app.sql(places).await;
        let uuid = |id: &str| id.parse::<lyceum::live::LiveSessionId>().unwrap().uuid();
        let person = |user: &User| user.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
        let mut expected = Vec::new();
        for (session, id) in self.model.sessions.iter().zip(&self.ids) {
            for (user, place) in &session.places {
                let mut line = format!("{} {} {}", uuid(id), person(&self.users[*user]), place.status);
                if ["HELD", "ATTENDED", "ABSENT"].contains(&place.status) {
                    line += &format!(" {}", person(&self.users[place.payer]));
                }
                expected.push(line);
            }
            assert!(session.taken() <= session.seats);
        }
        expected.sort();
        assert_eq!(found, expected.join(","), "{trace:#?}");
        let months = "SELECT coalesce(string_agg(line, ',' ORDER BY line COLLATE \"C\"), '') FROM (SELECT \
            concat_ws(' ', user_id, user_id, month, attended_minutes, held_minutes, sessions_attended) AS line FROM live_usage \
            WHERE attended_minutes + held_minutes > 0 UNION ALL SELECT concat_ws(' ', payer_id, user_id, month, \
            attended_minutes, held_minutes, sessions_attended) FROM live_family_usage \
            WHERE attended_minutes + held_minutes > 0) AS t";
        let found = self.school.app.sql(months).await;
        let mut expected = Vec::new();
        for (number, user) in self.users.iter().enumerate() {
            for month in MONTHS {
                // What they are shown is what they can spend, or all of the family, while the month is not over.
                let now = self.school.now();
                if month == MONTHS[1] || now < december() {
                    let shown = self.school.hours(user, Some(month)).await;
                    let left: f64 = shown.rsplit(' ').next().unwrap().parse().unwrap();
                    let expected = self.model.payers[number].map_or(0, |payer| self.model.left(payer, month, now));
                    assert_eq!((left * 60.0).round() as i64, expected, "{shown} {trace:#?}");
                }
            }
            for (payer, month) in (0..OWNERS).flat_map(|payer| MONTHS.map(|month| (payer, month))) {
                let by = Some(number).filter(|user| *user != payer);
                let spent = |status| self.model.spent(payer, by, month, &[status]);
                let (attended, held) = (spent("ATTENDED"), spent("HELD"));
                if (number < OWNERS && payer != number) || attended + held == 0 {
                    continue;
                }
                let was_in = |session: &&Session| {
                    let place = session.places.get(&number);
                    session.month() == month
                        && place.is_some_and(|place| place.status == "ATTENDED" && place.payer == payer)
                };
                let times = self.model.sessions.iter().filter(was_in).count();
                let (payer, user) = (person(&self.users[payer]), person(user));
                expected.push(format!("{payer} {user} {month}-01 {attended} {held} {times}"));
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
