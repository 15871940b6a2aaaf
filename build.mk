# How the image is built: every source is compiled for the 32-bit kernel and for the 64-bit kernel; the boot code is 32-bit.

CC := gcc
# make V=1 shows every command.
Q := $(if $(V),,@)
OBJCOPY := objcopy
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow
FREESTANDING := -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing \
                -fno-delete-null-pointer-checks -mgeneral-regs-only -g -Isrc -MMD -MP
CFLAGS_32 := -m32 -march=i486 -mtune=generic -mno-red-zone
CFLAGS_64 := -m64 -mno-red-zone -mcmodel=small
OPT := -O2

PURE := $(sort $(wildcard src/lib/*.c src/term/*.c src/paging/*.c src/lab/*.c src/check/*.c src/measure/*.c src/repl/*.c)) src/machine/features.c src/machine/identity.c \
        src/machine/describe.c
METAL := src/boot/kernel.c src/machine/real.c $(sort $(wildcard src/dev/*.c)) \
         $(addprefix src/cpu/,access.c cpuid.c invalidate.c raise.c string.c traps.c access.S raise.S traps_stubs.S) src/dev/font.S
METAL_32 := $(METAL) src/machine/real32.c src/cpu/traps32.c src/cpu/entry32.S
METAL_64 := $(METAL) src/machine/real64.c src/cpu/traps64.c src/cpu/entry64.S
# What the shell reads of docs/lessons.
LESSONS := $(sort $(wildcard docs/lessons/[0-9]*.md))

$(BUILD)/lessons.bin: tools/worksheets tools/lib/worksheet_format.py tools/lib/worksheet_shell.py $(LESSONS)
	@mkdir -p $(@D)
	$(Q)tools/worksheets compile $@

BOOT := src/boot/boot.S src/boot/boot.c src/machine/identity.c src/machine/features.c src/machine/describe.c src/cpu/cpuid.c src/cpu/string.c

objects = $(patsubst src/%,$(BUILD)/$(1)/%.o,$(2))
OBJ_32 := $(call objects,32,$(PURE) $(METAL_32))
OBJ_64 := $(call objects,64,$(PURE) $(METAL_64))
OBJ_BOOT := $(call objects,boot,$(BOOT))

$(BUILD)/32/%.o: src/%
	@mkdir -p $(@D)
	$(Q)$(CC) $(FREESTANDING) $(CFLAGS_32) $(OPT) $(WARNINGS) -c $< -o $@

$(BUILD)/64/%.o: src/%
	@mkdir -p $(@D)
	$(Q)$(CC) $(FREESTANDING) $(CFLAGS_64) $(OPT) $(WARNINGS) -c $< -o $@

$(BUILD)/boot/%.o: src/%
	@mkdir -p $(@D)
	$(Q)$(CC) $(FREESTANDING) $(CFLAGS_32) -Os $(WARNINGS) -c $< -o $@

# The characters that are drawn in a framebuffer: Unifont, as GRUB has it.
FONT := /usr/share/grub/ascii.pf2

$(BUILD)/font.bin: tools/font $(FONT)
	@mkdir -p $(@D)
	$(Q)tools/font $(FONT) $@

$(BUILD)/32/dev/font.S.o $(BUILD)/64/dev/font.S.o: $(BUILD)/font.bin
$(BUILD)/32/dev/font.S.o $(BUILD)/64/dev/font.S.o: FREESTANDING += -Wa,-I$(BUILD)

$(BUILD)/kernel%.lds: src/boot/kernel.lds.S src/machine/layout.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -Isrc -include src/machine/layout.h -DKERNEL_BASE=LAYOUT_KERNEL$* -DKERNEL_END=LAYOUT_KERNEL$*_END $< -o $@

$(BUILD)/kernel32.elf: $(OBJ_32) $(BUILD)/kernel32.lds
	$(Q)$(CC) -m32 -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments -T $(BUILD)/kernel32.lds $(OBJ_32) -lgcc -o $@

$(BUILD)/kernel64.elf: $(OBJ_64) $(BUILD)/kernel64.lds
	$(Q)$(CC) -m64 -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments,-z,max-page-size=4096 -T $(BUILD)/kernel64.lds $(OBJ_64) -lgcc -o $@

$(BUILD)/kernel%.bin: $(BUILD)/kernel%.elf
	$(Q)$(OBJCOPY) -O binary $< $@

# Names for the Bochs debugger.
$(BUILD)/kernel%.sym: $(BUILD)/kernel%.elf
	$(Q)nm $< | awk '{print $$1" "$$3}' >$@

$(BUILD)/tlbsh.lds: src/boot/tlbsh.lds.S src/machine/layout.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -Isrc $< -o $@

$(BUILD)/boot/images.o: src/boot/images.S $(BUILD)/kernel32.bin $(BUILD)/kernel64.bin $(BUILD)/lessons.bin
	@mkdir -p $(@D)
	$(Q)$(CC) -m32 -c -Wa,-I$(BUILD) $< -o $@

$(BUILD)/tlbsh.elf: $(OBJ_BOOT) $(BUILD)/boot/images.o $(BUILD)/tlbsh.lds
	$(Q)$(CC) -m32 -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments,-z,max-page-size=4096,-s \
	  -T $(BUILD)/tlbsh.lds $(OBJ_BOOT) $(BUILD)/boot/images.o -o $@

-include $(OBJ_32:.o=.d) $(OBJ_64:.o=.d) $(OBJ_BOOT:.o=.d)

# Host programs: the pure objects, and absent.c for the machine that is not there. That this links is the proof that they are pure.
HOST_CFLAGS := -std=gnu11 -O2 -g -fno-strict-aliasing -Isrc -MMD -MP
OBJ_HOST := $(call objects,host,$(PURE) src/host/absent.c src/host/commands.c src/host/lessons.S)

$(BUILD)/host/%.o: src/%
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(WARNINGS) -c $< -o $@

$(BUILD)/host/host/lessons.S.o: src/host/lessons.S $(BUILD)/lessons.bin
	@mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I$(BUILD) -c $< -o $@

$(BUILD)/commands: $(OBJ_HOST)
	$(Q)$(CC) $(OBJ_HOST) -o $@

-include $(OBJ_HOST:.o=.d)

# The same shell on the simulated machine.
SIM := $(sort $(wildcard src/machine/sim*.c))
OBJ_SIM := $(call objects,host,$(PURE) $(SIM) src/host/tlbsh.c src/host/terminal.c src/host/lessons.S)

$(BUILD)/tlbsh: $(OBJ_SIM)
	$(Q)$(CC) $(OBJ_SIM) -o $@

-include $(OBJ_SIM:.o=.d)

# The measuring code as an ordinary program, for the CPU that this is built on.
OBJ_CAPACITY := $(call objects,host,src/host/capacity.c src/measure/documented.c src/measure/figures.c src/measure/knees.c src/lib/format.c)

$(BUILD)/capacity-host: $(OBJ_CAPACITY)
	$(Q)$(CC) $(OBJ_CAPACITY) -o $@

-include $(OBJ_CAPACITY:.o=.d)

# The ISO boots by BIOS and by UEFI, from a disc or a USB stick. Only the GRUB modules that grub.cfg needs are in it, and GRUB's own files go
# through an uncompressed configuration, which is what boots fastest.
GRUB_MODULES := multiboot2 normal iso9660 part_msdos part_gpt fat serial terminal configfile all_video search test keystatus

$(BUILD)/tlbsh.iso: $(BUILD)/tlbsh.elf grub.cfg $(wildcard iso/*)
	@rm -rf $(BUILD)/iso && mkdir -p $(BUILD)/iso/boot/grub
	$(Q)cp $(BUILD)/tlbsh.elf $(BUILD)/iso/boot/ && cp grub.cfg $(BUILD)/iso/boot/grub/ && cp -r iso/. $(BUILD)/iso/
	$(Q)grub-mkrescue --install-modules="$(GRUB_MODULES)" --locales= --fonts= --themes= -o $@ $(BUILD)/iso >$(BUILD)/iso.log 2>&1 || { cat $(BUILD)/iso.log; exit 1; }
