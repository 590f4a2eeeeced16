# Backstay. `make help` lists what can be made; `make run` shows it all on this machine.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null)
VERSION ?= 0.0.0-dev$(if $(COMMIT),+$(COMMIT))
LDFLAGS := -s -w -X github.com/backstay/backstay/shared/buildinfo.version=$(VERSION)
# One set of flags for everything: they are part of the build cache's key, and the window's C code takes minutes to compile.
# The version is stamped above; asking git once more fails where the checkout belongs to another account. migrated_fynedo says
# that the console touches its window from one goroutine only, which makes fyne's calls several times faster.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false -trimpath -tags=migrated_fynedo)

# Tests: packages at a time, and what they may take. The programs that tests start have the race detector too.
TEST_P ?= 2
TEST_ENV := BACKSTAY_TEST_SECRET_SERVICE=1 BACKSTAY_TEST_RACE=1
FUZZTIME ?= 10s
FAULT_ROUNDS ?= 200
E2E := ./packaging/e2e/...
UNITS = $(shell go list ./... | grep -v -e /packaging/e2e -e /desktop/cmd/)
DESKTOP := bin/backstay-desktop

.PHONY: help
help: ## this list
	@grep -hE '^[a-z/-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

.PHONY: deps
deps: ## install the Debian packages that are missing (as root)
	@packaging/deps.sh test

.PHONY: build
build: ## bin/backstayd, bin/backstay, bin/backstay-agent
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o bin/ ./daemon/cmd/backstayd ./daemon/cmd/backstay ./agent/cmd/backstay-agent

.PHONY: desktop
desktop: ## bin/backstay-desktop, the console (needs a C compiler and the window system's headers; make deps installs them)
	@packaging/deps.sh desktop
	go build -ldflags '$(LDFLAGS)' -o $(DESKTOP) ./desktop/cmd/backstay-desktop

# The icon, the version and what else Windows reads in a program are its resources: a file that the linker takes along. It is made from
# packaging/windows/winres.json by go-winres, which needs no more than Go, reads our PNG files as they are and is pinned like the other
# tools; windres would need the icon once more as .ico and a script in a second language.
WINDOWS_RESOURCES := desktop/cmd/backstay-desktop/rsrc

.PHONY: desktop-windows
desktop-windows: bin/go-winres ## bin/backstay-desktop.exe, the console for Windows, cross-built with mingw-w64 (minutes, the first time)
	@packaging/deps.sh windows
	bin/go-winres make --in packaging/windows/winres.json --out $(WINDOWS_RESOURCES) --arch amd64 --product-version '$(VERSION)' --file-version '$(VERSION)'
	CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc GOOS=windows GOARCH=amd64 go build -ldflags '$(LDFLAGS) -H windowsgui' -o $(DESKTOP).exe ./desktop/cmd/backstay-desktop

# Pinned by the tool modules' go.sum.
bin/go-winres: packaging/tools/go-winres/go.mod packaging/tools/go-winres/go.sum
	@mkdir -p bin
	cd packaging/tools/go-winres && CGO_ENABLED=0 go build -o $(CURDIR)/$@ github.com/tc-hib/go-winres
	@touch $@

bin/restic: packaging/tools/restic/go.mod packaging/tools/restic/go.sum
	@echo "building restic (a few minutes, once)"
	@mkdir -p bin
	cd packaging/tools/restic && CGO_ENABLED=0 go build -o $(CURDIR)/$@ github.com/restic/restic/cmd/restic
	@touch $@

bin/restic.exe: packaging/tools/restic/go.mod packaging/tools/restic/go.sum
	@echo "building restic for Windows (a few minutes, once)"
	@mkdir -p bin
	cd packaging/tools/restic && GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -o $(CURDIR)/$@ github.com/restic/restic/cmd/restic
	@touch $@

bin/rest-server: packaging/tools/rest-server/go.mod packaging/tools/rest-server/go.sum
	@echo "building rest-server"
	@mkdir -p bin
	cd packaging/tools/rest-server && CGO_ENABLED=0 go build -o $(CURDIR)/$@ github.com/restic/rest-server/cmd/rest-server
	@touch $@

bin/golangci-lint: packaging/tools/golangci-lint/go.mod packaging/tools/golangci-lint/go.sum
	@echo "building golangci-lint (some minutes, once)"
	@mkdir -p bin
	cd packaging/tools/golangci-lint && CGO_ENABLED=0 go build -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

