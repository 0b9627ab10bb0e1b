//! What the hours, seats and families of [`super::model`] should be: a simple model in memory.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// What each membership gives a month.
const ALLOWED: i64 = 120;
/// What a family member can use of it.
const SHARE: i64 = 90;
/// The users with a membership; the others can be in the family of one of them.
pub(super) const OWNERS: usize = 2;
/// How much of what is left of a month counts in the next one.
const ROLLOVER: i64 = 60;
/// What each owner may buy for November besides.
pub(super) const EXTRA: i64 = 180;
pub(super) const MONTHS: [&str; 2] = ["2026-11", "2026-12"];

/// When December begins.
pub(super) fn december() -> DateTime<Utc> {
    "2026-12-01T00:00:00Z".parse().unwrap()
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

    pub(super) fn month(&self) -> String {
        self.start.format("%Y-%m").to_string()
    }

    pub(super) fn taken(&self) -> i64 {
        self.places.values().filter(|place| ["HELD", "ATTENDED", "ABSENT"].contains(&place.status)).count() as i64
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) sessions: Vec<Session>,
    /// What each owner has bought for November and not got refunded.
    pub(super) extra: BTreeMap<usize, i64>,
    /// Whose hours each user can spend.
    pub(super) payers: Vec<Option<usize>>,
    step: usize,
}

impl Model {
    /// What has been spent in a month of a payer's hours, by all or by one user.
    pub(super) fn spent(&self, payer: usize, by: Option<usize>, month: &str, statuses: &[&str]) -> i64 {
        let places = self.sessions.iter().filter(|session| session.month() == month).flat_map(move |session| {
            let of = move |(user, place): &(&usize, &Place)| {
                place.payer == payer && by.is_none_or(|by| by == **user) && statuses.contains(&place.status)
            };
            session.places.iter().filter(of).map(move |_| session.minutes)
        });
        places.sum()
    }

    /// What can still be spent of a payer's hours in a month.
    pub(super) fn left(&self, payer: usize, month: &str, now: DateTime<Utc>) -> i64 {
        let [november, in_december] = MONTHS.map(|month| self.spent(payer, None, month, &["HELD", "ATTENDED"]));
        if month == MONTHS[0] {
            // What was refunded after it was spent is spent. What December has spent of it is gone.
            let extra = self.extra.get(&payer).copied().unwrap_or_default();
            return (ALLOWED + extra - november).max(0) - (in_december - ALLOWED).max(0);
        }
        // Of what is left of November's own: extra hours are spent last. What was rolled over and is spent stays.
        let rolled_over = if now >= december() { ROLLOVER.min(ALLOWED - november).max(0) } else { 0 };
        (ALLOWED + rolled_over - in_december).max(0)
    }

    /// Why the hours do not suffice for a user in a session that a payer pays for; `None` if they do.
    fn lacks(&self, (user, payer): (usize, usize), session: &Session, now: DateTime<Utc>) -> Option<&'static str> {
        let month = session.month();
        if self.left(payer, &month, now) < session.minutes {
            return Some("INSUFFICIENT_HOURS");
        }
        let used = self.spent(payer, Some(user), &month, &["HELD", "ATTENDED"]);
        (user != payer && SHARE - used < session.minutes).then_some("FAMILY_LIMIT_REACHED")
    }

    /// Whether a user who waits for a seat can take it.
    fn can(&self, user: usize, session: &Session, now: DateTime<Utc>) -> bool {
        self.payers[user].is_some_and(|payer| self.lacks((user, payer), session, now).is_none())
    }

    pub(super) fn join(&mut self, user: usize, at: usize, wait: bool, now: DateTime<Utc>) -> String {
        self.step += 1;
        let (since, session) = (self.step, &self.sessions[at]);
        let status = session.places.get(&user).map_or("-", |place| place.status);
        let payer = self.payers[user];
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
            let (payer, can) = (self.payers[user], self.can(user, session, now));
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
        for at in (0..self.sessions.len()).rev().filter(|_| owner.is_none()) {
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
