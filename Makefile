# Quanta. `make help` lists the targets; everything that is made goes to build/.
#
# Variables:
#   MODE=release|debug        debug: -O1, costly assertions (QUANTA_DEBUG)
#   SAN=address,undefined     sanitizers; also SAN=thread
#   BUILD=DIR                 where to build (default build; fetched libraries stay in build/deps, peers in build/peers)
#   FOLDERS="reactor storage" take only these folders of src/ and their unit tests
#   CC, CFLAGS, LDFLAGS       as usual; a change rebuilds
# Every combination of MODE and SAN has its own folder, so variants never mix.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(origin CC),default)
CC := gcc
endif
MODE ?= release
SAN ?=
BUILD ?= build
DEPS := $(CURDIR)/build/deps
PREFIX ?= /usr/local
VERSION := 0.1.0

comma := ,
empty :=
space := $(empty) $(empty)

# ---- variants ------------------------------------------------------------------------------

ifneq ($(MODE),release)
ifneq ($(MODE),debug)
$(error MODE is "$(MODE)"; it can be release or debug)
endif
endif
# VARIANT names special builds (fuzz, coverage); set by the targets below, not by hand.
B := $(BUILD)/$(or $(VARIANT),$(MODE)$(if $(SAN),-$(subst $(comma),-,$(SAN))))
GEN := $(B)/gen
BIN := $(B)/bin

CFLAGS ?=
LDFLAGS ?=
WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wvla -Wwrite-strings
WARN_C := -Wstrict-prototypes -Wmissing-prototypes
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
# Runs on any x86-64 of the last ten years; kernels pick AVX2 or AVX-512 at run time.
ARCH := $(if $(filter x86_64%,$(MACHINE)),-march=x86-64-v2 -mtune=haswell)
OPT_release := -O2 -g
OPT_debug := -O1 -g3 -DQUANTA_DEBUG
# The fortified wrappers and the sanitizers' interceptors are in each other's way.
HARDEN := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) -fstack-protector-strong
BASE_CFLAGS := -std=gnu17 -D_GNU_SOURCE $(ARCH) $(OPT_$(MODE)) $(HARDEN) -fno-omit-frame-pointer \
    -ffunction-sections -pthread
BASE_LDFLAGS := -pthread -Wl,--as-needed -Wl,-z,relro -Wl,-z,now
ifneq ($(SAN),)
BASE_CFLAGS += -fsanitize=$(SAN) -fno-sanitize-recover=all
BASE_LDFLAGS += -fsanitize=$(SAN)
endif
ifeq ($(VARIANT),fuzz)
BASE_CFLAGS += -fsanitize=fuzzer-no-link
endif
ifeq ($(VARIANT),coverage)
BASE_CFLAGS += --coverage -fprofile-update=atomic
BASE_LDFLAGS += --coverage
endif

# ---- libraries -----------------------------------------------------------------------------

MODULES := liburing libprotobuf-c yaml-0.1 libcurl jansson libnghttp2 openssl numa snappy libzstd \
    liblz4 libbrotlidec zlib libxxhash libpcre2-8 libutf8proc
LIB_CFLAGS := $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
LIBS := $(or $(shell pkg-config --libs $(MODULES) 2>/dev/null),$(addprefix -l,uring protobuf-c yaml \
    curl jansson nghttp2 ssl crypto numa snappy zstd lz4 brotlidec z xxhash pcre2-8 utf8proc)) -lm
# jemalloc replaces malloc, and so do the sanitizers: one of them at a time.
ifeq ($(SAN)$(VARIANT),)
LIB_CFLAGS += -DQUANTA_JEMALLOC
LIBS := -ljemalloc $(LIBS)
# Also for a program whose own code happens not to call malloc.
MALLOC := -Wl,--no-as-needed -ljemalloc -Wl,--as-needed
endif

# CRoaring >= 4: the system's if it has that, else the one unpacked into build/deps.
ROARING_HEADER := $(DEPS)/usr/include/roaring/roaring64.h
ifeq ($(wildcard $(ROARING_HEADER))$(shell pkg-config --atleast-version=4 roaring 2>/dev/null && echo found),found)
LIB_CFLAGS += $(shell pkg-config --cflags roaring)
LIBS := $(shell pkg-config --libs roaring) $(LIBS)
ROARING_HEADER :=
else
LIB_CFLAGS += -isystem $(DEPS)/usr/include
LIBS := -L$(DEPS)/usr/lib -lroaring $(LIBS)
# Programs find it beside them, also after installation; tests at its absolute place.
RPATH := -Wl,-rpath,'$$ORIGIN/../lib/quanta'
RPATH_TESTS := -Wl,-rpath,$(DEPS)/usr/lib
LIB_COPY := $(B)/lib/quanta/.copied
endif

INCLUDES := -Isrc -I$(GEN)
ALL_CFLAGS = $(BASE_CFLAGS) $(WARN) $(WARN_C) $(WERROR) $(INCLUDES) $(LIB_CFLAGS) $(CFLAGS)
GEN_CFLAGS = $(BASE_CFLAGS) -w $(INCLUDES) $(LIB_CFLAGS) $(CFLAGS)
TEST_CFLAGS = $(BASE_CFLAGS) $(WARN) $(INCLUDES) -Itests $(LIB_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(BASE_LDFLAGS) $(LDFLAGS)

# ---- sources -------------------------------------------------------------------------------

FOLDERS ?= $(sort $(patsubst src/%/,%,$(wildcard src/*/)))
MAINS := $(wildcard src/quanta*.c)
SRCS := $(filter-out $(MAINS),$(wildcard src/*.c)) $(foreach f,$(FOLDERS),$(wildcard src/$(f)/*.c))
YACC_SRCS := $(foreach f,$(FOLDERS),$(wildcard src/$(f)/*.y))
LEX_SRCS := $(foreach f,$(FOLDERS),$(wildcard src/$(f)/*.l))
RE2C_SRCS := $(foreach f,$(FOLDERS),$(wildcard src/$(f)/*.re))
PROTOS := $(shell find proto -name '*.proto' 2>/dev/null | sort)

GEN_C := $(YACC_SRCS:src/%.y=$(GEN)/%.c) $(LEX_SRCS:src/%.l=$(GEN)/%.c) \
    $(RE2C_SRCS:src/%.re=$(GEN)/%.c) $(PROTOS:%.proto=$(GEN)/%.pb-c.c)
GEN_H := $(YACC_SRCS:src/%.y=$(GEN)/%.h) $(LEX_SRCS:src/%.l=$(GEN)/%.lex.h) $(PROTOS:%.proto=$(GEN)/%.pb-c.h) $(GEN)/build_info.h

LIB_OBJS := $(SRCS:%.c=$(B)/obj/%.o) $(GEN_C:$(GEN)/%.c=$(B)/obj/gen/%.o)
LIBQUANTA := $(B)/libquanta.a
PROGRAMS := $(foreach m,$(MAINS),$(BIN)/$(subst _,-,$(basename $(notdir $(m)))))

# tests/sim: one program from all files, unless src/quanta_sim.c is that program.
SIM_SRCS := $(if $(wildcard src/quanta_sim.c),,$(wildcard tests/sim/*.c))
SIM := $(BIN)/quanta-sim
ifneq ($(SIM_SRCS),)
PROGRAMS += $(SIM)
endif

# One test program per folder of tests/unit, from all its files; tests/property likewise.
UNIT_FOLDERS := $(filter-out runner/,$(patsubst tests/unit/%,%,$(wildcard $(addprefix tests/unit/,\
    $(addsuffix /,$(FOLDERS))))))
UNIT_NAMES := $(foreach f,$(UNIT_FOLDERS:/=),$(if $(wildcard tests/unit/$(f)/*_test.c),unit/$(f)))
UNIT_NAMES += $(if $(wildcard tests/property/*_test.c),property)
UNIT_BINS := $(addprefix $(B)/tests/,$(UNIT_NAMES))
TEST_COMMON := $(wildcard tests/common/*.c)
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_BINS := $(FUZZ_NAMES:%=$(B)/fuzz/%)
BENCH_NAMES := $(patsubst bench/%.c,%,$(wildcard bench/*_bench.c))
BENCH_BINS := $(BENCH_NAMES:%=$(B)/bench/%)

# Peers are fetched once; times and plot of the last run stay in build/bench.
PYTHON := $(or $(wildcard /usr/bin/python3),python3)
BENCH_EVENTS = QUANTA_BIN_DIR=$(abspath $(BIN)) PEERS_DIR=$(or $(PEERS_DIR),$(CURDIR)/build/peers) \
    $(PYTHON) bench/peers/main.py --out $(abspath $(BUILD))/bench

# Criterion starts every test in a process of its own and cannot start under ThreadSanitizer;
# there, and where its processes would lose coverage counts, our own runner takes its place.
RUNNER ?= $(if $(filter thread,$(SAN))$(filter coverage,$(VARIANT)),small,criterion)
ifeq ($(RUNNER),small)
RUNNER_CFLAGS := -isystem tests/unit/runner
RUNNER_OBJS := $(B)/obj/tests/unit/runner/runner.o
else
RUNNER_LIBS := -lcriterion
endif

.PHONY: all help deps deps-test libs run demo test unit torture unit-bins e2e fuzz fuzz-bins all-fuzz sim sim-faults bench \
    bench-peers bench-compare lint format compdb coverage install clean distclean print-% FORCE

# ---- targets for people --------------------------------------------------------------------

all: $(PROGRAMS) $(LIBQUANTA) ## build every program into build/<mode>/bin

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)$$/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'
	@sed -nE 's/^#   ([A-Z].*)$$/  \1/p' $(firstword $(MAKEFILE_LIST))

deps: ## install what building and the demo need
	@scripts/deps.sh build

deps-test: ## install what the tests need on top
	@scripts/deps.sh test

run: all ## build and start the all-in-one server with its data in ./data
	$(BIN)/quanta --data-dir ./data $(ARGS)

demo: deps ## install what is missing, build, load a sample, run queries through a MySQL client
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@QUANTA_BIN_DIR=$(abspath $(BIN)) scripts/demo.sh

test: deps deps-test ## install what is missing, then build and run every test (SAN=thread too)
	@MAKE="$(MAKE)" MODE=$(MODE) SAN=$(SAN) BUILD=$(BUILD) DEPS=$(DEPS) scripts/test.sh

unit: unit-bins ## run the unit tests of this variant (FOLDERS= to take a part, T=suite/test)
	@for t in $(UNIT_BINS); do scripts/run-unit.sh $$t || exit 1; done

torture: ## let every allocation of the tests named torture_* fail, one by one
	@$(MAKE) --no-print-directory MODE=debug SAN=address,undefined T='torture_*/*' TORTURE=all \
	    unit-storage unit-sql

unit-%:
	@$(MAKE) --no-print-directory $(B)/tests/unit/$*
	@scripts/run-unit.sh $(B)/tests/unit/$*

e2e: all ## run the end-to-end tests against this variant (T=name for one)
	@BIN=$(BIN) DEPS=$(DEPS) SLOWER=$(if $(SAN),4,1) scripts/run-e2e.sh $(T)

fuzz: ## run every fuzz target, SECONDS_EACH=60 (T=name for one)
	@$(MAKE) --no-print-directory fuzz-bins
	@OUT=$(BUILD)/fuzz SECONDS_EACH=$(or $(SECONDS_EACH),60) scripts/run-fuzz.sh $(or $(T),$(FUZZ_NAMES))

fuzz-bins:
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang SAN=address,undefined all-fuzz

all-fuzz: $(FUZZ_BINS)

sim-faults: ## plant faults and see that the simulator finds them (T=names, N=1000 seeds each)
	@MAKE="$(MAKE)" CC="$(CC)" DEPS=$(DEPS) scripts/sim-faults.sh $(T)

sim: all ## run the deterministic simulator: SEED=first seed, N=how many
	$(SIM) --seed $(or $(SEED),1) --count $(or $(N),100)

bench: all $(BENCH_BINS) ## benchmarks: parts, one JSON line per case (T=name for one), then the events work (ROWS=1000000)
	@for b in $(or $(T:%=$(B)/bench/%),$(BENCH_BINS)); do $$b || exit 1; done
	@$(if $(T),,ROWS=$(or $(ROWS),1000000) $(BENCH_EVENTS) --peers none)

bench-peers: deps deps-test ## the events work beside peers (ROWS=10000000, PEERS=duckdb,clickhouse,mariadb,postgresql)
	@$(MAKE) --no-print-directory -j$$(nproc) all $(B)/bench/bandwidth_bench $(B)/bench/clients_bench
	@$(if $(filter points,$(WORK)),QUANTA_BIN_DIR=$(abspath $(BIN)) $(PYTHON) bench/points.py --mariadb \
	    --rounds $(or $(RUNS),5) --rows $(or $(ROWS),200000),$(BENCH_EVENTS) --work $(or $(WORK),events))

bench-compare: ## benchmarks of the tree against BASE=revision (T=name for one, ROUNDS=3)
	@MAKE="$(MAKE)" BUILD=$(BUILD) DEPS=$(DEPS) ROUNDS=$(or $(ROUNDS),3) scripts/bench-compare.sh $(BASE) $(T)

lint: ## check format, banned calls, folder dependencies, sizes
	@scripts/lint.sh

format: ## let clang-format rewrite the sources
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format -i

compdb: ## write build/compile_commands.json for editors
	@mkdir -p $(BUILD)
	@$(MAKE) --no-print-directory -Bnk all unit-bins $(BENCH_BINS) 2>/dev/null | scripts/compdb.sh \
	    >$(BUILD)/compile_commands.json
	@echo $(BUILD)/compile_commands.json

coverage: ## line coverage of the unit tests by file
	@$(MAKE) --no-print-directory MODE=debug VARIANT=coverage unit-bins
	@OUT=$(BUILD)/coverage scripts/coverage.sh

install: all ## copy programs to DESTDIR/PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(filter-out $(SIM),$(PROGRAMS)) $(DESTDIR)$(PREFIX)/bin/
ifneq ($(LIB_COPY),)
	install -d $(DESTDIR)$(PREFIX)/lib/quanta
	cp -a $(B)/lib/quanta/libroaring.so.* $(DESTDIR)$(PREFIX)/lib/quanta/
endif

clean: ## remove what was built, keep fetched libraries
	@find $(BUILD) -mindepth 1 -maxdepth 1 ! -name deps ! -name peers -exec rm -rf {} + 2>/dev/null || true

distclean: ## remove build/ altogether
	@rm -rf $(BUILD)

print-%: # value of a variable, for scripts
	@echo '$($*)'

# ---- rules ---------------------------------------------------------------------------------

ifeq ($(V),)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2);
endif

# What the objects depend on besides their sources: a change of compiler or options rebuilds.
OPTIONS = $(CC) $(shell $(CC) -dumpfullversion -dumpversion 2>/dev/null) $(ALL_LDFLAGS) $(MALLOC) $(LIBS) \
    $(filter-out $(WERROR),$(ALL_CFLAGS)) $(RUNNER)
$(B)/options: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$OPTIONS" | cmp -s - $@ || printf '%s\n' "$$OPTIONS" >$@
$(B)/options: export OPTIONS := $(OPTIONS)

REVISION = $(shell git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)
$(GEN)/build_info.h: $(B)/options FORCE
	@mkdir -p $(@D)
	@printf '#pragma once\n#define QUANTA_VERSION "%s"\n#define QUANTA_REVISION "%s"\n' \
	    '$(VERSION)' '$(REVISION)' >$@.new
	@printf '#define QUANTA_BUILD_OPTIONS "%s"\n' \
	    '$(notdir $(CC)) $(MODE)$(if $(SAN), $(SAN))$(if $(findstring jemalloc,$(LIBS)), jemalloc)' >>$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

ifneq ($(ROARING_HEADER),)
$(ROARING_HEADER):
	@DEPS=$(DEPS) scripts/deps.sh roaring

$(LIB_COPY): $(ROARING_HEADER)
	@mkdir -p $(@D)
	@cp -a $(DEPS)/usr/lib/libroaring.so* $(@D)/ && touch $@
endif

$(GEN)/%.c $(GEN)/%.h: src/%.y $(B)/options
	@mkdir -p $(@D)
	$(call say,BISON,$<) bison -Wall -Wno-yacc -d -o $(GEN)/$*.c $<

$(GEN)/%.c $(GEN)/%.lex.h: src/%.l $(B)/options
	@mkdir -p $(@D)
	$(call say,FLEX,$<) flex -o $(GEN)/$*.c --header-file=$(GEN)/$*.lex.h $<

$(GEN)/%.c: src/%.re $(B)/options
	@mkdir -p $(@D)
	$(call say,RE2C,$<) re2c -W --no-generation-date -o $@ $<

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: %.proto $(B)/options
	@mkdir -p $(@D)
	$(call say,PROTO,$<) protoc-c --proto_path=. --c_out=$(GEN) $<

# Generated headers must exist before the first compilation; after that the .d files know. Those of
# a folder are asked for by that folder, its tests and the programs only, the wire's by everything.
GEN_H_COMMON := $(filter $(GEN)/proto/% $(GEN)/build_info.h,$(GEN_H))
PRE := $(B)/options | $(GEN_H_COMMON) $(ROARING_HEADER)
GEN_USERS = $(MAINS:%.c=$(B)/obj/%.o) $(filter $(B)/obj/src/$(1)/% $(B)/obj/gen/$(1)/%,$(LIB_OBJS)) \
    $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/unit/$(1)/*.c tests/property/*.c tests/common/*.c \
    tests/fuzz/*.c tests/sim/*.c bench/*.c))
$(foreach f,$(FOLDERS),$(if $(filter $(GEN)/$(f)/%,$(GEN_H)),$(eval \
    $(call GEN_USERS,$(f)): | $(filter $(GEN)/$(f)/%,$(GEN_H)))))

$(B)/obj/src/%.o: src/%.c $(PRE)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The page's files are part of the program.
$(B)/obj/src/page/page_files.o: $(wildcard src/page/*.html src/page/*.css src/page/*.js src/page/*.svg)

# Loops over the vectors of a line must be unrolled, or the vectors live in memory: decoding is 2.4 times as fast.
ifneq ($(MODE),debug)
$(B)/obj/src/storage/kernel_%.o: ALL_CFLAGS += -O3
endif

# The fuzzer learns nothing from comparisons with the tables of lexer and parser, nor from those that a tree's
# printer makes, and they are a third of the time: words come from the dictionary.
ifeq ($(VARIANT),fuzz)
$(B)/obj/gen/sql/%.o: GEN_CFLAGS += -fno-sanitize-coverage=trace-cmp
$(foreach p,ast build print parse token keyword bind plan expr function,$(eval $(B)/obj/src/sql/$(p)%.o: \
    ALL_CFLAGS += -fno-sanitize-coverage=trace-cmp))
endif

$(B)/obj/gen/%.o: $(GEN)/%.c $(PRE)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(GEN_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/tests/unit/%.o: tests/unit/%.c $(PRE)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(RUNNER_CFLAGS) $(TEST_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/tests/property/%.o: tests/property/%.c $(PRE)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(RUNNER_CFLAGS) $(TEST_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/tests/%.o: tests/%.c $(PRE)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(TEST_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/bench/%.o: bench/%.c $(PRE)
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(TEST_CFLAGS) -MMD -MP -c -o $@ $<

# The list of members is part of the target, so that a removed source leaves the archive;
# appended, because files of the same name in two folders are both members.
$(B)/members: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(LIB_OBJS) | cmp -s - $@ || printf '%s\n' $(LIB_OBJS) >$@

$(LIBQUANTA): $(LIB_OBJS) $(B)/members $(B)/options
	$(call say,AR,$@) rm -f $@ && ar qcsD $@ $(LIB_OBJS)

define program_rule
$(BIN)/$(subst _,-,$(basename $(notdir $(1)))): $(B)/obj/$(1:.c=.o) $(LIBQUANTA) $(LIB_COPY)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@) $$(CC) $$(ALL_LDFLAGS) -Wl,--gc-sections $$(RPATH) -o $$@ $$(filter %.o,$$^) $(LIBQUANTA) $(MALLOC) $$(LIBS)
endef
$(foreach m,$(MAINS),$(eval $(call program_rule,$(m))))

ifneq ($(SIM_SRCS),)
$(SIM): $(SIM_SRCS:%.c=$(B)/obj/%.o) $(TEST_COMMON:%.c=$(B)/obj/%.o) $(LIBQUANTA) $(LIB_COPY)
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CC) $(ALL_LDFLAGS) $(RPATH) -o $@ $(filter %.o,$^) $(LIBQUANTA) $(MALLOC) $(LIBS)
endif

unit_objects = $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/$(1)/*.c) $(TEST_COMMON))
define unit_rule
$(B)/tests/$(1): $(call unit_objects,$(1)) $(B)/obj/tests/unit/fail_alloc.o $(RUNNER_OBJS) $(LIBQUANTA)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@) $$(CC) $$(ALL_LDFLAGS) $$(RPATH_TESTS) $(FAIL_ALLOC) -o $$@ $$(filter %.o,$$^) \
	    $(LIBQUANTA) $(RUNNER_LIBS) $$(LIBS)
endef
# Tests may let allocations fail: tests/unit/fail_alloc.h.
FAIL_ALLOC := $(foreach f,malloc calloc realloc aligned_alloc strdup strndup,-Wl,--wrap=$(f))
$(foreach n,$(UNIT_NAMES),$(eval $(call unit_rule,$(n))))
unit-bins: $(UNIT_BINS)

$(B)/fuzz/%: $(B)/obj/tests/fuzz/%_fuzz.o $(TEST_COMMON:%.c=$(B)/obj/%.o) $(LIBQUANTA)
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $(RPATH_TESTS) -o $@ $(filter %.o,$^) \
	    $(LIBQUANTA) $(LIBS)

$(B)/bench/%: $(B)/obj/bench/%.o $(LIBQUANTA)
	@mkdir -p $(@D)
	$(call say,LINK,$@) $(CC) $(ALL_LDFLAGS) $(RPATH_TESTS) -o $@ $(filter %.o,$^) $(LIBQUANTA) $(LIBS)

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