.PHONY: run
run: ## a whole fleet on this machine: daemon, agent, repository, a backup, the console (ONCE=1 stops after the backup)
	@packaging/deps.sh run
	@$(MAKE) --no-print-directory build bin/rest-server
	@packaging/demo/find-restic.sh >/dev/null || $(MAKE) --no-print-directory bin/restic
	@[ -z "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ -n '$(ONCE)' ] || $(MAKE) --no-print-directory desktop
	@ONCE='$(ONCE)' packaging/demo/run.sh

# The README's pictures; artifacts/screens is for looking at.
.PHONY: screenshots
screenshots: ## every page of the console in both themes, into artifacts/screens (needs no display)
	CGO_ENABLED=0 go run ./desktop/cmd/backstay-screenshots --out artifacts/screens
	CGO_ENABLED=0 go run ./desktop/cmd/backstay-screenshots --out artifacts/screens/narrow --size 1024x700
	CGO_ENABLED=0 go run ./desktop/cmd/backstay-screenshots --out artifacts/screens/large --scale 2
	CGO_ENABLED=0 go run ./desktop/cmd/backstay-screenshots --out artifacts/screens/de --theme light --language de

.PHONY: borders
borders: ## which package may import what, and the shape of files
	go test -count=1 ./packaging/borders

.PHONY: test
test: deps bin/restic bin/rest-server borders ## everything, with the race detector, the end-to-end tests last
	go vet ./...
	$(TEST_ENV) go test -race -p $(TEST_P) -timeout 15m $(UNITS)
	$(TEST_ENV) go test -race -count=1 -parallel 8 -timeout 20m $(E2E)

.PHONY: race
race: deps bin/restic bin/rest-server ## everything with the race detector, twice, in random order
	$(TEST_ENV) go test -race -count=2 -shuffle=on -p $(TEST_P) -timeout 60m ./...

.PHONY: lint
lint: bin/golangci-lint cross ## gofmt, go vet for each system, golangci-lint, the changelog's form
	@unformatted="$$(git ls-files '*.go' | xargs gofmt -l)"; [ -z "$$unformatted" ] || { echo "not gofmt-clean:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	CGO_ENABLED=0 go vet -tags=migrated_fynedo,ci,describe ./agent/cmd/... ./daemon/cmd/... ./desktop/cmd/backstay-desktop
	bin/golangci-lint run ./...
	packaging/changelog/check.sh

.PHONY: cross
cross: ## vet and build for linux, windows and darwin without cgo (PLATFORMS: the three programs for these only)
	packaging/cross.sh $(PLATFORMS)

.PHONY: fuzz-short
fuzz-short: ## every fuzz target for FUZZTIME (10s)
	packaging/test/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: build bin/restic bin/rest-server ## the measurements, side by side in one run
	go test -run '^$$' -bench . -benchmem -timeout 60m $(UNITS)
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m -v $(E2E)

.PHONY: bench-window
bench-window: ## the console's real window: a million lines of log, thousands of hosts and jobs, nothing at all
	@packaging/deps.sh test
	go test -run '^$$' -bench BenchmarkWindow -benchtime 1x -timeout 30m -v $(E2E)

.PHONY: test-wine
test-wine: desktop-windows bin/restic bin/restic.exe bin/rest-server ## the console, the agent and its installer for Windows under Wine; pictures in artifacts/wine
	@packaging/deps.sh wine
	BACKSTAY_TEST_WINE=1 go test -count=1 -run TestConsoleUnderWine -timeout 10m -v $(E2E)
	packaging/test/wine/agent.sh
	packaging/windows/wine.sh

.PHONY: test-wayland
test-wayland: bin/restic ## the console on Wayland (weston), against a real daemon and agent; pictures in artifacts/wayland
	@packaging/deps.sh wayland
	BACKSTAY_TEST_WAYLAND=1 go test -count=1 -run TestConsoleOnWayland -timeout 10m -v $(E2E)

.PHONY: test-systemd
test-systemd: bin/restic bin/rest-server bin/nfpm ## daemon and agent as services of a real systemd (as root; says so where it cannot)
	packaging/systemd/test.sh
	packaging/systemd/packages.sh

# Packages. VERSION names them; ARCHS and PACKAGES say which.
ARCHS ?= amd64 arm64
PACKAGES ?= daemon agent desktop
PACKAGE_TOOLS := bin/nfpm bin/cyclonedx-gomod

bin/nfpm: packaging/tools/nfpm/go.mod packaging/tools/nfpm/go.sum
	@mkdir -p bin
	cd packaging/tools/nfpm && CGO_ENABLED=0 go build -o $(CURDIR)/$@ github.com/goreleaser/nfpm/v2/cmd/nfpm
	@touch $@

bin/cyclonedx-gomod: packaging/tools/cyclonedx-gomod/go.mod packaging/tools/cyclonedx-gomod/go.sum
	@mkdir -p bin
	cd packaging/tools/cyclonedx-gomod && CGO_ENABLED=0 go build -o $(CURDIR)/$@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
	@touch $@

.PHONY: package
package: $(PACKAGE_TOOLS) ## dist/: .deb and .rpm of daemon, agent (with restic) and console, SBOMs, SHA256SUMS
	@packaging/deps.sh package
	VERSION='$(VERSION)' PACKAGES='$(PACKAGES)' packaging/package/build.sh dist $(ARCHS)

.PHONY: package-windows
package-windows: bin/go-winres ## dist/: the Windows installers of the agent (with restic) and of the console with the command line
	@packaging/deps.sh installers
	VERSION='$(VERSION)' packaging/windows/build.sh dist

.PHONY: package-check
package-check: $(PACKAGE_TOOLS) ## the packages of the last commit, built twice: the same bytes
	@packaging/deps.sh package
	VERSION='$(VERSION)' PACKAGES='$(PACKAGES)' packaging/package/check.sh $(ARCHS)

.PHONY: package-lint
package-lint: ## lintian, rpmlint, desktop-file-validate and appstreamcli on what is in dist/
	@packaging/deps.sh package
	packaging/package/lint.sh dist

.PHONY: faults
faults: deps bin/restic bin/rest-server ## FAULT_ROUNDS (200) rounds of random cuts and kills
	BACKSTAY_FAULT_ROUNDS=$(FAULT_ROUNDS) go test -count=1 -run 'TestRandomCuts' -timeout 6h -v $(E2E)

.PHONY: clean
clean: ## remove bin/, dist/ and the demo's data in run/
	rm -rf bin dist run
