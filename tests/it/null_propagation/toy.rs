//! A schema whose data follows from a seed: what is null, what fails, how long lists are. [`super::model`] draws the
//! same data from the same seeds.

use async_graphql::{Context, EmptyMutation, EmptySubscription, Error, Interface, Object, Result, Schema};
use lyceum::graphql::Sequential;

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed {
    number: u64,
    /// Of a hundred values, so many fail.
    failing: u64,
}

impl Seed {
    pub(super) fn new(number: u64, failing: u64) -> Seed {
        Seed { number, failing }
    }

    /// The seed of what is called `name` below.
    pub(super) fn child(self, name: &str) -> Seed {
        // FNV-1a, then mixed, so that the low bits depend on all of it.
        let mut hash = name.bytes().fold(self.number ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash ^= hash >> 32;
        hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
        Seed { number: hash ^ (hash >> 32), failing: self.failing }
    }

    pub(super) fn fails(self) -> bool {
        self.child("fails").number % 100 < self.failing
    }

    pub(super) fn is_null(self) -> bool {
        self.child("null").number.is_multiple_of(4)
    }

    /// One of `count`.
    pub(super) fn choice(self, count: usize) -> usize {
        usize::try_from(self.child("choice").number).unwrap() % count
    }

    pub(super) fn int(self) -> i32 {
        i32::try_from(self.number % 1000).unwrap()
    }
}

trait Make: Sized {
    fn make(seed: Seed) -> Self;
}

impl Make for i32 {
    fn make(seed: Seed) -> i32 {
        seed.int()
    }
}

impl<T: Make> Make for Option<T> {
    fn make(seed: Seed) -> Option<T> {
        (!seed.is_null()).then(|| T::make(seed.child("some")))
    }
}

/// Only for items of lists.
impl<T: Make> Make for Result<T, Error> {
    fn make(seed: Seed) -> Result<T, Error> {
        if seed.fails() { Err(Error::new("item")) } else { Ok(T::make(seed)) }
    }
}

impl<T: Make> Make for Vec<T> {
    fn make(seed: Seed) -> Vec<T> {
        (0..seed.choice(4)).map(|place| T::make(seed.child(&place.to_string()))).collect()
    }
}

impl<T: Make> Make for Sequential<T> {
    fn make(seed: Seed) -> Sequential<T> {
        Sequential(T::make(seed))
    }
}

fn field<T: Make>(seed: Seed, name: &str) -> Result<T> {
    let seed = seed.child(name);
    if seed.fails() { Err(Error::new(name)) } else { Ok(T::make(seed)) }
}

pub(super) struct Query;

#[Object]
impl Query {
    async fn thing(&self, ctx: &Context<'_>) -> Result<Option<Sequential<Thing>>> {
        field(*ctx.data_unchecked(), "thing")
    }

    async fn sure_thing(&self, ctx: &Context<'_>) -> Result<Sequential<Thing>> {
        field(*ctx.data_unchecked(), "sureThing")
    }

    async fn things(&self, ctx: &Context<'_>) -> Result<Option<Items<Sequential<Thing>>>> {
        field(*ctx.data_unchecked(), "things")
    }

    async fn beings(&self, ctx: &Context<'_>) -> Result<Option<Holes<Being>>> {
        field(*ctx.data_unchecked(), "beings")
    }

    async fn count(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        field(*ctx.data_unchecked(), "count")
    }
}

type Items<T> = Vec<Result<T, Error>>;
type Holes<T> = Vec<Option<Result<T, Error>>>;

pub(super) struct Thing(Seed);

impl Make for Thing {
    fn make(seed: Seed) -> Thing {
        Thing(seed)
    }
}

#[Object]
impl Thing {
    async fn maybe(&self) -> Result<Option<i32>> {
        field(self.0, "maybe")
    }

    async fn sure(&self) -> Result<i32> {
        field(self.0, "sure")
    }

    async fn numbers(&self) -> Result<Items<i32>> {
        field(self.0, "numbers")
    }

    async fn holes(&self) -> Result<Option<Holes<i32>>> {
        field(self.0, "holes")
    }

    async fn maybe_thing(&self) -> Result<Option<Sequential<Thing>>> {
        field(self.0, "maybeThing")
    }

    async fn sure_thing(&self) -> Result<Sequential<Thing>> {
        field(self.0, "sureThing")
    }

    async fn sure_things(&self) -> Result<Items<Sequential<Thing>>> {
        field(self.0, "sureThings")
    }

    async fn maybe_things(&self) -> Result<Option<Holes<Sequential<Thing>>>> {
        field(self.0, "maybeThings")
    }

    async fn grid(&self) -> Result<Option<Holes<Holes<Sequential<Thing>>>>> {
        field(self.0, "grid")
    }

    async fn sure_grid(&self) -> Result<Items<Items<Sequential<Thing>>>> {
        field(self.0, "sureGrid")
    }

    async fn being(&self) -> Result<Option<Being>> {
        field(self.0, "being")
    }

    async fn safe(&self) -> i32 {
        self.0.int()
    }

    async fn ally(&self) -> Result<Option<Sequential<Dog>>> {
        field(self.0, "ally")
    }
}

pub(super) struct Dog(Seed);

impl Make for Dog {
    fn make(seed: Seed) -> Dog {
        Dog(seed)
    }
}

#[Object]
impl Dog {
    async fn maybe(&self) -> Result<Option<i32>> {
        field(self.0, "maybe")
    }

    async fn barks(&self) -> Result<i32> {
        field(self.0, "barks")
    }

    async fn safe(&self) -> i32 {
        self.0.int()
    }

    /// Of another type than `Cat` has it.
    async fn ally(&self) -> Result<Option<Sequential<Cat>>> {
        field(self.0, "ally")
    }
}

pub(super) struct Cat(Seed);

impl Make for Cat {
    fn make(seed: Seed) -> Cat {
        Cat(seed)
    }
}

#[Object]
impl Cat {
    async fn sure(&self) -> Result<i32> {
        field(self.0, "sure")
    }

    async fn meows(&self) -> Result<Option<i32>> {
        field(self.0, "meows")
    }

    async fn safe(&self) -> i32 {
        self.0.int()
    }

    async fn ally(&self) -> Result<Option<Sequential<Dog>>> {
        field(self.0, "ally")
    }
}

/// Its own field cannot fail: async-graphql 7.2.1 forgets the path of an error in a field that is selected on an
/// interface.
#[derive(Interface)]
#[graphql(field(name = "safe", ty = "i32"))]
pub(super) enum Being {
    Cat(Sequential<Cat>),
    Dog(Sequential<Dog>),
    Thing(Sequential<Thing>),
}

impl Make for Being {
    fn make(seed: Seed) -> Being {
        match seed.choice(3) {
            0 => Being::Cat(Make::make(seed)),
            1 => Being::Dog(Make::make(seed)),
            _ => Being::Thing(Make::make(seed)),
        }
    }
}

pub(super) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}
