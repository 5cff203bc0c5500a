# Tollgate. `make help` lists what can be asked for.

BUILD	?= build
PREFIX	?= /usr/local
VERSION	= 0.1.0
CC	?= cc

WORKERS	= signup account billing
SERVICES = webhooks jobs tollgate

PACKAGES = json-c talloc libconfig libcrypto libpq libcurl
CFLAGS	?= -O2 -g
CFLAGS	+= -std=gnu17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Werror \
	-fPIE -fstack-protector-strong -fno-strict-aliasing -pthread -D_GNU_SOURCE -DTOLLGATE_VERSION='"$(VERSION)"' \
	-DTOLLGATE_PREFIX='"$(PREFIX)"'
# Last on the command line: json-c's own directory has a json.h, and ours must win.
SYSTEM_CFLAGS := $(shell pkg-config --cflags $(PACKAGES))
CFLAGS	+= $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all,-D_FORTIFY_SOURCE=2)
LDFLAGS	+= -pie -Wl,-z,relro,-z,now -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LDLIBS	= -lfcgi $(shell pkg-config --libs $(PACKAGES))

all: $(addprefix $(BUILD)/,$(WORKERS) $(SERVICES))

# layer NAME,BELOW: an archive of lib/NAME/*.c, compiled with exactly the layers below it on the include path.
define layer
$(BUILD)/$(1).a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/$(1)/*.c))
	@rm -f $$@
	@ar rcs $$@ $$^
$(BUILD)/lib/$(1)/%.o: lib/$(1)/%.c
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS) -MMD -MP -Ilib/$(1) $(addprefix -Ilib/,$(2)) $(SYSTEM_CFLAGS) -c -o $$@ $$<
endef

$(eval $(call layer,base,))
$(eval $(call layer,db,base db/private))
$(eval $(call layer,web,base))
$(eval $(call layer,stripe,base))
$(eval $(call layer,auth,base))
$(eval $(call layer,app,base db web stripe auth))
$(eval $(call layer,service,base db db/private stripe))

LIBS	= $(addprefix $(BUILD)/,app.a web.a db.a stripe.a auth.a base.a)
INCLUDE	= $(addprefix -Ilib/,base db web stripe auth app)

$(addprefix $(BUILD)/workers/,$(addsuffix .o,$(WORKERS))): INCLUDES = $(INCLUDE)
$(addprefix $(BUILD)/workers/,$(addsuffix .o,$(SERVICES))): INCLUDES = $(INCLUDE) -Ilib/service
$(BUILD)/workers/%.o: workers/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP $(INCLUDES) $(SYSTEM_CFLAGS) -c -o $@ $<

$(addprefix $(BUILD)/,$(WORKERS)): $(BUILD)/%: $(BUILD)/workers/%.o $(LIBS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(addprefix $(BUILD)/,$(SERVICES)): $(BUILD)/%: $(BUILD)/workers/%.o $(BUILD)/service.a $(LIBS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all clean
.SECONDARY:
