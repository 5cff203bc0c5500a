# Tollgate. `make help` lists what can be asked for.

BUILD	?= build
PREFIX	?= /usr/local
VERSION	= 0.1.0
CC	?= cc
CFLAGS	?= -O2 -g
JOBS	:= $(shell nproc)

# Programs: a directory in workers/ each. SERVICES also see lib/service, the pipeline from a webhook to a written object.
WORKERS	= signin authn account signup billing admin usage chat og
SERVICES = webhooks jobs mailer tollgate
PROGRAMS = $(WORKERS) $(SERVICES)

PACKAGES = json-c talloc libconfig libssl libcrypto libpq libcurl icu-i18n icu-uc libargon2 pangocairo fontconfig libpng libqrencode
FLAGS	= -std=gnu17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Werror \
	-fPIE -fstack-protector-strong -fno-strict-aliasing -pthread -D_GNU_SOURCE -DTOLLGATE_VERSION='"$(VERSION)"' \
	$(PKG_CFLAGS) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all,-D_FORTIFY_SOURCE=2)
LINK	= -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LDLIBS	= -lfcgi -lzxcvbn $(PKG_LIBS)
# Without json-c's own directory: it has a json.h, and ours must be the one.
PKG_CFLAGS := $(filter-out %/json-c,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
COMPILE	= @mkdir -p $(@D); echo "cc $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS) -MMD -MP $(INCLUDES) -c -o $@ $<
PROGRAM	= @mkdir -p $(@D); echo "ld $@"; $(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $(filter-out %/flags,$^) $(MORE_LIBS) $(LDLIBS)

all: $(addprefix $(BUILD)/,$(PROGRAMS) breached)	## build the programs

# A change of compiler or flags rebuilds everything: all objects depend on this file.
$(BUILD)/flags: FORCE
	@pkg-config --exists --print-errors $(PACKAGES)
	@mkdir -p $(@D); new=$@.$$$$; \
	echo '$(subst ','\'',$(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS) $(LINK) $(LDFLAGS))' >$$new; \
	if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

# What each layer may see: the walls. lib/NAME/*.c is compiled with exactly these on the include path.
LAYERS		= service app web db stripe auth net config base
below_base	=
below_config	= base
below_net	= base
below_db	= base db/private db/service db/admin
below_web	= base
below_stripe	= base net
below_auth	= base net
below_app	= base config net db web stripe auth
below_service	= base config net db db/service stripe

define layer
$(BUILD)/$(1).a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/$(1)/*.c))
	@rm -f $$@
	@ar rcs $$@ $$^
$(BUILD)/lib/$(1)/%.o: INCLUDES = $(addprefix -Ilib/,$(1) $(below_$(1)))
$(BUILD)/lib/$(1)/%.o: lib/$(1)/%.c $(BUILD)/flags
	$$(COMPILE)
endef
$(foreach l,$(LAYERS),$(eval $(call layer,$(l))))

# The last migration there is: what this build asks of a database.
MIGRATION = $(basename $(notdir $(lastword $(sort $(wildcard schema/migrations/*.sql)))))
$(BUILD)/lib/db/admission.o: private FLAGS += -DTOLLGATE_MIGRATION='"$(MIGRATION)"'
$(BUILD)/lib/db/admission.o: $(wildcard schema/migrations)

# A program is main.o and an archive of its other files, which tests link too. It sees its own directory, app and what is
# below it; tollgate alone sees the administrator's connection.
below_program	= app $(below_app)
below_services	= service app $(below_app)
below_tollgate	= $(below_services) db/admin
below	= $(or $(below_$(1)),$(if $(filter $(1),$(SERVICES)),$(below_services),$(below_program)))
archives = $(patsubst %,$(BUILD)/%.a,$(filter $(1),$(LAYERS)))

define program
$(BUILD)/workers/$(1).a: $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(wildcard workers/$(1)/*.c)))
	@rm -f $$@
	@ar rcs $$@ $$^
$(BUILD)/workers/$(1)/%.o: INCLUDES = -Iworkers/$(1) $(addprefix -Ilib/,$(call below,$(1)))
$(BUILD)/workers/$(1)/%.o: workers/$(1)/%.c $(BUILD)/flags
	$$(COMPILE)
$(BUILD)/$(1): $(BUILD)/workers/$(1)/main.o $(BUILD)/workers/$(1).a $(call archives,$(call below,$(1)))
	$$(PROGRAM)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# The list of passwords that nobody may choose, unless the operator builds a longer one: those of Debian's john-data.
$(BUILD)/breached: $(BUILD)/tollgate /usr/share/john/password.lst
	@echo "passwords $@"; $< passwords build /usr/share/john/password.lst --out $@ >/dev/null

# tests/unit/test_NOUN.c and tests/fuzz/fuzz_NOUN.c see and link the layer or program that has NOUN.c and what is below it;
# all layers when none has.
UNIT	= $(basename $(wildcard tests/unit/test_*.c))
FUZZ	= $(basename $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_MAIN = $(BUILD)/tests/fuzz/replay.o

home	= $(firstword $(patsubst %/,%,$(dir $(wildcard lib/*/$(1).c workers/*/$(1).c))))
reach	= $(if $(call home,$(1)),$(notdir $(call home,$(1))) $(call below,$(notdir $(call home,$(1)))),$(LAYERS) db/private db/service)
define test
$(BUILD)/$(1).o: INCLUDES = $(addprefix -I,$(call home,$(2))) $(addprefix -Ilib/,$(call reach,$(2)))
$(BUILD)/$(1): $(BUILD)/$(1).o $(3) $(patsubst workers/%,$(BUILD)/workers/%.a,$(filter workers/%,$(call home,$(2)))) \
	$(call archives,$(call reach,$(2)))
endef
$(foreach t,$(UNIT),$(eval $(call test,$(t),$(patsubst test_%,%,$(notdir $(t))))))
$(foreach t,$(FUZZ),$(eval $(call test,$(t),$(patsubst fuzz_%,%,$(notdir $(t))),$(FUZZ_MAIN))))
$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	$(COMPILE)
$(addprefix $(BUILD)/,$(UNIT)): MORE_LIBS = -lcmocka
$(addprefix $(BUILD)/,$(UNIT) $(FUZZ)):
	$(PROGRAM)

SANITIZED = $(MAKE) --no-print-directory -j$(JOBS) BUILD=build/asan SANITIZE=address,undefined
unit-programs: $(addprefix $(BUILD)/,$(UNIT))
fuzz-programs: $(addprefix $(BUILD)/,$(FUZZ))
unit-asan:
	@$(SANITIZED) unit-programs
replay-asan:
	@$(SANITIZED) fuzz-programs

unit: unit-asan			## the unit tests alone, under ASan and UBSan
	@tests/check unit
fuzz-replay: replay-asan	## every input of the fuzzing corpus once, under ASan and UBSan
	@tests/check replay
fuzz:				## a minute of libFuzzer on each parser; an input that breaks one is added to its corpus
	@tests/deps fuzz
	@$(MAKE) --no-print-directory -j$(JOBS) CC=clang BUILD=build/fuzz SANITIZE=address,undefined,fuzzer-no-link \
	    FUZZ_MAIN= LDFLAGS=-fsanitize=fuzzer fuzz-programs
	@broken=; for f in $(FUZZ); do n=$${f##*/fuzz_}; echo "fuzz $$n"; mkdir -p build/fuzz/corpus/$$n; \
	    build/fuzz/$$f -max_total_time=$${FUZZ_SECONDS:-60} -timeout=5 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=tests/fuzz/corpus/$$n/ build/fuzz/corpus/$$n tests/fuzz/corpus/$$n || broken="$$broken $$n"; \
	done; test -z "$$broken" || { echo "broken:$$broken"; exit 1; }

