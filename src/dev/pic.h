/* The two 8259A interrupt controllers: vectors 32..47, everything masked but what is asked for. */
#ifndef DEV_PIC_H
#define DEV_PIC_H

#include <stdbool.h>

void pic_init(void);
void pic_enable(unsigned irq);
void pic_acknowledge(unsigned irq);
/** Whether this IRQ 7 or 15 is the controller's own invention (8259A data sheet, "default IR7"). Acknowledges what must be. */
bool pic_spurious(unsigned irq);

#endif
