#include "check/product.h"

#include <string.h>

/* ---- states of the control registers ---- */

bool product_has(enum machine_feature feature)
{
  enum machine_mode mode = machine_mode();
  bool here = true;
  if (feature == FEATURE_NX)
    here = mode >= MACHINE_PAE;
  else if (feature == FEATURE_PKU)
    here = mode >= MACHINE_4LEVEL;
  else if (feature == FEATURE_PSE)
    here = mode == MACHINE_32;
  return here && machine_features_have(machine_cpu()->features, feature);
}

/* Key 0 is open always: ring 3's own stack is under it. Key 1 is open, without access, without writes, both. */
#define PKRUS 4u

/* Slowest first: what the meaning of entries depends on. FEATURE_INVLPG stands for the 486, which brought CR0.WP too. */
static const struct dimension {
  uint8_t feature;
  uint8_t choices;
} dimensions[] = {
  {FEATURE_PSE, 2}, {FEATURE_NX, 2}, {FEATURE_PKU, 1 + PKRUS}, {FEATURE_SMEP, 2}, {FEATURE_SMAP, 4}, {FEATURE_INVLPG, 2},
};

#define DIMENSIONS (sizeof dimensions / sizeof dimensions[0])

unsigned product_states(void)
{
  unsigned states = 1;
  for (unsigned i = 0; i < DIMENSIONS; i++)
    states *= product_has((enum machine_feature)dimensions[i].feature) ? dimensions[i].choices : 1;
  return states;
}

/* Takes the choice of @p feature off @p index. */
static unsigned choice(unsigned *index, enum machine_feature feature)
{
  unsigned choices = 1;
  for (unsigned i = 0; i < DIMENSIONS && product_has(feature); i++)
    if (dimensions[i].feature == feature)
      choices = dimensions[i].choices;
  unsigned chosen = *index % choices;
  *index /= choices;
  return chosen;
}

struct product_state product_state(unsigned index)
{
  struct product_state state = {.wp = !product_has(FEATURE_INVLPG) || choice(&index, FEATURE_INVLPG)};
  unsigned smap = choice(&index, FEATURE_SMAP);
  state.smap = smap & 1;
  state.ac = smap & 2;
  state.smep = choice(&index, FEATURE_SMEP);
  unsigned pku = choice(&index, FEATURE_PKU);
  state.pke = pku > 0;
  state.pkru = pku > 0 ? (pku - 1) << 2 : 0;
  state.nxe = choice(&index, FEATURE_NX);
  state.pse = choice(&index, FEATURE_PSE);
  return state;
}

static uint64_t kept[REGISTERS];

static uint64_t with(uint64_t value, uint64_t bit, enum machine_feature feature, bool on)
{
  if (!product_has(feature))
    return value;
  return on ? value | bit : value & ~bit;
}

static uint64_t register_in(enum machine_register reg, const struct product_state *state)
{
  uint64_t value = kept[reg];
  if (reg == REGISTER_CR0)
    return with(value, CR0_WP, FEATURE_INVLPG, state->wp);
  if (reg == REGISTER_EFER)
    return with(value, EFER_NXE, FEATURE_NX, state->nxe);
  if (reg == REGISTER_PKRU)
    return state->pkru;
  value = with(value, CR4_SMEP, FEATURE_SMEP, state->smep);
  value = with(value, CR4_SMAP, FEATURE_SMAP, state->smap);
  value = with(value, CR4_PKE, FEATURE_PKU, state->pke);
  return with(value, CR4_PSE, FEATURE_PSE, state->pse);
}

struct paging product_paging(const struct product_state *state)
{
  struct paging paging = *lab_paging();
  uint64_t cr4 = register_in(REGISTER_CR4, state), efer = register_in(REGISTER_EFER, state);
  paging.conditions = format_conditions(machine_cpu()->features, cr4, efer);
  paging.wp = (register_in(REGISTER_CR0, state) & CR0_WP) != 0;
  paging.smep = (cr4 & CR4_SMEP) != 0;
  paging.smap = (cr4 & CR4_SMAP) != 0;
  paging.pke = (cr4 & CR4_PKE) != 0;
  paging.nxe = (efer & EFER_NXE) != 0;
  paging.ac = state->ac;
  paging.pkru = state->pkru;
  return paging;
}

void product_keep(void)
{
  for (unsigned i = 0; i < REGISTERS; i++)
    kept[i] = machine_register_read((enum machine_register)i);
}

static bool write_changed(enum machine_register reg, uint64_t value)
{
  return machine_register_read(reg) == value || !lab_register_write(reg, value).raised;
}

bool product_enter(const struct product_state *state)
{
  bool done = write_changed(REGISTER_CR0, register_in(REGISTER_CR0, state));
  done = write_changed(REGISTER_CR4, register_in(REGISTER_CR4, state)) && done;
  done = write_changed(REGISTER_EFER, register_in(REGISTER_EFER, state)) && done;
  return (!state->pke || write_changed(REGISTER_PKRU, state->pkru)) && done;
}

void product_restore(void)
{
  bool had_keys = kept[REGISTER_CR4] & CR4_PKE;
  if (machine_register_read(REGISTER_CR4) & CR4_PKE)
    write_changed(REGISTER_PKRU, had_keys ? kept[REGISTER_PKRU] : 0);
  write_changed(REGISTER_CR0, kept[REGISTER_CR0]);
  write_changed(REGISTER_CR4, kept[REGISTER_CR4]);
  write_changed(REGISTER_EFER, kept[REGISTER_EFER]);
  if (had_keys)
    write_changed(REGISTER_PKRU, kept[REGISTER_PKRU]);
}

/* ---- values of entries ---- */

static struct product_level levels[FORMAT_LEVELS_MAX];

/* The flags that are combined in entries of a level. */
enum { FLAG_P, FLAG_RW, FLAG_US, FLAG_A, FLAG_NX, FLAG_PS, FLAG_RSVD, FLAG_D, FLAG_KEY, FLAGS };

#define PS_BIT (1ULL << 7) /* PS, or a PTE's PAT, or reserved: it is in the product at each level */

static uint64_t role_bit(const struct format_level *l, enum field_role role)
{
  const struct format_field *f = format_field_of(l->leaf_fields ? l->leaf_fields : l->table_fields, role);
  return f ? 1ULL << f->low : 0;
}

/* The highest bit below XD that is reserved in a leaf, or else in an entry that refers to a table; 0 where there is none. */
static uint64_t reserved_bit(const struct paging *paging, unsigned level)
{
  const struct format_level *l = &paging->format->level[level];
  uint64_t leaf = l->leaf_fields ? format_reserved(paging, level, 1 | PS_BIT) : 0;
  uint64_t mask = (leaf ? leaf : format_reserved(paging, level, 1)) & ~(1ULL << 63 | PS_BIT);
  uint64_t bit = mask;
  while (bit & (bit - 1))
    bit &= bit - 1;
  return bit;
}

static void flags_of(const struct paging *paging, unsigned level, uint64_t flag[FLAGS])
{
  const struct format_level *l = &paging->format->level[level];
  flag[FLAG_P] = role_bit(l, ROLE_P);
  flag[FLAG_RW] = role_bit(l, ROLE_RW);
  flag[FLAG_US] = role_bit(l, ROLE_US);
  flag[FLAG_A] = role_bit(l, ROLE_A);
  flag[FLAG_NX] = product_has(FEATURE_NX) ? role_bit(l, ROLE_NX) : 0;
  flag[FLAG_PS] = PS_BIT;
  flag[FLAG_RSVD] = reserved_bit(paging, level);
  flag[FLAG_D] = role_bit(l, ROLE_D);
  flag[FLAG_KEY] = product_has(FEATURE_PKU) ? role_bit(l, ROLE_PK) : 0;
}

static uint8_t rights_of(const struct walk *walk)
{
  return (uint8_t)((walk->writable ? PRODUCT_W : 0) | (walk->user ? PRODUCT_U : 0) | (walk->executable ? PRODUCT_X : 0));
}

