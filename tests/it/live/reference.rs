//! What the hours, seats and families of [`super::model`] should be: a simple model in memory.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// What a family member can use of a month, whatever the plan.
const SHARE: i64 = 90;
/// The users with a membership; the others can be in the family of one of them.
pub(super) const OWNERS: usize = 2;
/// What each owner may buy for the first month besides.
pub(super) const EXTRA: i64 = 180;

/// Two months in a time zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    pub(super) zone: &'static str,
    pub(super) months: [&'static str; 2],
    /// When the first one begins, and the second.
    pub(super) starts: [&'static str; 2],
}

/// In Berlin, the clocks are turned back on the last day of the first month. The February is one of a leap year.
pub(super) const CALENDARS: [Calendar; 4] = [
    Calendar { zone: "UTC", months: ["2026-11", "2026-12"], starts: ["2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"] },
    Calendar {
        zone: "Europe/Berlin",
        months: ["2027-10", "2027-11"],
        starts: ["2027-09-30T22:00:00Z", "2027-10-31T23:00:00Z"],
    },
    Calendar {
        zone: "Asia/Kolkata",
        months: ["2028-02", "2028-03"],
        starts: ["2028-01-31T18:30:00Z", "2028-02-29T18:30:00Z"],
    },
    Calendar {
        zone: "America/New_York",
        months: ["2027-10", "2027-11"],
        starts: ["2027-10-01T04:00:00Z", "2027-11-01T04:00:00Z"],
    },
];

/// The minutes that a plan gives a month, and how many of those that are left count in the next one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) allowed: i64,
    pub(super) rollover: i64,
}

/// The membership of an owner.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) plan: Plan,
    pub(super) is_paused: bool,
    /// Whether it has ended, which is a pause for good.
    pub(super) is_ended: bool,
    /// The plan that was chosen for the next renewal.
    pub(super) next: Option<Plan>,
    /// Whether it was changed or resumed in the second month.
    is_changed: bool,
    /// What it gives in each month, as far as it was changed in it; in the first one since its start.
    gives: [i64; 2],
    /// What had rolled over into the second month when it was changed there.
    rolled: i64,
}

impl Member {
    pub(super) fn of(plan: Plan) -> Member {
        Member {
            plan,
            is_paused: false,
            is_ended: false,
            next: None,
            is_changed: false,
            gives: [plan.allowed, 0],
            rolled: 0,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) status: &'static str,
    /// When it was taken, as a step.
    since: usize,
    joined: bool,
    recorded: Option<bool>,
    /// Whose hours pay.
    pub(super) payer: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) start: DateTime<Utc>,
    /// Which of the months it is in.
    pub(super) month: usize,
    pub(super) minutes: i64,
    pub(super) seats: i64,
    pub(super) canceled: bool,
    pub(super) settled: bool,
    pub(super) places: BTreeMap<usize, Place>,
}

impl Session {
    pub(super) fn end(&self) -> DateTime<Utc> {
        self.start + TimeDelta::minutes(self.minutes)
    }

    pub(super) fn taken(&self) -> i64 {
        self.places.values().filter(|place| ["HELD", "ATTENDED", "ABSENT"].contains(&place.status)).count() as i64
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) sessions: Vec<Session>,
    /// When the second month begins.
    pub(super) border: DateTime<Utc>,
    /// The memberships of the owners.
    pub(super) members: Vec<Member>,
    /// What each owner has bought for the first month and not got refunded.
    pub(super) extra: BTreeMap<usize, i64>,
    /// Whose hours each user can spend.
    pub(super) payers: Vec<Option<usize>>,
    step: usize,
}

impl Model {
    /// What has been spent in a month of a payer's hours, by all or by one user.
    pub(super) fn spent(&self, payer: usize, by: Option<usize>, month: usize, statuses: &[&str]) -> i64 {
        let places = self.sessions.iter().filter(move |session| session.month == month).flat_map(move |session| {
            let of = move |(user, place): &(&usize, &Place)| {
                place.payer == payer && by.is_none_or(|by| by == **user) && statuses.contains(&place.status)
            };
            session.places.iter().filter(of).map(move |_| session.minutes)
        });
        places.sum()
    }

    fn used(&self, payer: usize, month: usize) -> i64 {
        self.spent(payer, None, month, &["HELD", "ATTENDED"])
    }

    /// What is left of the first month's own minutes: extra hours are spent last.
    fn unused(&self, payer: usize) -> i64 {
        (self.members[payer].gives[0] - self.used(payer, 0)).max(0)
    }

    /// What a membership that runs gives in the second month, and what is rolled over into it. What is spent stays.
    fn second(&self, payer: usize, now: DateTime<Utc>) -> (i64, i64) {
        let (member, used) = (&self.members[payer], self.used(payer, 1));
        let rolled_over = if now >= self.border { member.plan.rollover.min(self.unused(payer)) } else { 0 };
        if member.is_changed {
            return (member.gives[1], rolled_over.max(member.rolled));
        }
        (member.plan.allowed.max(used - rolled_over), rolled_over)
    }

    /// What can still be spent of a payer's hours in a month.
    pub(super) fn left(&self, payer: usize, month: usize, now: DateTime<Utc>) -> i64 {
        let (member, used) = (&self.members[payer], self.used(payer, month));
        let extra = self.extra.get(&payer).copied().unwrap_or_default();
        match (month, member.is_paused) {
            // What was refunded after it was spent is spent. What the second month has spent of it is gone.
            (0, false) => {
                let lent = (self.used(payer, 1) - self.second(payer, now).0).max(0);
                (member.gives[0] + extra - used).max(0) - lent
            }
            (0, true) => (extra - (used - member.gives[0]).max(0)).max(0),
            (_, false) => {
                let (gives, rolled_over) = self.second(payer, now);
                (gives + rolled_over - used).max(0)
            }
            (_, true) => 0,
        }
    }

    /// A membership becomes one of another plan, or goes on after a pause. The month has what is more.
    pub(super) fn change(&mut self, owner: usize, plan: Plan, now: DateTime<Utc>) {
        let (gave, rolled_over) = self.second(owner, now);
        let (unused, is_second) = (self.unused(owner), now >= self.border);
        let member = &mut self.members[owner];
        if !is_second {
            member.gives[0] = member.gives[0].max(plan.allowed);
        } else if member.is_paused {
            // What was spent when it was paused in this month is in `gives` and `rolled`.
            member.gives[1] = member.gives[1].max(plan.allowed);
            member.is_changed = true;
        } else {
            member.gives[1] = gave.max(plan.allowed);
            member.rolled = rolled_over.max(plan.rollover.min(unused));
            member.is_changed = true;
        }
        (member.plan, member.is_paused) = (plan, false);
    }

    /// A membership is renewed. Without another plan for that, all stays.
    pub(super) fn renew(&mut self, owner: usize, now: DateTime<Utc>) {
        if let Some(plan) = self.members[owner].next.take() {
            self.change(owner, plan, now);
        }
    }

    /// A membership is paused, which takes the seats to come of its users back, in their order. What is spent stays.
    pub(super) fn pause(&mut self, owner: usize, users: &[usize], now: DateTime<Utc>) {
        self.members[owner].is_paused = true;
        for user in users {
            self.release(*user, now);
        }
        let used = [self.used(owner, 0), self.used(owner, 1)];
        let (gave, rolled_over) = self.second(owner, now);
        let member = &mut self.members[owner];
        if now < self.border {
            member.gives[0] = member.gives[0].min(used[0]);
        } else {
            member.gives[1] = gave.min((used[1] - rolled_over).max(0));
            member.rolled = rolled_over.min(used[1] - member.gives[1]).max(0);
        }
    }

    /// A membership that nobody shares ends: it gives nothing from then on.
    pub(super) fn end(&mut self, owner: usize, now: DateTime<Utc>) {
        self.pause(owner, &[owner], now);
        self.members[owner].is_ended = true;
    }

    /// An owner's money for extra minutes goes back.
    pub(super) fn refund(&mut self, owner: usize, minutes: i64, now: DateTime<Utc>) {
        *self.extra.entry(owner).or_default() -= minutes;
        let used = self.used(owner, 0);
        let member = &mut self.members[owner];
        // The month is written anew.
        if member.is_paused && now < self.border {
            member.gives[0] = member.gives[0].min(used);
        }
    }

    /// What is spent of the first month after its end comes off what was rolled over from it.
    fn trim(&mut self, payer: usize, at: usize, now: DateTime<Utc>) {
        if now >= self.border && self.sessions[at].month == 0 {
            let most = self.unused(payer).max(self.used(payer, 1) - self.members[payer].gives[1]);
            let member = &mut self.members[payer];
            member.rolled = member.rolled.min(most);
        }
    }

