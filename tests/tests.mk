# Unit tests: the pure code on the host, at both widths, under the address and undefined-behaviour sanitizers.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
UNIT_CFLAGS := -std=gnu11 -O1 -g -fno-strict-aliasing $(SANITIZE) -Isrc -MMD -MP $(WARNINGS)
UNIT_CXXFLAGS := -std=c++17 -O0 -g1 $(SANITIZE) -Isrc -Itests/unit -MMD -MP
UNIT_TESTS := $(sort $(wildcard tests/unit/*.cc))
UNIT_PURE := src/machine/features.c src/machine/identity.c src/machine/describe.c $(sort $(wildcard src/lib/*.c src/term/*.c src/paging/*.c src/lab/*.c src/check/*.c src/measure/*.c src/repl/*.c))
SIM_TESTS := $(sort $(wildcard tests/unit/sim/*.cc))
UNIT_SIM := $(sort $(wildcard src/machine/sim*.c src/paging/*.c src/lib/*.c)) $(addprefix src/machine/,features.c identity.c describe.c)

define unit_width
$(BUILD)/unit$(1)/%.c.o: src/%.c
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -m$(1) $$(UNIT_CFLAGS) -c $$< -o $$@

$(BUILD)/unit$(1)/%.cc.o: tests/unit/%.cc
	@mkdir -p $$(@D)
	$$(Q)$$(CXX) -m$(1) $$(UNIT_CXXFLAGS) -c $$< -o $$@

UNIT_OBJ_$(1) := $$(patsubst src/%.c,$(BUILD)/unit$(1)/%.c.o,$$(UNIT_PURE)) $$(patsubst tests/unit/%.cc,$(BUILD)/unit$(1)/%.cc.o,$$(UNIT_TESTS))

$(BUILD)/unit$(1)/unit: $$(UNIT_OBJ_$(1))
	$$(Q)$$(CXX) -m$(1) $$(SANITIZE) $$^ -o $$@

# The simulated machine fulfils machine.h itself, so its tests are a program of their own.
SIM_OBJ_$(1) := $$(patsubst src/%.c,$(BUILD)/unit$(1)/%.c.o,$$(UNIT_SIM)) $$(patsubst tests/unit/%.cc,$(BUILD)/unit$(1)/%.cc.o,$$(SIM_TESTS))

$(BUILD)/unit$(1)/sim-unit: $$(SIM_OBJ_$(1))
	$$(Q)$$(CXX) -m$(1) $$(SANITIZE) $$^ -o $$@

-include $$(UNIT_OBJ_$(1):.o=.d) $$(SIM_OBJ_$(1):.o=.d)
endef

$(eval $(call unit_width,32))
$(eval $(call unit_width,64))

unit-build: $(foreach width,32 64,$(BUILD)/unit$(width)/unit $(BUILD)/unit$(width)/sim-unit)

## unit: the unit tests alone
unit: unit-build
	@for program in unit sim-unit; do $(BUILD)/unit32/$$program && $(BUILD)/unit64/$$program || exit 1; done

# The simulated machine's speed, which `make bench` shows.
$(BUILD)/bench/accesses: tests/bench/accesses.c $(call objects,host,$(UNIT_SIM))
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(WARNINGS) $^ -o $@

# Fuzzing: the whole shell on the simulated machine, under libFuzzer and the sanitizers.
FUZZ_SECONDS ?= 60
FUZZ_SOURCES := tests/fuzz/shell.c $(UNIT_PURE) $(sort $(wildcard src/machine/sim*.c))

$(BUILD)/fuzz-shell: $(FUZZ_SOURCES) $(wildcard src/*/*.h) $(BUILD)/host/host/lessons.S.o
	@mkdir -p $(@D)
	$(Q)clang -std=gnu11 -O1 -g -fno-strict-aliasing -Isrc -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $(FUZZ_SOURCES) $(BUILD)/host/host/lessons.S.o -o $@

## fuzz [FUZZ_SECONDS=60]: fuzz the shell on the simulated machine
fuzz: setup
	@$(MAKE) --no-print-directory $(BUILD)/fuzz-shell
	@mkdir -p $(BUILD)/corpus
	$(BUILD)/fuzz-shell -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=2000 -print_final_stats=1 -dict=tests/fuzz/shell.dict \
	  -artifact_prefix=$(BUILD)/ $(BUILD)/corpus tests/fuzz/corpus
