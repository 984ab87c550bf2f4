# SPDX-License-Identifier: BSD-2-Clause
# Checks of the text itself. A tool that isn't installed is named and left out, but for clang-format.

.PHONY: lint lint-format lint-build lint-tidy lint-cppcheck lint-shell format

C_FILES := $(sort $(shell find user bpf tests tools -name '*.[ch]'))
TIDY_FILES := $(filter user/%.c,$(C_FILES))
SHELL_FILES := $(sort $(shell grep -rlE '^\#!.*[/ ](ba)?sh( |$$)' .ci tools tests 2>/dev/null))
have = command -v $(1) >/dev/null || { echo '  (no $(1): left out)'; exit 0; }

lint: lint-format lint-build lint-tidy lint-cppcheck lint-shell ## format, warnings as errors, clang-tidy, cppcheck, shellcheck

lint-format:
	$(call say,FORMAT,)
	$(Q)clang-format --dry-run -Werror $(C_FILES)

lint-build:
	$(Q)$(MAKE) O=build/lint BPF_OUT=build/lint/bpf WERROR=1 all test-programs

# The skeleton is generated: its warnings are not ours.
lint-tidy: $(SKELETON)
	$(call say,TIDY,)
	$(Q)$(call have,clang-tidy); printf '%s\n' $(TIDY_FILES) | xargs -P "$$(nproc)" -n 1 sh -c \
		'clang-tidy --quiet "$$0" -- $(subst -I$(BPF_OUT),-isystem $(BPF_OUT),$(USER_FLAGS)) 2>/dev/null'

lint-cppcheck: $(SKELETON)
	$(call say,CPPCHECK,)
	$(Q)$(call have,cppcheck); cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem --suppress=identicalInnerCondition --suppress=preprocessorErrorDirective \
		-D_GNU_SOURCE -D__x86_64__ -DNETTRACE_VERSION='"$(VERSION)"' \
		-D'bpf_object__for_each_program(p,o)=for (;;)' -D'DECLARE_LIBBPF_OPTS(t,n,...)=struct t n = { __VA_ARGS__ }' \
		-Iuser -Ibpf user

lint-shell:
	$(call say,SHELL,)
	$(Q)$(call have,shellcheck); shellcheck $(SHELL_FILES)

format: ## reformat all C files
	$(call say,FORMAT,$(words $(C_FILES)) files)
	$(Q)clang-format -i $(C_FILES)
