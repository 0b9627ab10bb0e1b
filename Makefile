# Lyceum. `make run` starts it, `make test` proves it; both install what is missing.

.DEFAULT_GOAL := run
.PHONY: run seed test faults lint release bench bench-loaders console deps deps-test schema docs fmt

CARGO ?= cargo
# Where .ci/deps puts a newer Node than the distribution's, if it has to.
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# Where tests note how long they took.
TIMES := $(or $(CARGO_TARGET_DIR),target)/tmp/times
# Tests wait for clocks, sockets and other programs: four at once, also on two cores.
export RUST_TEST_THREADS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); [ "$$cores" -gt 4 ] && echo "$$cores" || echo 4)
CONSOLE_SOURCES := $(shell find console/src console/scripts console/index.html console/vite.config.js console/package-lock.json 2>/dev/null)

# The server with demo data on http://127.0.0.1:8080. The first time it builds some 500 crates, which takes minutes.
run: deps console/dist/index.html
	$(CARGO) run -- serve --demo

# Fills a demo school, for example `make seed ARGS="--courses 2000 --users 50000"`.
seed: deps
	$(CARGO) run --quiet -- seed $(ARGS)

# Everything: unit tests, the API, real PostgreSQL, Redis, S3, SMTP, WebSocket clients, Chromium. Ends with the ten slowest.
test: deps deps-test console/dist/index.html tests/clients/node_modules examples/node_modules
	@rm -f $(TIMES)
	@$(CARGO) test -- --quiet; status=$$?; echo "The ten slowest tests:"; sort -rn $(TIMES) 2>/dev/null | head -n 10; exit $$status

# The tests that break things, ten times as long as `make test` has them. Before a release, and after work on what they break.
faults: deps deps-test console/dist/index.html
	LYCEUM_TEST_FAULTS=10 $(CARGO) test --test it -- push::storm retention:: row_cache::storm sessions::races nodes:: postgres:: throttle:: orders::model memberships::model live::model live::kills memberships::kills
	LYCEUM_TEST_FAULTS=15 $(CARGO) test --test it -- orders::kills

# What CI checks besides the tests.
lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --no-deps --document-private-items

# target/dist/lyceum, the program for a server, and beside it its symbols, which backtraces find as long as they stay there.
release: console/dist/index.html
	$(CARGO) build --release
	mkdir -p target/dist
	objcopy --only-keep-debug target/release/lyceum target/dist/lyceum.debug
	cd target/dist && objcopy --strip-all --add-gnu-debuglink=lyceum.debug ../release/lyceum lyceum
	@ls -lh target/dist

# Throughput against pgbench; some minutes. `make bench ARGS=--quick` for a first look.
bench: deps
	$(CARGO) bench --quiet --bench throughput -- $(ARGS)

# How batching is done, measured; see docs/measurements.md.
bench-loaders:
	$(CARGO) bench --quiet --bench loaders

console: console/dist/index.html

console/dist/index.html: $(CONSOLE_SOURCES) | deps-node
	cd console && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

# The tools of frontend teams, which the tests try on the schema.
tests/clients/node_modules: tests/clients/package-lock.json | deps-node
	cd tests/clients && npm ci --no-audit --no-fund --loglevel=error && touch node_modules

# The frontends of examples/, which the tests run.
examples/node_modules: examples/package-lock.json | deps-node
	cd examples && npm ci --no-audit --no-fund --loglevel=error && touch node_modules

# Generated files: a test fails when they are not current.
schema:
	$(CARGO) run --quiet -- schema > target/schema.graphql && mv target/schema.graphql schema.graphql
docs:
	$(CARGO) run --quiet -- config table > docs/settings.md

fmt:
	$(CARGO) fmt

.PHONY: deps-node
deps-node:
	@sh .ci/deps node
deps:
	@sh .ci/deps postgres
deps-test:
	@sh .ci/deps redis chromium ffmpeg openssl poppler moto localstripe
