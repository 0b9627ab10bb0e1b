# Lyceum. `make run` starts it, `make test` proves it; both install what is missing.

.PHONY: run test bench bench-loaders console deps deps-test schema docs fmt lint
.DEFAULT_GOAL := run

CARGO ?= cargo
NODE_DONE := console/node_modules/.package-lock.json
CONSOLE_DONE := console/dist/index.html

run: deps $(CONSOLE_DONE)
	$(CARGO) run --quiet -- serve --demo
