# A few words over Meson. `make help` lists them.
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := build
.PHONY: help build run test test-asan test-tsan fuzz bench crash differential format lint install clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

build: ## release build: build/spelter (what is missing gets installed first)
	@scripts/setup.sh run
	@test -f build/build.ninja || meson setup build
	@ninja -C build

run: build ## a server, a local Braze and sample events: shows what arrives
	@build/spelter demo

test: ## every test; logs in build/test-logs
	@scripts/setup.sh test
	@scripts/test.sh

test-asan: ## unit tests and fuzz corpora under ASan and UBSan
	@scripts/setup.sh test
	@scripts/test.sh asan

test-tsan: ## the same under TSan
	@scripts/setup.sh test
	@scripts/test.sh tsan

fuzz: ## each fuzz target for FUZZ_SECONDS (60); TARGETS="jv_parse ..." picks some
	@scripts/setup.sh test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh $(TARGETS)

bench: ## every benchmark, one JSON line a case
	@scripts/setup.sh test
	@scripts/bench.sh

crash: build ## the crash test, 1,000 kills
	@scripts/setup.sh test
	@CRASH_ROUNDS=1000 tests/crash/run.sh

differential: build ## 20,000 cases of each operation against the reference
	@scripts/setup.sh test
	@DIFFERENTIAL_CASES=20000 tests/differential/run.sh

format: ## rewrite the C sources as clang-format wants them
	@scripts/sources.sh | xargs clang-format -i

lint: ## formatting, clang-tidy, cppcheck
	@scripts/setup.sh test
	@scripts/lint.sh

install: build ## into DESTDIR and PREFIX (/usr/local)
	@meson configure build -Dprefix=$(abspath $(PREFIX))
	@DESTDIR=$(if $(DESTDIR),$(abspath $(DESTDIR))) meson install -C build

clean: ## remove everything built
	rm -rf build build-*
