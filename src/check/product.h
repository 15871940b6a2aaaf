/* The product of `check rights`: which control-register states there are here, and which values an entry at each level can have. */
#ifndef CHECK_PRODUCT_H
#define CHECK_PRODUCT_H

#include "lab/lab.h"

/* ---- states of the control registers ---- */

struct product_state {
  bool wp, smep, smap, ac, nxe, pse, pke;
  uint32_t pkru;
};

/** What this CPU and this mode have of them. */
bool product_has(enum machine_feature feature);

unsigned product_states(void);
/** State number @p index. Those that differ only in what the rights check looks at, and not in what entries mean, follow each other. */
struct product_state product_state(unsigned index);

/** What paging_read() would read in that state. */
struct paging product_paging(const struct product_state *state);

/** Keeps the control registers, brings them into a state (false where the CPU refused), and puts them back. */
void product_keep(void);
bool product_enter(const struct product_state *state);
void product_restore(void);

/* ---- values of entries ---- */

/* What comes of a value at the end of a walk: the rights that it leaves, and whether its key is 1; or that the walk ends otherwise. */
#define PRODUCT_W 1u
#define PRODUCT_U 2u
#define PRODUCT_X 4u
#define PRODUCT_KEY 8u
#define PRODUCT_RIGHTS (PRODUCT_W | PRODUCT_U | PRODUCT_X)
enum { PRODUCT_NOT_PRESENT = 16, PRODUCT_RESERVED, PRODUCT_KINDS };

#define PRODUCT_ENDS 512
#define PRODUCT_TABLES 16

struct product_level {
  /* Values that end a walk. The address is not in them: which page a leaf maps is up to who uses it. */
  unsigned ends;
  uint64_t end[PRODUCT_ENDS];
  uint8_t kind[PRODUCT_ENDS];
  bool leaf[PRODUCT_ENDS];
  uint64_t a[PRODUCT_KINDS], d[PRODUCT_KINDS]; /* the flags that entries of each kind have */
  /* Values that refer to a table: the combinations of R/W, U/S, XD and A. */
  unsigned tables;
  uint64_t table[PRODUCT_TABLES];
  uint8_t rights[PRODUCT_TABLES]; /* PRODUCT_W, U, X */
  uint64_t table_a;
  struct walk sample[3]; /* a walk that ends here mapped, not present, reserved */
  bool has[3];
};

/** All values of all levels as they are with @p paging; the same pointer each time. Made only where something changed that they depend on.
 */
const struct product_level *product_levels(const struct paging *paging);

/** What must come of an access to an address whose walk ends at @p level with @p kind: 0, or MACHINE_CAME. */
uint32_t product_expect(const struct paging *paging, const struct product_level *level, unsigned kind, enum machine_op op, unsigned cpl);

#endif
