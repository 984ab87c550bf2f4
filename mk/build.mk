# SPDX-License-Identifier: BSD-2-Clause
# From bpf/*.bpf.c to a skeleton, from user/**/*.c to $(O)/libnettrace.a and $(O)/nettrace.

# For another architecture than this machine's (ARCH=aarch64) Debian's cross compiler and that architecture's libraries.
ifneq ($(ARCH),$(HOST_ARCH))
CROSS := $(ARCH)-linux-gnu-
PKG_CONFIG ?= PKG_CONFIG_LIBDIR=/usr/lib/$(ARCH)-linux-gnu/pkgconfig pkg-config
endif
PKG_CONFIG ?= pkg-config

CC := $(if $(filter default,$(origin CC)),$(CROSS)gcc,$(CC))
AR := $(if $(filter default,$(origin AR)),$(CROSS)ar,$(AR))
CLANG ?= clang
# Ubuntu's /usr/sbin/bpftool is a script that refuses kernels it has no package for: take one that runs.
BPFTOOL ?= $(shell for b in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do \
	"$$b" version >/dev/null 2>&1 && echo "$$b" && exit; done; echo bpftool)

PACKAGES := libbpf libelf zlib jansson libzstd ncursesw
LIBS := $(or $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null),-lbpf -lelf -lz -ljansson -lzstd -lncursesw -ltinfo)
STATIC_LIBS := $(or $(shell $(PKG_CONFIG) --static --libs $(PACKAGES) 2>/dev/null),-lbpf -lelf -lz -ljansson -lzstd -lncursesw -ltinfo)

# Shared by all variants in O=: the kernel's side knows no sanitizer.
BPF_OUT ?= $(if $(CROSS),$(O),build)/bpf

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
ifdef SANITIZE
HARDENING := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
HARDENING := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
LDHARDENING := -Wl,-z,relro,-z,now
endif
C_FLAGS := -std=c11 -D_GNU_SOURCE $(CFLAGS) $(WARNINGS) $(HARDENING) $(CPPFLAGS)
USER_FLAGS := $(C_FLAGS) -Iuser -Ibpf -I$(BPF_OUT) -DNETTRACE_VERSION=\"$(VERSION)\"
LD_FLAGS := $(HARDENING) $(LDHARDENING) $(LDFLAGS)

BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(ARCH)))
BPF_FLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror) -D__TARGET_ARCH_$(BPF_ARCH) \
	-Ivmlinux/$(ARCH) -Ibpf

# The table's programs are an object of their own.
BPF_SOURCES := $(filter-out bpf/table.bpf.c,$(sort $(wildcard bpf/*.bpf.c)))
# All of bpf/ twice: `nettrace` for rung 1, `fallback` for rungs 2 and 3 (bpf/access.bpf.h).
BPF_OBJECTS := $(BPF_SOURCES:bpf/%.bpf.c=$(BPF_OUT)/nettrace/%.bpf.o)
FALLBACK_OBJECTS := $(BPF_SOURCES:bpf/%.bpf.c=$(BPF_OUT)/fallback/%.bpf.o)
TABLE_OBJECT := $(BPF_OUT)/nettrace/table.bpf.o
SKELETON := $(BPF_OUT)/nettrace.skel.h $(BPF_OUT)/fallback.skel.h $(BPF_OUT)/table.skel.h

SOURCES := $(sort $(shell find user -name '*.c'))
OBJECTS := $(SOURCES:user/%.c=$(O)/obj/%.o)
MAIN_OBJECT := $(O)/obj/main.o
LIB := $(O)/libnettrace.a
LIB_OBJECTS := $(filter-out $(MAIN_OBJECT),$(OBJECTS))

# After `sudo make …` the tree's owner can still write build/.
GIVE_BACK = if [ -n "$$SUDO_UID" ] && [ -d build ]; then chown -R "$$SUDO_UID:$$SUDO_GID" build; fi

# A stamp is rewritten only when its text changes: new flags, another compiler, a source more or less.
write_stamp = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@

$(O)/flags: FORCE
	$(call write_stamp,$(CC) $(USER_FLAGS) : $(LD_FLAGS) $(LIBS) $(STATIC_LIBS))
$(O)/sources: FORCE
	$(call write_stamp,$(SOURCES))
$(BPF_OUT)/flags: FORCE
	$(call write_stamp,$(CLANG) $(BPFTOOL) $(BPF_FLAGS) : $(BPF_SOURCES))

# Once in a tree: one clear line instead of a compiler's error when a package is missing.
build/ready: tools/install-deps.sh
	$(Q)mkdir -p build
	$(Q)tools/install-deps.sh --check build
	$(Q)touch $@

$(BPF_OUT)/nettrace/%.bpf.o: bpf/%.bpf.c $(BPF_OUT)/flags | build/ready
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c $< -o $@

$(BPF_OUT)/fallback/%.bpf.o: bpf/%.bpf.c $(BPF_OUT)/flags | build/ready
	$(call say,BPF,$< (fallback))
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -DFALLBACK -MMD -MP -c $< -o $@

# One object, so that all programs share maps and one skeleton; linking also drops DWARF.
$(BPF_OUT)/nettrace.bpf.o: $(BPF_OBJECTS)
$(BPF_OUT)/fallback.bpf.o: $(FALLBACK_OBJECTS)
$(BPF_OUT)/table.bpf.o: $(TABLE_OBJECT)
$(BPF_OUT)/nettrace.bpf.o $(BPF_OUT)/fallback.bpf.o $(BPF_OUT)/table.bpf.o: $(BPF_OUT)/flags
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $(filter %.bpf.o,$^)

$(SKELETON): $(BPF_OUT)/%.skel.h: $(BPF_OUT)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# Before the first build nobody knows who includes the skeleton, so all wait; then the depfiles tell.
$(O)/obj/%.o: user/%.c $(O)/flags | $(SKELETON) build/ready
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_FLAGS) -MMD -MP -c $< -o $@

$(LIB): $(LIB_OBJECTS) $(O)/sources
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJECTS)

$(O)/nettrace: $(MAIN_OBJECT) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LD_FLAGS) -o $@ $^ $(LIBS)

# Completions of the shells, from the table of options: made by a program that runs here, and installed.
COMPLETIONS := $(foreach s,bash zsh fish,$(O)/completions/nettrace.$(s))
.PHONY: completions
completions: $(COMPLETIONS)

$(O)/tools/completions: tools/completions.c $(LIB) $(O)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_FLAGS) $(LD_FLAGS) -o $@ $< $(LIB) $(LIBS)

$(O)/completions/nettrace.%: $(O)/tools/completions
	$(call say,COMPLETE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$< $* >$@

$(O)/static/nettrace: $(MAIN_OBJECT) $(LIB)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LD_FLAGS) -static -s -o $@ $^ $(STATIC_LIBS)

-include $(BPF_OBJECTS:.o=.d) $(FALLBACK_OBJECTS:.o=.d) $(TABLE_OBJECT:.o=.d) $(OBJECTS:.o=.d)