deps:				## install what is missing from Debian (says what; sudo only when not root)
	@tests/deps
check: deps			## build and run every test
	@tests/check
mutants: deps			## plant each known mistake in a copy and see a test fail (about an hour; MUTANTS="pattern")
	@tests/mutants/run $(MUTANTS)
soak: deps all			## full counts: properties, rotations, migrates, scarce memory, a month, a deployment (hours)
	@tests/deps soak
	@for t in tests/property tests/e2e/test_sessions.py tests/e2e/test_migrate.py tests/e2e/test_scarce.py \
	    tests/operator/test_deploy.py; do \
	    PROPERTY_RUNS=full PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -s -m pytest -q -p no:cacheprovider $$t || exit 1; done
bench: deps all		## events and pages a second beside pgbench and a program in Go (some minutes; quiet machine)
	@tests/deps bench
	@tests/bench/bench $(BENCH)
demo:				## install what it needs, build, bring a whole system up here, and say where to click
	@tests/deps demo
	@exec tests/stack up --demo
# What is between "#> FILE" and "#<" in a web server's file, each as a file of its own, less the indentation of "#>".
define PARTS
/^\t*#> / { indent = index($$0, "#"); file = to "/" $$2; dir = file; sub("/[^/]*$$", "", dir); system("mkdir -p " dir); next }
/^\t*#</ { file = "" }
file != "" && !/^\t*#@ / { print substr($$0, indent) >file }
endef
export PARTS
# Pages, schema and programs under PREFIX; configuration in /etc/tollgate, never over one that is there. The files in
# conf/ say /usr/local; what is installed says PREFIX.
SHARE	= $(DESTDIR)$(PREFIX)/share/tollgate
LIBEXEC	= $(DESTDIR)$(PREFIX)/lib/tollgate
UNITS	= $(DESTDIR)$(PREFIX)/lib/systemd/system
ETC	= $(DESTDIR)/etc/tollgate
DOC	= $(DESTDIR)$(PREFIX)/share/doc/tollgate
install: all			## install under DESTDIR and PREFIX (/usr/local)
	@install -d $(LIBEXEC) $(DESTDIR)$(PREFIX)/bin $(SHARE) $(UNITS) $(DESTDIR)$(PREFIX)/lib/sysusers.d $(ETC) $(DOC)
	@install -m 755 $(addprefix $(BUILD)/,$(filter-out tollgate,$(PROGRAMS))) $(LIBEXEC)
	@install -m 755 $(BUILD)/tollgate $(DESTDIR)$(PREFIX)/bin
	@install -m 644 $(BUILD)/breached $(SHARE)
	@cd workers && find pages -type f -exec install -D -m 644 {} $(abspath $(SHARE))/{} \;
	@find schema -name '*.sql' -exec install -D -m 644 {} $(SHARE)/{} \;
	@set -e; umask 022; for f in $$(cd conf/systemd && find . -type f); do mkdir -p $(UNITS)/$${f%/*}; \
	    sed 's,/usr/local,$(PREFIX),g' conf/systemd/$$f >$(UNITS)/$$f; done
	@umask 022; printf 'u tollgate_%s - "Tollgate %s"\n' \
	    $(foreach p,$(filter-out tollgate,$(PROGRAMS)) operator,$(p) $(p)) \
	    >$(DESTDIR)$(PREFIX)/lib/sysusers.d/tollgate.conf
	@set -e; umask 022; for f in conf/*.conf; do sed 's,/usr/local,$(PREFIX),g' $$f >$(DOC)/$${f##*/}; done
	@umask 022; for s in nginx apache; do awk -v to=$(DOC)/$$s "$$PARTS" $(DOC)/$$s.conf; done
	@test -e $(ETC)/tollgate.conf || install -m 644 $(DOC)/tollgate.conf $(ETC)
uninstall:			## remove what install laid, but not /etc/tollgate
	rm -rf $(LIBEXEC) $(SHARE) $(DOC) $(DESTDIR)$(PREFIX)/bin/tollgate $(UNITS)/tollgate*.target \
	    $(UNITS)/tollgate*.service $(UNITS)/tollgate*.service.d $(UNITS)/tollgate*.socket $(DESTDIR)$(PREFIX)/lib/sysusers.d/tollgate.conf

clean:				## remove what was built
	rm -rf build
help:				## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="	" read -r name what; do \
	    printf '  make %-12s %s\n' "$$name" "$$what"; done

-include $(wildcard $(BUILD)/lib/*/*.d $(BUILD)/workers/*/*.d $(BUILD)/tests/*/*.d)
.PHONY: all bench check clean demo deps mutants soak fuzz fuzz-programs fuzz-replay help install \
	replay-asan uninstall unit unit-asan unit-programs FORCE
.SECONDARY:
