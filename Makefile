# tlbsh: a kernel that boots into a shell for your page tables.  `make help` lists what it can do.

BUILD := build
MODE ?= 4level
CPU ?=
MEM ?= 128M
ACCEL ?= tcg
PROFILE ?= modern-intel

include build.mk
include tests/tests.mk

.PHONY: all run sim capacity-host bochs bochs-debugger bochs-serial gdb platforms check-platform check unit unit-build iso bench fuzz setup clean help format docs worksheets

all: $(BUILD)/tlbsh.elf

## run [MODE=4level] [CPU=max] [MEM=128M] [ACCEL=tcg|kvm]: boot in QEMU, with the serial line on this terminal
run: setup
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh.elf
	@tools/run --mode $(MODE) --cpu "$(CPU)" --mem $(MEM) --accel $(ACCEL)

## sim [PROFILE=modern-intel] [MODE=...] [DEFECT=...]: the same shell on a simulated machine, as an ordinary program
sim: setup
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh
	@$(BUILD)/tlbsh --profile $(PROFILE) $(if $(filter file,$(origin MODE)),,--mode $(MODE)) $(addprefix --defect ,$(DEFECT))

## bochs [CPU=corei7_skylake_x]: the shell and Bochs's debugger side by side (by tmux)
BOCHS_CPU = $(if $(filter file,$(origin CPU)),corei7_skylake_x,$(CPU))
BOCHS_FILES := $(BUILD)/tlbsh.iso $(BUILD)/kernel32.sym $(BUILD)/kernel64.sym
bochs: setup
	@$(MAKE) --no-print-directory $(BOCHS_FILES)
	@tools/bochs --cpu $(BOCHS_CPU) --panes

## bochs-debugger [CPU=...]: Bochs with its debugger on this terminal; the shell is for 'make bochs-serial'
bochs-debugger: setup
	@$(MAKE) --no-print-directory $(BOCHS_FILES)
	@tools/bochs --cpu $(BOCHS_CPU)

## bochs-serial: the shell of the Bochs that 'make bochs-debugger' runs in another terminal
bochs-serial: setup
	@tools/bochs-serial

## gdb [MODE=4level] [CPU=max] [MEM=128M]: QEMU, stopped, with gdb and the shell side by side
gdb: setup
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh.elf
	@tools/gdb --mode $(MODE) --cpu $(or $(CPU),max) --mem $(MEM) --panes

## check: every test; ends with the line "N passed, N failed"
check: setup
	@tools/setup --worksheets
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh.elf $(BOCHS_FILES) $(BUILD)/tlbsh $(BUILD)/commands $(BUILD)/capacity-host $(BUILD)/fuzz-shell unit-build
	@tests/run

## iso: build/tlbsh.iso (BIOS and UEFI), build/tlbsh.elf, and the kernels' names for the Bochs debugger
iso: setup
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh.iso $(BUILD)/kernel32.sym $(BUILD)/kernel64.sym

## docs: docs/commands.md from the command rows, docs/lessons/README.md from the worksheets, and the README's sessions from a booted machine
docs: $(BUILD)/commands $(BUILD)/tlbsh.elf
	@mkdir -p docs && $(BUILD)/commands >docs/commands.md
	@tools/worksheets coverage --write
	@tests/boot/test_readme.py --write

## worksheets: the lessons on paper (build/worksheets/*.pdf) and as a web site (build/worksheets/site/site/index.html)
worksheets:
	@tools/setup --worksheets
	@tools/worksheets handout $(BUILD)/worksheets
	@tools/worksheets site $(BUILD)/worksheets/site

## platforms: docs/PLATFORMS.md, from the conformance suite on every platform there is here (minutes)
platforms: setup
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh.elf $(BUILD)/tlbsh.iso $(BUILD)/tlbsh
	@tools/platforms --write docs/PLATFORMS.md

## check-platform [PLATFORM=qemu|bochs|sim|kvm] [NAME=...]: the conformance suite there, as TAP; fails where a rule is broken
PLATFORM ?= qemu
check-platform: setup
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh.elf $(BUILD)/tlbsh.iso $(BUILD)/tlbsh
	@tools/platforms --check $(PLATFORM) $(NAME)

## capacity-host: this machine's own data TLB, measured from an ordinary program, beside what CPUID says
capacity-host: setup
	@$(MAKE) --no-print-directory $(BUILD)/capacity-host
	@$(BUILD)/capacity-host

## format: lay out the C and C++ sources as .clang-format says
format:
	@find src tests/unit \( -name '*.[ch]' -o -name '*.cc' \) -exec clang-format -i {} +

## bench: how fast it boots and answers, beside the smallest kernel and the serial line themselves; how fast the simulated machine is
bench: setup
	@$(MAKE) --no-print-directory $(BUILD)/tlbsh.elf $(BUILD)/tlbsh.iso $(BUILD)/tlbsh $(BUILD)/capacity-host $(BUILD)/bench/accesses $(BUILD)/fuzz-shell
	@tests/bench/bench

## setup: install what is missing (Debian, Ubuntu)
setup:
	@tools/setup

clean:
	rm -rf $(BUILD)

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)
