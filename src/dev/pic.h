/* The two 8259A interrupt controllers: vectors 32..47, everything masked but what is asked for. */
#ifndef DEV_PIC_H
#define DEV_PIC_H

void pic_init(void);

/** Lets @p irq through, to @p handler. */
void pic_enable(unsigned irq, void (*handler)(void));

/** Handles @p irq: calls its handler and acknowledges it. */
void pic_interrupt(unsigned irq);

#endif
