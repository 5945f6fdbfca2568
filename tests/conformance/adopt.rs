//! All that the author of a store writes: yours goes where `MemoryStore::new()` is.

use std::sync::Arc;

use onramp::store::{MemoryStore, Store};
use onramp::testing::conformance::check;

#[tokio::test(flavor = "multi_thread")]
async fn bare() {
    assert_eq!(check(Arc::new(MemoryStore::new())).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn boxed() {
    let store: Box<dyn Store> = Box::new(MemoryStore::new());
    assert_eq!(check(Arc::new(store)).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_arc() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    assert_eq!(check(Arc::new(store)).await, []);
}
