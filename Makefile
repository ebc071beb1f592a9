# Short names for commands. Neither building nor using the program needs make.

FUZZTIME ?= 1m

.PHONY: all build test race lint demo pictures bench figures fuzz simulate image ci

all: lint test

build: ## the program, in bin/
	go build -trimpath -o bin/ ./cmd/registry-janitor

test: ## all tests
	go test ./...

race: ## all tests under the race detector
	go test -race ./...

lint: ## formatting, modules, go vet and golangci-lint
	bash .ci/run lint

demo: ## a plan of the demo registry
	go run ./cmd/registry-janitor demo

pictures: ## the pictures in docs/pictures; needs Chromium
	go -C e2e run ./pictures

bench: ## all benchmarks, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./...

figures: ## the tables of docs/benchmarks.md, measured on this machine
	go -C e2e run ./figures

fuzz: ## every fuzz target, FUZZTIME each
	FUZZTIME=$(FUZZTIME) bash .ci/run fuzz

simulate: ## 100,000 random registries, policies, networks and kills
	JANITOR_WORLDS=100000 JANITOR_FIRST_WORLD=$$(date +%s) go test -count=1 -timeout 0 -run Simulation ./actions/apply

image: ## the container image
	docker build -t registry-janitor .

ci: ## every check that has to pass
	bash .ci/run
