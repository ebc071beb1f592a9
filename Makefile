# Each target is one command; nothing here is needed to build or use the project.

FUZZTIME ?= 1m

.PHONY: all build test race lint demo pictures bench fuzz image ci

all: lint test

build: ## the program, in bin/
	go build -trimpath -o bin/ ./cmd/registry-janitor

test: ## all tests
	go test ./...

race: ## all tests under the race detector
	go test -race ./...

lint: ## what .ci/run checks before it runs tests
	bash .ci/run lint

demo: ## the main job against the built-in emulator
	go run ./cmd/registry-janitor demo

pictures: ## those of the documentation, in docs/pictures; needs Chromium
	go -C e2e run ./pictures

bench: ## all benchmarks, in the form that benchstat reads
	go test -run '^$$' -bench . -benchmem -count 6 ./...

fuzz: ## every fuzz target, FUZZTIME each
	FUZZTIME=$(FUZZTIME) bash .ci/run fuzz

image: ## the container image
	docker build -t registry-janitor .

ci: ## everything that has to pass
	bash .ci/run
