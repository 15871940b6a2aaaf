/* Access rights and page-fault error codes. Source: SDM Vol. 3A, "Determination of Access Rights" and "Page-Fault Exceptions". */
#ifndef PAGING_RIGHTS_H
#define PAGING_RIGHTS_H

#include "paging/walk.h"

/* The page-fault error code.
 *   31         15    6   5  4    3    2   1   0
 *  +-----------+---+---+--+---+----+---+---+---+
 *  |  reserved |SGX|...|PK|I/D|RSVD|U/S|W/R| P |
 *  +-----------+---+---+--+---+----+---+---+---+ */
#define PF_P (1u << 0)
#define PF_WR (1u << 1)
#define PF_US (1u << 2)
#define PF_RSVD (1u << 3)
#define PF_ID (1u << 4)
#define PF_PK (1u << 5)

struct rights {
  bool allowed;
  uint8_t vector;     /* when not allowed: VECTOR_PF, or VECTOR_GP for a non-canonical address */
  uint32_t error;     /* the error code that the architecture asks for */
  const char *reason; /* one line: which rule or which entry refused; a literal */
};

/** What the tables alone say about this access: allowed, or the fault it must raise. */
struct rights rights_check(const struct paging *paging, const struct walk *walk, enum machine_op op, unsigned cpl);

/** A page-fault error code as words, "P W U", "W", "P I" ... into @p text. Returns @p text. */
char *rights_error_flags(uint32_t error, char *text, unsigned size);

#endif
