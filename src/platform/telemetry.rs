//! Logging and metrics.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::internal_error::{Context, InternalError};

/// Initializes logging to standard error.
///
/// # Errors
/// The filter is invalid, or logging was already initialized.
pub fn start_log(filter: &str, json: bool) -> Result<(), InternalError> {
    // `s3s` logs what clients of the embedded store do wrong as errors. The store logs its own errors.
    let filter = EnvFilter::try_new(format!("s3s=off,{filter}")).context("LYCEUM_LOG is not a log filter")?;
    let registry = tracing_subscriber::registry().with(filter);
    // Colors only for a terminal, not for a file or a log collector.
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    if json {
        registry.with(layer.json()).try_init().context("the log was started before")
    } else {
        registry.with(layer.with_target(false)).try_init().context("the log was started before")
    }
}

/// The labels under which an operation is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OperationLabels {
    /// `query`, `mutation`, `subscription` or `unknown`.
    pub kind: &'static str,
    /// `ok`, `error` or `rejected`.
    pub outcome: &'static str,
}

/// The process's metrics; cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    operations: Family<OperationLabels, Counter>,
    durations: Histogram,
    /// Open WebSockets and streams of results over HTTP.
    sockets: Gauge,
    /// Connections that were closed at once because there were too many.
    pub refused_connections: Counter,
}

impl Metrics {
    /// Returns metrics that start at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("lyceum");
        let operations = Family::<OperationLabels, Counter>::default();
        let durations = Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let sockets = Gauge::default();
        registry.register("graphql_operations", "GraphQL operations", operations.clone());
        registry.register("graphql_operation_seconds", "Time to execute a GraphQL operation", durations.clone());
        registry.register("sockets", "Open WebSockets and streams of results over HTTP", sockets.clone());
        let refused_connections = Counter::default();
        let help = "Connections closed at once because there were too many";
        registry.register("connections_refused", help, refused_connections.clone());
        Metrics { registry: Arc::new(registry), operations, durations, sockets, refused_connections }
    }

    /// Counts an open socket or stream until the result is dropped.
    pub fn socket(&self) -> impl Drop + Send + use<> {
        struct Open(Gauge);

        impl Drop for Open {
            fn drop(&mut self) {
                self.0.dec();
            }
        }
        self.sockets.inc();
        Open(self.sockets.clone())
    }

    /// Counts one operation and its duration. `took` is `None` for a subscription, which has no meaningful duration.
    pub fn operation(&self, labels: OperationLabels, took: Option<Duration>) {
        self.operations.get_or_create(&labels).inc();
        if let Some(took) = took {
            self.durations.observe(took.as_secs_f64());
        }
    }

    /// Encodes the metrics and `gauges` (name, help text, value) in the OpenMetrics text format.
    ///
    /// # Errors
    /// Formatting failed, which does not happen in memory.
    pub fn encode(&self, gauges: &[(&'static str, &'static str, u64)]) -> Result<String, InternalError> {
        let mut momentary = Registry::with_prefix("lyceum");
        for (name, help, value) in gauges {
            let gauge = Gauge::<u64, AtomicU64>::default();
            gauge.set(*value);
            momentary.register(*name, *help, gauge);
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode_registry(&mut text, &momentary).context("cannot encode metrics")?;
        prometheus_client::encoding::text::encode(&mut text, &self.registry).context("cannot encode metrics")?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}
