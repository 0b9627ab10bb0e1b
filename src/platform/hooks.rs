//! Functions that a feature calls and later features provide, where an event would come too late.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// The functions by their types. `app.rs` collects them.
#[derive(Default)]
pub struct Hooks(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl Hooks {
    /// Adds a function, or a list of functions; each type has one value.
    pub fn with<H: Any + Send + Sync>(mut self, hook: H) -> Hooks {
        self.0.insert(TypeId::of::<H>(), Box::new(hook));
        self
    }

    /// Returns the value of this type; `None` if no feature provides it.
    pub fn get<H: Any + Send + Sync>(&self) -> Option<&H> {
        self.0.get(&TypeId::of::<H>())?.downcast_ref()
    }
}