static void end_add(struct product_level *to, const struct paging *paging, unsigned level, const struct walk *walk, uint64_t value)
{
  static const uint8_t ends[] = {[WALK_NOT_PRESENT] = PRODUCT_NOT_PRESENT, [WALK_RESERVED] = PRODUCT_RESERVED};
  static const uint8_t samples[] = {[WALK_MAPPED] = 0, [WALK_NOT_PRESENT] = 1, [WALK_RESERVED] = 2};
  uint8_t kind = walk->end == WALK_MAPPED ? (uint8_t)(rights_of(walk) | (walk->key ? PRODUCT_KEY : 0)) : ends[walk->end];
  to->end[to->ends] = value;
  to->kind[to->ends] = kind;
  to->leaf[to->ends] = format_is_leaf(paging, level, value);
  to->ends++;
  to->sample[samples[walk->end]] = *walk;
  to->has[samples[walk->end]] = true;
  if (kind != PRODUCT_NOT_PRESENT)
    to->a[kind] = format_mask(paging, level, value, ROLE_A);
  if (walk->end == WALK_MAPPED)
    to->d[kind] = format_mask(paging, level, value, ROLE_D);
}

static void table_add(struct product_level *to, const struct walk *walk, uint64_t value)
{
  to->table[to->tables] = value;
  to->rights[to->tables++] = rights_of(walk);
}

/* Every combination of the flags there are, told apart by how a walk goes on from it. @p above: the walk so far. */
static void values_make(struct product_level *to, const struct paging *paging, unsigned level, const struct walk *above)
{
  uint64_t flag[FLAGS];
  flags_of(paging, level, flag);
  to->ends = to->tables = 0;
  memset(to->a, 0, sizeof to->a);
  memset(to->d, 0, sizeof to->d);
  memset(to->has, 0, sizeof to->has);
  for (unsigned combination = 0; combination < 1u << FLAGS; combination++) {
    uint64_t value = 0;
    bool exists = true;
    for (unsigned i = 0; i < FLAGS; i++)
      if (combination >> i & 1) {
        exists = exists && flag[i];
        value |= flag[i];
      }
    struct walk walk = *above;
    if (!exists)
      continue;
    if (!walk_enter(paging, &walk, paddr(0), value))
      end_add(to, paging, level, &walk, value);
    else if (!(value & (flag[FLAG_PS] | flag[FLAG_RSVD] | flag[FLAG_D] | flag[FLAG_KEY])))
      table_add(to, &walk, value);
  }
  to->table_a = format_mask(paging, level, 1, ROLE_A);
}

/* A PDPTE of PAE paging has no rights, and is checked when CR3 is loaded: the group `pae` looks at that. */
static void latched_root(struct product_level *to)
{
  to->ends = 0;
  to->tables = 1;
  to->table[0] = 1;
  to->rights[0] = PRODUCT_RIGHTS;
  to->table_a = 0;
}

const struct product_level *product_levels(const struct paging *paging)
{
  static struct paging made;
  if (made.format == paging->format && made.conditions == paging->conditions && made.maxphyaddr == paging->maxphyaddr)
    return levels;
  struct walk above;
  walk_begin(paging, laddr(0), &above);
  for (unsigned i = 0; i < paging->format->levels; i++) {
    if (i == 0 && paging->format->root_latched)
      latched_root(&levels[i]);
    else
      values_make(&levels[i], paging, i, &above);
    if (i + 1u == paging->format->levels)
      break;
    uint64_t widest = 1 | (i == 0 && paging->format->root_latched
                             ? 0
                             : role_bit(&paging->format->level[i], ROLE_RW) | role_bit(&paging->format->level[i], ROLE_US));
    walk_enter(paging, &above, paddr(0), widest);
  }
  made = *paging;
  return levels;
}

uint32_t product_expect(const struct paging *paging, const struct product_level *level, unsigned kind, enum machine_op op, unsigned cpl)
{
  unsigned sample = kind == PRODUCT_NOT_PRESENT ? 1 : kind == PRODUCT_RESERVED ? 2 : 0;
  if (!level->has[sample])
    return 0;
  struct walk walk = level->sample[sample];
  if (sample == 0) {
    walk.writable = kind & PRODUCT_W;
    walk.user = kind & PRODUCT_U;
    walk.executable = kind & PRODUCT_X;
    walk.key = kind & PRODUCT_KEY ? 1 : 0;
  }
  struct rights rights = rights_check(paging, &walk, op, cpl);
  return rights.allowed ? 0 : MACHINE_CAME(rights.vector, rights.error);
}