    /// Why the hours do not suffice for a user in a session that a payer pays for; `None` if they do.
    fn lacks(&self, (user, payer): (usize, usize), session: &Session, now: DateTime<Utc>) -> Option<&'static str> {
        if self.left(payer, session.month, now) < session.minutes {
            return Some("INSUFFICIENT_HOURS");
        }
        let used = self.spent(payer, Some(user), session.month, &["HELD", "ATTENDED"]);
        (user != payer && SHARE - used < session.minutes).then_some("FAMILY_LIMIT_REACHED")
    }

    /// Whose hours a user can spend now.
    pub(super) fn payer(&self, user: usize) -> Option<usize> {
        self.payers[user].filter(|payer| !self.members[*payer].is_paused)
    }

    /// Whether the membership that has paid for a place runs.
    pub(super) fn pays_for(&self, user: usize, at: usize) -> bool {
        self.sessions[at].places.get(&user).is_none_or(|place| !self.members[place.payer].is_paused)
    }

    /// Whether a user who waits for a seat can take it.
    fn can(&self, user: usize, session: &Session, now: DateTime<Utc>) -> bool {
        self.payer(user).is_some_and(|payer| self.lacks((user, payer), session, now).is_none())
    }

    pub(super) fn join(&mut self, user: usize, at: usize, wait: bool, now: DateTime<Utc>) -> String {
        self.step += 1;
        let (since, session) = (self.step, &self.sessions[at]);
        let status = session.places.get(&user).map_or("-", |place| place.status);
        let payer = self.payer(user);
        let reason = match payer {
            _ if session.canceled => "CANCELED",
            _ if now >= session.end() => "ENDED",
            None => "NO_MEMBERSHIP",
            Some(_) if status == "HELD" => "ALREADY_JOINED",
            Some(payer) => match self.lacks((user, payer), session, now) {
                Some(why) => why,
                None if session.taken() >= session.seats => "FULL",
                None => "ELIGIBLE",
            },
        };
        let session = &mut self.sessions[at];
        let place = |status| Place { status, since, joined: false, recorded: None, payer: payer.unwrap_or_default() };
        match reason {
            "ELIGIBLE" => drop(session.places.insert(user, place("HELD"))),
            "FULL" if wait && status != "WAITING" => drop(session.places.insert(user, place("WAITING"))),
            _ => {}
        }
        let is_open = now >= session.start - TimeDelta::minutes(15) && now < session.end() && !session.canceled;
        let enters = is_open && ["ELIGIBLE", "ALREADY_JOINED"].contains(&reason);
        if let Some(place) = session.places.get_mut(&user).filter(|place| place.status == "HELD" && enters) {
            place.joined = true;
        }
        if let Some(payer) = payer.filter(|_| reason == "ELIGIBLE") {
            self.trim(payer, at, now);
        }
        format!("{reason} {}", self.sessions[at].places.get(&user).map_or("-", |place| place.status))
    }

    pub(super) fn leave(&mut self, user: usize, at: usize, now: DateTime<Utc>) {
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

    /// Gives free seats to those who wait, in their order; who lacks hours keeps the place.
    fn move_up(&mut self, at: usize, now: DateTime<Utc>) {
        let places = &self.sessions[at].places;
        let mut waiting: Vec<usize> =
            places.iter().filter(|(_, place)| place.status == "WAITING").map(|(user, _)| *user).collect();
        waiting.sort_by_key(|user| places[user].since);
        for user in waiting {
            let session = &self.sessions[at];
            if session.taken() >= session.seats {
                return;
            }
            let (payer, can) = (self.payer(user), self.can(user, session, now));
            let place = self.sessions[at].places.get_mut(&user).unwrap();
            match payer {
                None => place.status = "RELEASED",
                Some(payer) if can => (place.status, place.payer) = ("HELD", payer),
                Some(_) => {}
            }
        }
    }

    /// Lets a user join a family, or leave it: the latest seats to come are given back first.
    pub(super) fn change_family(&mut self, user: usize, owner: Option<usize>, now: DateTime<Utc>) {
        self.payers[user] = owner;
        if owner.is_none() {
            self.release(user, now);
        }
    }

    /// Takes the seats to come of a user back, the latest first.
    fn release(&mut self, user: usize, now: DateTime<Utc>) {
        for at in (0..self.sessions.len()).rev() {
            let session = &mut self.sessions[at];
            let is_to_come = !session.canceled && now < session.start;
            let Some(place) = session.places.get_mut(&user).filter(|_| is_to_come) else { continue };
            let was = std::mem::replace(&mut place.status, "RELEASED");
            match was {
                "HELD" => self.move_up(at, now),
                "WAITING" => {}
                _ => place.status = was,
            }
        }
    }

    pub(super) fn record(&mut self, user: usize, at: usize, attended: bool, now: DateTime<Utc>) {
        let session = &self.sessions[at];
        let suffices = |place: &Place| self.lacks((user, place.payer), session, now).is_none();
        let suffices = session.places.get(&user).is_some_and(suffices);
        let open = now >= session.start && !session.canceled;
        let Some(place) = self.sessions[at].places.get_mut(&user).filter(|_| open) else { return };
        match place.status {
            "HELD" => place.recorded = Some(attended),
            "ATTENDED" if !attended => place.status = "ABSENT",
            "ABSENT" if attended && suffices => place.status = "ATTENDED",
            _ => {}
        }
        let payer = place.payer;
        self.trim(payer, at, now);
    }

    pub(super) fn cancel(&mut self, at: usize, now: DateTime<Utc>) {
        let session = &mut self.sessions[at];
        if now < session.end() {
            session.canceled = true;
            for place in session.places.values_mut().filter(|place| ["HELD", "WAITING"].contains(&place.status)) {
                place.status = "RELEASED";
            }
        }
    }

    pub(super) fn settle(&mut self, now: DateTime<Utc>) {
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
