//! Random joins, leaves, records, cancellations, purchases and refunds of extra hours, changes of plan at once and at
//! the renewal, pauses and the end of a membership, and steps of the clock over the end of a month, in several time zones
//! and of random plans, compared with a simple model: hours are never overspent, also those that roll over into the next
//! month, that were bought, or that a family shares, seats never oversold, and a session is settled as a whole. Users
//! join and leave families meanwhile.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::reference::{CALENDARS, Calendar, EXTRA, Member, Model, OWNERS, Plan, Session};
use super::*;
use crate::support::rounds;

const STEPS: usize = 78;

/// What runs at random, and the ids of it.
struct Run {
    school: School,
    calendar: Calendar,
    users: Vec<User>,
    /// The plans, and the ids of their prices.
    plans: Vec<(Plan, String)>,
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
        let mut random = StdRng::seed_from_u64(seed);
        let calendar = CALENDARS[usize::try_from(seed).unwrap() % CALENDARS.len()];
        let border: DateTime<Utc> = calendar.starts[1].parse().unwrap();
        let settings =
            [("LYCEUM_LIVE_MINUTES", "30,60,90"), ("LYCEUM_LIVE_FREE_HOURS", "0"), ("LYCEUM_TIMEZONE", calendar.zone)];
        // Nine in the evening of the last day of the first month.
        let school = School::later(&settings, border - TimeDelta::hours(3) - at(0)).await;
        let mut users = vec![school.sam.clone(), school.tim.clone()];
        for name in ["Uma", "Vic"] {
            users.push(school.app.user(name, Role::Student).await);
        }
        let mut plans = Vec::new();
        for name in ["One", "Two", "Three"] {
            let (allowed, rollover) = ([60, 90, 120, 180][random.random_range(0..4)], 30 * random.random_range(0..4));
            let hours = |minutes: i64| (minutes as f64 / 60.0).to_string();
            let terms = json!({ "name": name, "familySize": 3, "familyMemberHours": "1.5" });
            let price = school.plan_with_extras(&hours(allowed), &hours(rollover), terms).await;
            plans.push((Plan { allowed, rollover }, price));
        }
        let (mut memberships, mut members) = (Vec::new(), Vec::new());
        for user in &users[..OWNERS] {
            let (plan, price) = &plans[random.random_range(0..plans.len())];
            memberships.push(school.subscribe(user, price, "30").await);
            members.push(Member::of(*plan));
        }
        school.adopt(&users[0], &memberships[0], &users[2], "uma").await;
        // They have all of the first month, and nothing is left of the one before.
        school.app.sql(&format!("UPDATE memberships SET plan_since = '{}'", calendar.starts[0])).await;
        let (mut model, mut ids) = (Model::default(), Vec::new());
        (model.border, model.members) = (border, members);
        model.payers = vec![Some(0), Some(1), Some(0), None];
        let mut start = school.now() + TimeDelta::minutes(40);
        for _ in 0..8 {
            let minutes = [30, 60, 90][random.random_range(0..3)];
            let seats = random.random_range(1..4);
            let mut input = school.input(start);
            (input["endsAt"], input["capacity"]) = (json!(start + TimeDelta::minutes(minutes)), json!(seats));
            ids.push(school.created(&school.ada, input).await[0]["id"].as_str().unwrap().to_owned());
            let (canceled, settled, places) = (false, false, BTreeMap::new());
            let month = usize::from(start >= border);
            model.sessions.push(Session { start, month, minutes, seats, canceled, settled, places });
            start += TimeDelta::minutes(minutes + random.random_range(0..60));
        }
        Run { school, calendar, users, plans, memberships, ids, model, bought: Vec::new(), random }
    }

    async fn step(&mut self) -> String {
        let now = self.school.now();
        let (user, at) = (self.random.random_range(0..self.users.len()), self.random.random_range(0..self.ids.len()));
        let (wait, choice) = (self.random.random_bool(0.5), self.random.random_range(0..31));
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
            // The host does not record whom nothing pays for now.
            12..=13 if self.model.pays_for(user, at) => {
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
            21..=22 => self.change_plan(user % OWNERS, at % self.plans.len()).await,
            23 => self.pause_or_resume(user % OWNERS, wait).await,
            24..=26 => self.choose_or_renew(user % OWNERS, at % self.plans.len(), wait).await,
            27 if wait => self.end(user % OWNERS).await,
            _ => {
                let to = now + TimeDelta::minutes(self.random.random_range(5..60));
                school.turn_to(to).await;
                self.model.settle(to);
                format!("it is {to}")
            }
        }
    }

    /// An owner changes the plan at once, unless more is booked of the month to come than the plan gives.
    async fn change_plan(&mut self, owner: usize, chosen: usize) -> String {
        let (school, now, (plan, price)) = (&self.school, self.school.now(), &self.plans[chosen]);
        if self.has(owner, price).await || self.model.members[owner].is_paused || self.is_booked(owner, *plan) {
            return format!("{owner} keeps the plan");
        }
        let input = json!({ "membershipId": self.memberships[owner], "planPriceId": price, "when": "NOW" });
        school.app.mutate(&self.users[owner], "changeMembership", "membership { id }", input).await;
        for _ in 0..2 {
            school.settle().await;
        }
        self.model.members[owner].next = None;
        self.model.change(owner, *plan, now);
        format!("{owner} has {plan:?}")
    }

    /// An owner chooses a plan for the next renewal. If that is the present one, or one is chosen already and it
    /// `comes`, the membership is renewed instead, unless more is booked of the month to come than the plan gives.
    async fn choose_or_renew(&mut self, owner: usize, chosen: usize, comes: bool) -> String {
        let (school, member, (plan, price)) = (&self.school, &self.model.members[owner], &self.plans[chosen]);
        if member.is_paused {
            return format!("{owner} is paused");
        }
        let is_chosen = member.next.is_some();
        if !(comes && is_chosen || self.has(owner, price).await) {
            let input = json!({ "membershipId": self.memberships[owner], "planPriceId": price, "when": "RENEWAL" });
            school.app.mutate(&self.users[owner], "changeMembership", "membership { id }", input).await;
            school.settle().await;
            self.model.members[owner].next = Some(*plan);
            return format!("{owner} will have {plan:?}");
        }
        let plan = member.next.unwrap_or(member.plan);
        if self.is_booked(owner, plan) {
            return format!("{owner} is not renewed yet");
        }
        school.renew(&self.memberships[owner]).await;
        self.model.renew(owner, self.school.now());
        format!("{owner} is renewed with {plan:?}")
    }

    /// Whether an owner's membership has a price.
    async fn has(&self, owner: usize, price: &str) -> bool {
        let query = "query ($id: ID!) { node(id: $id) { ... on Membership { planPrice { id } } } }";
        let variables = json!({ "id": self.memberships[owner] });
        let seen = self.school.app.data(Some(&self.users[owner].token), query, variables).await;
        seen["node"]["planPrice"]["id"] == json!(price)
    }

    /// Whether more is booked of the month to come than a plan gives.
    fn is_booked(&self, owner: usize, plan: Plan) -> bool {
        self.school.now() < self.model.border && self.model.spent(owner, None, 1, &["HELD"]) > plan.allowed
    }

    /// An owner pauses the membership, or ends the pause; or cancels it and takes that back, which changes nothing.
    async fn pause_or_resume(&mut self, owner: usize, cancels: bool) -> String {
        let (school, now) = (&self.school, self.school.now());
        let is_paused = self.model.members[owner].is_paused;
        if self.model.members[owner].is_ended {
            return format!("{owner} has no membership");
        }
        let fields: &[&str] = match is_paused {
            true => &["resumeMembership"],
            false if cancels => &["cancelMembership", "resumeMembership"],
            false => &["pauseMembership"],
        };
        for field in fields {
            let input = json!({ "membershipId": self.memberships[owner] });
            school.app.mutate(&self.users[owner], field, "membership { id }", input).await;
            school.settle().await;
        }
        if is_paused {
            self.model.change(owner, self.model.members[owner].plan, now);
        } else if !cancels {
            // The family first, by id.
            let person = |user: &usize| self.users[*user].id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
            let shares = |user: &usize| *user != owner && self.model.payers[*user] == Some(owner);
            let mut users: Vec<usize> = (0..self.users.len()).filter(shares).collect();
            users.sort_by_key(person);
            users.push(owner);
            self.model.pause(owner, &users, now);
        }
        format!("{owner}: {fields:?}")
    }

    /// An owner lets the family go, and cancels the membership, whose period ends: of one of the owners.
    async fn end(&mut self, owner: usize) -> String {
        if self.model.members.iter().any(|member| member.is_ended) || self.model.members[owner].is_paused {
            return format!("{owner} keeps the membership");
        }
        for user in OWNERS..self.users.len() {
            if self.model.payers[user] == Some(owner) {
                self.change_family(user, owner, false).await;
            }
        }
        let (school, membership) = (&self.school, &self.memberships[owner]);
        let input = json!({ "membershipId": membership });
        school.app.mutate(&self.users[owner], "cancelMembership", "membership { id }", input).await;
        school.settle().await;
        // A period takes some time.
        school.app.app.clock.advance(TimeDelta::milliseconds(1));
        let id = membership.parse::<lyceum::memberships::MembershipId>().unwrap().uuid();
        let now = school.now().to_rfc3339();
        school.app.sql(&format!("UPDATE memberships SET period_ends_at = '{now}' WHERE id = '{id}'")).await;
        school.app.run("memberships.expire").await;
        school.settle().await;
        self.model.end(owner, school.now());
        format!("the membership of {owner} has ended")
    }

    /// An owner buys extra hours for the first month, while it is not over.
    async fn buy(&mut self, user: usize, hours: i32) -> String {
        let (school, who, minutes) = (&self.school, &self.users[user], 60 * i64::from(hours));
        if self.model.members[user].is_paused {
            return format!("{user} is paused");
        }
        let extra = self.model.extra.entry(user).or_default();
        if school.now() >= self.model.border || *extra + minutes > EXTRA {
            let input = school.extra(hours, Some(self.calendar.months[0]));
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
        self.model.refund(user, minutes, self.school.now());
        format!("{user} gets the money for {minutes} back")
    }

    /// A user joins a family, or leaves theirs, or is removed from it.
    async fn change_family(&mut self, user: usize, owner: usize, leaves: bool) -> String {
        let (school, who, now) = (&self.school, &self.users[user], self.school.now());
        let family = self.model.payers[user];
        match family {
            None if self.model.members[owner].is_paused => return format!("{owner} is paused"),
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
            for (month, name) in self.calendar.months.into_iter().enumerate() {
                // What they are shown is what they can spend, or all of the family, while the month is not over.
                let now = self.school.now();
                if month == 1 || now < self.model.border {
                    let shown = self.school.hours(user, Some(name)).await;
                    let left: f64 = shown.rsplit(' ').next().unwrap().parse().unwrap();
                    let payer = if number < OWNERS { Some(number) } else { self.model.payer(number) };
                    let expected = payer.map_or(0, |payer| self.model.left(payer, month, now));
                    assert_eq!((left * 60.0).round() as i64, expected, "{shown} {trace:#?}");
                }
            }
            for (payer, month) in (0..OWNERS).flat_map(|payer| [0, 1].map(|month| (payer, month))) {
                let by = Some(number).filter(|user| *user != payer);
                let spent = |status| self.model.spent(payer, by, month, &[status]);
                let (attended, held) = (spent("ATTENDED"), spent("HELD"));
                if (number < OWNERS && payer != number) || attended + held == 0 {
                    continue;
                }
                let was_in = |session: &&Session| {
                    let place = session.places.get(&number);
                    session.month == month
                        && place.is_some_and(|place| place.status == "ATTENDED" && place.payer == payer)
                };
                let times = self.model.sessions.iter().filter(was_in).count();
                let (payer, user) = (person(&self.users[payer]), person(user));
                let month = self.calendar.months[month];
                expected.push(format!("{payer} {user} {month}-01 {attended} {held} {times}"));
            }
        }
        expected.sort();
        assert_eq!(found, expected.join(","), "{trace:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_are_never_overspent_and_seats_never_oversold() {
    for round in 0..rounds(4) {
        let seed = 16 + round as u64;
        let mut run = Run::start(seed).await;
        let terms: Vec<Plan> = run.model.members.iter().map(|member| member.plan).collect();
        let mut trace = vec![format!("seed {seed}, {}, {terms:?}", run.calendar.zone)];
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
