#include "paging/rights.h"

#include <string.h>

/* PKRU holds two bits per protection key:
 *     2k+1  2k
 *   +-----+-----+
 *   | WDk | ADk |   WD: no writes; AD: no data accesses at all
 *   +-----+-----+ */
static bool key_refuses(const struct paging *paging, const struct walk *walk, enum machine_op op, unsigned cpl)
{
  const struct walk_step *leaf = walk_last(walk);
  /* Keys exist only where the format has them, only for user-mode addresses, and not for instruction fetches. */
  if (!paging->pke || !leaf || !format_mask(paging, leaf->level, leaf->entry, ROLE_PK))
    return false;
  if (!walk->user || op == OP_EXEC)
    return false;
  bool access_disable = paging->pkru >> (2 * walk->key) & 1;
  bool write_disable = paging->pkru >> (2 * walk->key + 1) & 1;
  return access_disable || (write_disable && op == OP_WRITE && (cpl == 3 || paging->wp));
}

/* The first rule that refuses an access to an address that the tables do map; NULL where none does. */
static const char *refusal(const struct paging *paging, const struct walk *walk, enum machine_op op, unsigned cpl)
{
  bool user_mode = cpl == 3;
  if (user_mode && !walk->user)
    return "U/S is 0 in some entry and the access is a user-mode access";
  if (op == OP_EXEC && !user_mode && walk->user && paging->smep) {
    return "CR4.SMEP is 1: supervisor mode may not fetch from a user-mode address";
  }
  if (op != OP_EXEC && !user_mode && walk->user && paging->smap && !paging->ac) {
    return "CR4.SMAP is 1 and EFLAGS.AC is 0: supervisor mode may not access data at a user-mode address";
  }
  if (op == OP_WRITE && user_mode && !walk->writable)
    return "R/W is 0 in some entry and the access is a user-mode write";
  if (op == OP_WRITE && !user_mode && !walk->writable && paging->wp)
    return "R/W is 0 in some entry and CR0.WP is 1";
  if (op == OP_EXEC && !walk->executable)
    return "XD is 1 in some entry";
  return NULL;
}

/* The bits of the error code that describe the access and not the tables. I/D exists only with CR4.SMEP, or with EFER.NXE and
 * CR4.PAE; the formats of CR4.PAE are those with entries of 8 bytes. */
static uint32_t access_error(const struct paging *paging, enum machine_op op, unsigned cpl)
{
  uint32_t error = 0;
  bool tells_fetches = paging->smep || (paging->nxe && paging->format->entry_bytes == 8);
  if (op == OP_WRITE)
    error |= PF_WR;
  if (cpl == 3)
    error |= PF_US;
  if (op == OP_EXEC && tells_fetches)
    error |= PF_ID;
  return error;
}

static struct rights page_fault(uint32_t error, const char *reason)
{
  struct rights rights = {false, VECTOR_PF, error, reason};
  return rights;
}

struct rights rights_check(const struct paging *paging, const struct walk *walk, enum machine_op op, unsigned cpl)
{
  struct rights allowed = {true, 0, 0, "the tables allow it"};
  struct rights general_protection = {false, VECTOR_GP, 0, "the address is not canonical"};
  if (walk->end == WALK_NOT_CANONICAL)
    return general_protection;
  if (!paging->format)
    return allowed;
  uint32_t error = access_error(paging, op, cpl);
  if (walk->end == WALK_NOT_PRESENT)
    return page_fault(error, "P is 0 in the last entry of the walk");
  if (walk->end == WALK_RESERVED)
    return page_fault(error | PF_P | PF_RSVD, "a reserved bit is 1 in the last entry of the walk");
  if (walk->end == WALK_NO_MEMORY)
    return page_fault(error, "an entry lies where there is no RAM: what the CPU reads there is unknown");
  /* PK is set whenever the key refuses, even if another rule does too, so the reason names the key then. */
  if (key_refuses(paging, walk, op, cpl))
    return page_fault(error | PF_P | PF_PK, "PKRU refuses the page's protection key");
  const char *reason = refusal(paging, walk, op, cpl);
  return reason ? page_fault(error | PF_P, reason) : allowed;
}

static const struct {
  uint32_t bit;
  const char *word;
} error_words[] = {
  {PF_P, "P"}, {PF_WR, "W"}, {PF_US, "U"}, {PF_RSVD, "RSVD"}, {PF_ID, "I"}, {PF_PK, "PK"},
};

char *rights_error_flags(uint32_t error, char *text, unsigned size)
{
  unsigned length = 0;
  if (size)
    text[0] = 0;
  for (unsigned i = 0; i < sizeof error_words / sizeof error_words[0]; i++) {
    unsigned need = (unsigned)strlen(error_words[i].word) + (length ? 1 : 0);
    if (!(error & error_words[i].bit) || length + need >= size)
      continue;
    if (length)
      text[length++] = ' ';
    for (const char *c = error_words[i].word; *c; c++)
      text[length++] = *c;
    text[length] = 0;
  }
  return text;
}
