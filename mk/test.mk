# SPDX-License-Identifier: BSD-2-Clause
# Unit tests (cmocka), golden tests (recordings in, text out; documentation against the program), live tests (root): all print TAP for tests/run.

.PHONY: fuzz fuzz-programs check test test-root test-vm vm-programs asan valgrind bench test-programs

UNIT := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
GOLDEN := tests/golden/run tests/docs/run tests/completions/run
FUZZ := $(wildcard tests/fuzz/run)
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,$(O)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
LIVE := $(shell find tests/live -maxdepth 1 -name 'test_*' -type f -perm -u+x 2>/dev/null | sort)

# tests/live/X.c and tests/live/X/*.c: each a static program, so that it also runs in a bare VM.
LIVE_FILES := $(patsubst tests/live/%.c,$(O)/tests/live/%,$(wildcard tests/live/*.c))
LIVE_DIRS := $(patsubst tests/live/%/,$(O)/tests/live/%,$(sort $(dir $(wildcard tests/live/*/*.c))))
LIVE_PROGRAMS := $(LIVE_FILES) $(LIVE_DIRS)
LIVE_FLAGS := -std=c11 -D_GNU_SOURCE $(CFLAGS) $(WARNINGS) $(CPPFLAGS)

# Other kernels: KERNELS= leaves them out.
KERNELS ?= 5.10 6.1 6.12 7.2 6.1-arm64
OTHER_ARCH := $(if $(filter %-arm64,$(KERNELS)),$(filter-out $(HOST_ARCH),aarch64))
VM := $(if $(KERNELS),--timeout 2400 tests/vm/run)
VM_BUILD = $(MAKE) static vm-programs $(if $(OTHER_ARCH),&& $(MAKE) ARCH=$(OTHER_ARCH) static vm-programs)

# What the tests find in their environment; paths are absolute.
TEST_ENV = NETTRACE='$(abspath $(O))/nettrace' TEST_PROGRAMS='$(abspath $(O))/tests' COMPLETIONS='$(abspath $(O))/completions' \
	KERNELS='$(KERNELS)' CMOCKA_MESSAGE_OUTPUT=TAP

# tests/bench/X.c: what is measured without the kernel.
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(O)/tests/bench/%,$(wildcard tests/bench/*.c))

test-programs: $(UNIT) $(LIVE_PROGRAMS) $(BENCH_PROGRAMS)

check: $(O)/nettrace $(UNIT) $(COMPLETIONS) ## unit and golden tests, no root needed
	@$(TEST_ENV) tests/run --timeout 120 $(UNIT) $(GOLDEN)

test: ## as root: install what is missing, build, run every test
	@[ "$$(id -u)" = 0 ] || { echo 'make test: needs root for the live tests: run "sudo make test" (or "make check")' >&2; exit 1; }
	$(Q)tools/install-deps.sh build test $(if $(KERNELS),vm $(if $(OTHER_ARCH),cross))
	$(Q)$(if $(KERNELS),$(VM_BUILD))
	@$(MAKE) test-root; status=$$?; $(GIVE_BACK); exit $$status

test-root: $(O)/nettrace $(UNIT) $(COMPLETIONS) $(LIVE_PROGRAMS) fuzz-programs
	@$(TEST_ENV) tests/run --timeout 120 $(UNIT) $(GOLDEN) $(FUZZ) --timeout 900 $(LIVE) $(VM)

test-vm: ## other kernels under QEMU: KERNELS='5.10 6.1 6.12 7.2 6.1-arm64'
	$(Q)tools/install-deps.sh build vm $(if $(OTHER_ARCH),cross)
	$(Q)$(VM_BUILD)
	@$(TEST_ENV) tests/run $(VM)

vm-programs: $(LIVE_PROGRAMS)

asan: $(SKELETON) ## the same as check, with the address and undefined behaviour sanitizers
	@ASAN_OPTIONS=exitcode=99:detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1:exitcode=99 \
		LSAN_OPTIONS=exitcode=99 $(MAKE) O=build/asan SANITIZE=address,undefined CFLAGS='-O1 -g' check

VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible

# The golden tests take a command with words as the program, so they run under it too.
valgrind: $(O)/nettrace $(UNIT) $(COMPLETIONS) ## the same as check, under valgrind
	@$(TEST_ENV) NETTRACE='$(VALGRIND) $(abspath $(O))/nettrace' \
		tests/run --timeout 600 --under '$(VALGRIND)' $(UNIT) --under '' $(GOLDEN)

SECONDS ?= 60

# Its own objects: clang marks the branches for libFuzzer.
fuzz-programs: $(SKELETON)
	@$(MAKE) O=build/fuzz CC=$(CLANG) SANITIZE=fuzzer-no-link,address,undefined CFLAGS='-O1 -g' fuzzers

fuzz: fuzz-programs ## each fuzzer for SECONDS (60); FUZZER=name: only that one
	@tests/fuzz/run --seconds $(SECONDS) $(FUZZER)

.PHONY: fuzzers
fuzzers: $(FUZZERS)

# Those that run on their own; tests/bench/run ends with iperf.
BENCHES ?= tests/bench/run tests/bench/table tests/bench/filter tests/bench/idle $(O)/tests/bench/rows tests/bench/replay

bench: ## as root: what tracing costs, beside other tools; BENCHES='tests/bench/run' for one of them
	@[ "$$(id -u)" = 0 ] || { echo 'make bench: needs root: run "sudo make bench"' >&2; exit 1; }
	$(Q)tools/install-deps.sh build bench
	$(Q)$(MAKE) all test-programs
	@export $(TEST_ENV); status=0; for b in $(BENCHES); do echo "== $$b"; $$b || status=1; done; $(GIVE_BACK); exit $$status

$(O)/tests/unit/%: tests/unit/%.c $(LIB) $(O)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_FLAGS) $(LD_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIB) $(LIBS) -lcmocka

$(BENCH_PROGRAMS): $(O)/tests/bench/%: tests/bench/%.c $(LIB) $(O)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_FLAGS) $(LD_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIB) $(LIBS)

$(FUZZERS): $(O)/%: tests/fuzz/fuzz_%.c $(LIB) $(O)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_FLAGS) -fsanitize=fuzzer $(LD_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIB) $(LIBS)

$(LIVE_FILES): $(O)/tests/live/%: tests/live/%.c $(O)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LIVE_FLAGS) $(LDFLAGS) -static -pthread -MMD -MP -MF $@.d -o $@ $<

# $(1): a program of several files. Its stamp lists them: one more or one less links again.
define live_program
$(1): $(2) $(1).sources
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -static -pthread -o $$@ $(2)
$(1).sources: FORCE
	$$(call write_stamp,$(2))
endef
$(foreach p,$(LIVE_DIRS),$(eval $(call live_program,$(p),$(patsubst tests/live/%.c,$(O)/tests/obj/%.o,$(wildcard \
	$(p:$(O)/%=%)/*.c)))))

$(O)/tests/obj/%.o: tests/live/%.c $(O)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LIVE_FLAGS) -pthread -MMD -MP -c $< -o $@

-include $(addsuffix .d,$(UNIT) $(BENCH_PROGRAMS) $(FUZZERS) $(LIVE_FILES)) $(patsubst tests/live/%.c,$(O)/tests/obj/%.d,$(wildcard tests/live/*/*.c))
