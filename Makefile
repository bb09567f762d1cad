SHELL := bash
.DEFAULT_GOAL := help
# Everything is watched for races but loops of others over bytes they alone hold, which that makes ten times slower: pictures,
# compression, password hashes, and the reading of HTML, which only tests do.
unwatched = image/... compress/... golang.org/x/image/... golang.org/x/crypto/argon2 golang.org/x/crypto/blake2b golang.org/x/net/html/... \
	github.com/andybalholm/cascadia
race = GOFLAGS="$$(go env GOFLAGS) -race $(unwatched:%=-gcflags=%=-race=false)"
.PHONY: help run build test proof bench bench-scale generate tools check

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 24

run: ## Berkas on this machine, with everything it needs; Ctrl-C stops it
	@[ -n "$$DATABASE_URL$$DATABASE_URL_FILE" ] || internal/tools/ensure.sh postgresql
	@$(MAKE) --no-print-directory build
	@exec bin/portal serve

build: ## bin/portal
	go build -o bin/portal ./cmd/portal

test: ## everything that must hold before a change lands
	@internal/tools/ensure.sh compiler chromium
	@[ -n "$$TEST_DATABASE_URL" ] || internal/tools/ensure.sh postgresql
	@$(MAKE) --no-print-directory check
	$(race) go test -vet=off -count=1 -timeout 15m ./...

proof: ## the long proofs in full: hundreds of kills, a day without DOKU
	@internal/tools/ensure.sh compiler chromium postgresql
	BERKAS_PROOF=full $(race) go test -vet=off -count=1 -timeout 3h -v -run Proof ./...

bench: ## what the program takes, beside what it could take at best: the README's table
	@internal/tools/ensure.sh chromium postgresql
	BERKAS_BENCH=$(CURDIR)/README.md go test -vet=off -count=1 -timeout 20m -run '^$$' -bench Portal -benchtime 1x ./cmd/portal

bench-scale: ## seeds up to a million merchants and measures each page on them: the README's curve
	@internal/tools/ensure.sh postgresql
	BERKAS_BENCH=$(CURDIR)/README.md go test -vet=off -count=1 -timeout 3h -v -run '^$$' -bench Scale -benchtime 1x ./cmd/portal

generate: ## the Go files made from templ files
	go tool templ generate

tools: # staticcheck, govulncheck and deadcode, from a module of their own
	go build -C internal/tools -o $(CURDIR)/bin/tools/ tool

# vet and staticcheck read the program as the race detector's build, which the tests need anyway: one compilation less.
# What macOS is compiled for is never run, and so not optimised.
check: tools
	internal/tools/fresh.sh
	$(race) go vet ./...
	GOOS=darwin go vet -gcflags=all='-N -l' ./...
	$(race) bin/tools/staticcheck ./...
	internal/tools/deadcode.sh
	internal/tools/vulnerabilities.sh
