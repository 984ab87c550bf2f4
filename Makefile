# SPDX-License-Identifier: BSD-2-Clause
# nettrace: `make help` lists the targets. All output goes under build/; V=1 shows the commands.

VERSION := 0.1.0

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=
HOST_ARCH := $(shell uname -m)
ARCH ?= $(HOST_ARCH)

O ?= $(if $(filter $(ARCH),$(HOST_ARCH)),build,build/$(ARCH))
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-8s%s\n' '$(1)' '$(2)')

include mk/build.mk
include mk/test.mk
include mk/lint.mk

.PHONY: all static run install uninstall clean help vmlinux FORCE

all: $(O)/nettrace ## build build/nettrace (the default)

static: $(O)/static/nettrace ## build/static/nettrace: one stripped file, no shared libraries (ARCH=aarch64: build/aarch64/static/nettrace)

run: ## as root: install what the build lacks, build, run with ARGS="..."
	$(Q)tools/install-deps.sh build
	$(Q)$(MAKE) all
	@$(GIVE_BACK)
	@build/nettrace $(ARGS)

vmlinux: ## trim vmlinux/ARCH/vmlinux.h to what bpf/ uses: BTF=file, or Debian's stock kernel
	$(Q)BPFTOOL='$(BPFTOOL)' CLANG='$(CLANG)' tools/gen-vmlinux.sh $(ARCH) $(BTF)

SBIN := $(DESTDIR)$(PREFIX)/sbin
SHARE := $(DESTDIR)$(PREFIX)/share
# source:directory:name of everything else that is installed
INSTALLED := man/nettrace.8:man/man8:nettrace.8 \
	build/completions/nettrace.bash:bash-completion/completions:nettrace \
	build/completions/nettrace.zsh:zsh/site-functions:_nettrace \
	build/completions/nettrace.fish:fish/vendor_completions.d:nettrace.fish
field = $(word $(1),$(subst :, ,$(2)))

install: all completions ## install below DESTDIR and PREFIX (/usr/local)
	$(call say,INSTALL,$(SBIN)/nettrace)
	$(Q)install -D -m 755 build/nettrace '$(SBIN)/nettrace'
	$(Q)$(foreach f,$(INSTALLED),install -D -m 644 $(call field,1,$(f)) \
		'$(SHARE)/$(call field,2,$(f))/$(call field,3,$(f))' &&) :

uninstall: ## remove what install put there
	$(call say,RM,$(SBIN)/nettrace)
	$(Q)rm -f '$(SBIN)/nettrace' $(foreach f,$(INSTALLED),'$(SHARE)/$(call field,2,$(f))/$(call field,3,$(f))')

clean: ## remove build/
	$(call say,RM,build)
	$(Q)rm -rf build

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Variables: V=1 commands shown, WERROR=1 warnings are errors, O=dir objects elsewhere, CC, CLANG, BPFTOOL, CFLAGS'

FORCE:
