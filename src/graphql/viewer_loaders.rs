//! Loaders for values that depend on the viewer: access, follows, votes, progress.
//!
//! The `dataloader` crate batches and caches them, with one loader per request and key type, so that no other request
//! can see the values. The cache lives as long as the request, which is only correct for queries: a mutation changes
//! what it has read, and a subscription runs for hours. Mutations and subscriptions therefore load through the shared
//! [`Loaders`], which do not cache these keys.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use dataloader::BatchFn;
use dataloader::cached::Loader;

use super::loaders::{Load, Loaders};
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The maximum number of attempts for a load.
///
/// An attempt fails if its batch is canceled because a sibling was dropped.
const ATTEMPTS: usize = 3;

/// The result for one key. An error is shared by all keys of its batch.
type Answer<V> = Result<Option<V>, Arc<InternalError>>;

/// The loaders of one request.
pub struct ViewerLoaders {
    shared: Arc<Loaders>,
    /// Whether loaded values are cached for the rest of the request.
    cached: bool,
    loaders: Mutex<HashMap<TypeId, Box<dyn Any + Send + Sync>>>,
}

impl ViewerLoaders {
    /// Creates the loaders of a request; `cached` must be `true` for queries only.
    pub fn new(shared: Arc<Loaders>, cached: bool) -> ViewerLoaders {
        ViewerLoaders { shared, cached, loaders: Mutex::default() }
    }

    /// Loads the value of `key` in a batch with its siblings; returns `None` if there is none.
    ///
    /// # Errors
    /// The batch failed.
    pub async fn load<K: Load + Debug>(&self, key: K) -> Result<Option<K::Value>, InternalError> {
        if !self.cached {
            return self.shared.load(key).await;
        }
        let loader = self.loader::<K>();
        for _ in 0..ATTEMPTS {
            match loader.try_load(key.clone()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => return Err(error.copy()),
                Err(_) => {}
            }
        }
        Err(InternalError::new("a batch was canceled again and again"))
    }

    fn loader<K: Load + Debug>(&self) -> Loader<K, Answer<K::Value>, Batch> {
        let mut loaders = self.loaders.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Loader::new(Batch(self.shared.app().clone()));
        let any = loaders.entry(TypeId::of::<K>()).or_insert_with(|| Box::new(make()));
        // The map holds a loader of `K` under the type id of `K`, so the downcast never fails.
        any.downcast_ref::<Loader<K, Answer<K::Value>, Batch>>().cloned().unwrap_or_else(make)
    }
}

/// Loads the keys of a batch.
struct Batch(App);

impl<K: Load> BatchFn<K, Answer<K::Value>> for Batch {
    async fn load(&mut self, keys: &[K]) -> HashMap<K, Answer<K::Value>> {
        match K::load(&self.0, keys).await {
            Ok(mut values) => keys.iter().map(|key| (key.clone(), Ok(values.remove(key)))).collect(),
            Err(error) => {
                let error = Arc::new(error);
                keys.iter().map(|key| (key.clone(), Err(error.clone()))).collect()
            }
        }
    }
}
