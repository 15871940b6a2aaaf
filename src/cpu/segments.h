/* Selectors of the kernel's GDT. Read by C and by assembly. */
#ifndef CPU_SEGMENTS_H
#define CPU_SEGMENTS_H

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_USER_CODE 0x1b   /* RPL 3 */
#define SELECTOR_USER_DATA 0x23   /* RPL 3 */
#define SELECTOR_SCRATCH 0x2b     /* RPL 3: INVLPG's experiments with bases and limits */
#define SELECTOR_NOT_PRESENT 0x33 /* RPL 3: a data segment with P = 0 */
#define SELECTOR_TSS 0x38         /* two slots in the 64-bit kernel */
#define SELECTOR_OTHER_TSS 0x40   /* 32-bit only: the second of the two tasks that task switches go between */
#define SELECTOR_DF_TSS 0x48      /* 32-bit only: the double-fault task */
#define GDT_SLOTS 10

#endif
