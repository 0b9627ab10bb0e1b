// Included twice, with `Wrap` and `wrap` being `Sequential` or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Enum, Error, Interface, MergedObject, Object, Result, Schema,
    SimpleObject, Union,
};

/// How often a slow field gives way, and how many are on their way.
#[derive(Clone, Default)]
pub(super) struct Pace {
    pub(super) yields: usize,
    pub(super) live: Arc<AtomicUsize>,
}

/// Takes `turns` polls more than one, and is counted while it does.
async fn slowly(ctx: &Context<'_>, turns: u32) {
    struct Live(Arc<AtomicUsize>);
    impl Drop for Live {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let pace = ctx.data_unchecked::<Pace>();
    pace.live.fetch_add(1, Ordering::SeqCst);
    let _live = Live(pace.live.clone());
    for _ in 0..pace.yields * (turns as usize % 5) {
        tokio::task::yield_now().await;
    }
}

pub(super) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}

fn fail(what: &str) -> Error {
    Error::new(what)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
enum Colour {
    Red,
    Green,
}

pub(super) struct Query;

#[Object]
impl Query {
    async fn top(&self, ctx: &Context<'_>, #[graphql(default)] seed: u32) -> Wrap<Thing> {
        slowly(ctx, seed).await;
        wrap(Thing(seed))
    }

    async fn creature(&self, #[graphql(default)] seed: u32) -> Living {
        living(seed)
    }

    async fn things(&self) -> Vec<Wrap<Thing>> {
        (0..5).map(|seed| wrap(Thing(seed))).collect()
    }

    async fn version(&self) -> &str {
        "1"
    }
}

/// Everything about it follows from its number.
#[derive(Clone)]
pub(super) struct Thing(u32);

#[Object]
impl Thing {
    async fn number(&self) -> u32 {
        self.0
    }

    async fn note(&self) -> Option<String> {
        (!self.0.is_multiple_of(3)).then(|| format!("note {}", self.0))
    }

    async fn colour(&self) -> Colour {
        if self.0.is_multiple_of(2) { Colour::Red } else { Colour::Green }
    }

    async fn scores(&self) -> Vec<Option<u32>> {
        (0..self.0 % 4).map(|n| (n != 1).then_some(n)).collect()
    }

    async fn matrix(&self) -> Vec<Vec<u32>> {
        vec![vec![self.0, 1], vec![]]
    }

    async fn slow(&self, ctx: &Context<'_>) -> u32 {
        slowly(ctx, self.0 + 1).await;
        self.0
    }

    async fn sum(&self, a: u32, #[graphql(default = 3)] b: u32, colour: Option<Colour>) -> Result<u32> {
        if (self.0 + a + b).is_multiple_of(3) { Err(fail("sum")) } else { Ok(a + b + colour.map_or(0, |c| c as u32)) }
    }

    async fn maybe_sum(&self, ctx: &Context<'_>, a: Option<u32>, flag: Option<bool>) -> Result<Option<u32>> {
        slowly(ctx, a.unwrap_or_default()).await;
        if flag == Some(false) { Err(fail("maybeSum")) } else { Ok(a) }
    }

    async fn risky(&self, ctx: &Context<'_>) -> Result<u32> {
        slowly(ctx, self.0).await;
        if self.0 % 4 == 1 { Err(fail("risky")) } else { Ok(self.0) }
    }

    async fn failing(&self) -> Result<Option<u32>> {
        Err(fail("failing"))
    }

    async fn bad_scores(&self) -> Vec<Result<u32, Error>> {
        vec![Ok(1), Err(fail("item")), Ok(2), Err(fail("item"))]
    }

    async fn soft_scores(&self) -> Vec<Option<Result<u32, Error>>> {
        vec![Some(Ok(1)), Some(Err(fail("soft"))), None]
    }

    async fn next(&self, ctx: &Context<'_>, #[graphql(default = 1)] step: u32) -> Wrap<Thing> {
        slowly(ctx, step).await;
        wrap(Thing(self.0 + step))
    }

    async fn maybe(&self) -> Option<Wrap<Thing>> {
        (!self.0.is_multiple_of(2)).then(|| wrap(Thing(self.0 / 2)))
    }

    async fn broken(&self, ctx: &Context<'_>) -> Result<Option<Wrap<Thing>>> {
        slowly(ctx, self.0 + 2).await;
        if self.0 % 3 == 2 { Err(fail("broken")) } else { Ok(Some(wrap(Thing(self.0 + 5)))) }
    }

    async fn fragile(&self) -> Result<Wrap<Thing>> {
        if self.0 % 3 == 1 { Err(fail("fragile")) } else { Ok(wrap(Thing(self.0 + 7))) }
    }

    async fn children(&self) -> Vec<Wrap<Thing>> {
        (0..self.0 % 4).map(|n| wrap(Thing(self.0 + n))).collect()
    }

    async fn holes(&self) -> Option<Vec<Option<Wrap<Thing>>>> {
        Some(vec![Some(wrap(Thing(self.0 + 1))), None, Some(wrap(Thing(self.0 + 2)))])
    }

    async fn patchy(&self) -> Vec<Result<Wrap<Thing>, Error>> {
        (0..4).map(|n| if self.0 % 4 == n { Err(fail("item")) } else { Ok(wrap(Thing(self.0 + n))) }).collect()
    }

    async fn grid(&self) -> Vec<Vec<Wrap<Thing>>> {
        vec![vec![wrap(Thing(self.0))], vec![], vec![wrap(Thing(self.0 + 1)), wrap(Thing(self.0 + 2))]]
    }

    async fn creature(&self, ctx: &Context<'_>) -> Option<Living> {
        slowly(ctx, 1).await;
        (!self.0.is_multiple_of(5)).then(|| living(self.0))
    }

    async fn creatures(&self) -> Vec<Living> {
        (0..4).map(|n| living(self.0 + n)).collect()
    }

    async fn either(&self) -> Either {
        if self.0.is_multiple_of(2) { Either::Thing(wrap(Thing(self.0))) } else { Either::Dog(wrap(dog(self.0))) }
    }

    async fn both(&self) -> Wrap<Both> {
        wrap(Both(Left(self.0), Right(self.0)))
    }

    async fn name(&self) -> String {
        format!("thing {}", self.0)
    }

    async fn friend(&self) -> Option<Living> {
        Some(living(self.0 + 1))
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Dog {
    name: String,
    barks: u32,
    #[graphql(skip)]
    seed: u32,
}

fn dog(seed: u32) -> Dog {
    Dog { name: format!("dog {seed}"), barks: seed, seed }
}

#[async_graphql::ComplexObject]
impl Dog {
    async fn friend(&self, ctx: &Context<'_>) -> Option<Living> {
        slowly(ctx, self.seed).await;
        (self.seed % 4 != 3).then(|| living(self.seed + 1))
    }

    async fn fleas(&self) -> Vec<Wrap<Thing>> {
        vec![wrap(Thing(self.seed)), wrap(Thing(self.seed + 1))]
    }

    async fn growl(&self, ctx: &Context<'_>) -> Result<u32> {
        slowly(ctx, 2).await;
        if self.seed.is_multiple_of(3) { Err(fail("growl")) } else { Ok(self.seed) }
    }
}

pub(super) struct Cat(u32);

#[Object]
impl Cat {
    async fn name(&self, ctx: &Context<'_>) -> String {
        slowly(ctx, self.0).await;
        format!("cat {}", self.0)
    }

    async fn friend(&self) -> Option<Living> {
        Some(living(self.0 * 2))
    }

    async fn meow(&self) -> Result<Option<u32>> {
        if self.0.is_multiple_of(2) { Err(fail("meow")) } else { Ok(Some(self.0)) }
    }
}

fn living(seed: u32) -> Living {
    match seed % 3 {
        0 => Living::Dog(wrap(dog(seed))),
        1 => Living::Cat(wrap(Cat(seed))),
        _ => Living::Thing(wrap(Thing(seed))),
    }
}

#[derive(Interface)]
#[graphql(field(name = "name", ty = "String"), field(name = "friend", ty = "Option<Living>"))]
pub(super) enum Living {
    Dog(Wrap<Dog>),
    Cat(Wrap<Cat>),
    Thing(Wrap<Thing>),
}

/// Only to give `Dog` and `Thing` a second interface.
#[derive(Interface)]
#[graphql(field(name = "name", ty = "String"))]
pub(super) enum Named {
    Dog(Wrap<Dog>),
    Thing(Wrap<Thing>),
}

#[derive(Union)]
pub(super) enum Either {
    Thing(Wrap<Thing>),
    Dog(Wrap<Dog>),
}

#[derive(MergedObject)]
pub(super) struct Both(Left, Right);

pub(super) struct Left(u32);

#[Object]
impl Left {
    async fn left(&self, ctx: &Context<'_>) -> u32 {
        slowly(ctx, 3).await;
        self.0
    }

    async fn named(&self) -> Named {
        if self.0.is_multiple_of(2) { Named::Thing(wrap(Thing(self.0))) } else { Named::Dog(wrap(dog(self.0))) }
    }
}

pub(super) struct Right(u32);

#[Object]
impl Right {
    async fn right(&self) -> Result<u32> {
        if self.0 % 5 == 2 { Err(fail("right")) } else { Ok(self.0) }
    }
}
