/* The shape of a TLB, found from outside: TLBs of many shapes, made up here, are found again exactly. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

extern "C" {
#include "measure/geometry.h"
}

#include <vector>

namespace
{

struct Shape {
  unsigned sets, ways, fold; /* fold: so many bits of the page number are folded onto the lowest; 0: none */
  geometry_policy policy;
};

struct Array {
  Shape shape{};
  Random *random = nullptr;
  std::vector<int> page; /* -1: empty */
  std::vector<uint64_t> time;
  std::vector<uint8_t> tree;
  uint64_t now = 0;

  void empty()
  {
    page.assign(shape.sets * shape.ways, -1);
    time.assign(shape.sets * shape.ways, 0);
    tree.assign(shape.sets * shape.ways, 0);
  }
  unsigned set_of(unsigned number) const { return (shape.fold ? number ^ number >> shape.fold : number) & (shape.sets - 1); }
  void used(unsigned set, unsigned way)
  {
    for (unsigned node = way + shape.ways; node > 1; node /= 2)
      tree[set * shape.ways + node / 2] = !(node & 1);
  }
  unsigned victim(unsigned set)
  {
    unsigned at = set * shape.ways, way = 0;
    if (shape.policy == GEOMETRY_RANDOM)
      return (unsigned)random->below(shape.ways);
    if (shape.policy == GEOMETRY_TREE) {
      unsigned node = 1;
      while (node < shape.ways)
        node = 2 * node + tree[at + node];
      return node - shape.ways;
    }
    for (unsigned i = 1; i < shape.ways; i++)
      if (time[at + i] < time[at + way])
        way = i;
    return way;
  }
  bool hit(unsigned number)
  {
    unsigned set = set_of(number), at = set * shape.ways;
    for (unsigned way = 0; way < shape.ways; way++)
      if (page[at + way] == (int)number) {
        if (shape.policy != GEOMETRY_FIFO)
          time[at + way] = ++now;
        used(set, way);
        return true;
      }
    return false;
  }
  void fill(unsigned number)
  {
    unsigned set = set_of(number), at = set * shape.ways, way = 0;
    while (way < shape.ways && page[at + way] >= 0)
      way++;
    if (way == shape.ways)
      way = victim(set);
    page[at + way] = (int)number;
    time[at + way] = ++now;
    used(set, way);
  }
};

struct Tlb {
  Array level[2];
  unsigned levels = 1;
  bool stop = false;
  uint64_t accesses = 0;

  unsigned access(unsigned page)
  {
    accesses++;
    if (level[0].hit(page))
      return 1;
    bool second = levels == 2 && level[1].hit(page);
    if (levels == 2 && !second)
      level[1].fill(page);
    level[0].fill(page);
    return second ? 2 : 0;
  }
};

void oracle_empty(void *context)
{
  for (Array &array : ((Tlb *)context)->level)
    array.empty();
}

void oracle_touch(void *context, unsigned page)
{
  ((Tlb *)context)->access(page);
}

unsigned oracle_found(void *context, unsigned page)
{
  return ((Tlb *)context)->access(page);
}

bool oracle_stop(void *context)
{
  return ((Tlb *)context)->stop;
}

geometry_oracle oracle_of(Tlb &tlb, unsigned bits)
{
  return {bits, oracle_empty, oracle_touch, oracle_found, nullptr, oracle_stop, &tlb};
}

void same(const geometry &found, const Shape &shape)
{
  REQUIRE(found.end == GEOMETRY_FOUND);
  CHECK(found.sets == shape.sets);
  CHECK(found.ways == shape.ways);
  CHECK(geometry_policy_name(found.policy) == geometry_policy_name(shape.ways == 1 ? GEOMETRY_NO_CHOICE : shape.policy));
  Array truth;
  truth.shape = shape;
  for (unsigned page = 0; page < 1u << 12; page++)
    if (geometry_same_set(&found, page, 0) != (truth.set_of(page) == truth.set_of(0)))
      FAIL("page " << page << " is in another set than was found");
}

} // namespace

TEST_CASE("geometry: TLBs of random shapes are found exactly")
{
  uint64_t seed = test_seed();
  Random random(seed);
  for (unsigned round = 0; round < 24; round++) {
    Shape shape{1u << random.below(8), (unsigned)random.below(12) + 1, 0, (geometry_policy)random.below(4)};
    unsigned log2_sets = (unsigned)__builtin_ctz(shape.sets);
    if (log2_sets > 1 && random.coin())
      shape.fold = log2_sets;
    if (shape.policy == GEOMETRY_TREE)
      shape.ways = 1u << random.below(5);
    if (shape.policy == GEOMETRY_RANDOM)
      shape.ways = 2 + (unsigned)random.below(5);
    if (shape.ways == 2 && shape.policy == GEOMETRY_TREE) /* of two, the one that was not used last */
      shape.policy = GEOMETRY_LRU;
    INFO("seed " << seed << " round " << round << ": " << shape.sets << " x " << shape.ways << ", fold " << shape.fold << ", "
                 << geometry_policy_name(shape.policy));
    Tlb tlb;
    tlb.level[0].shape = shape;
    tlb.level[0].random = &random;
    geometry_oracle oracle = oracle_of(tlb, 13);
    same(geometry_find(&oracle, 1, nullptr, random.next()), shape);
  }
}

TEST_CASE("geometry: a second level behind a first")
{
  uint64_t seed = test_seed();
  Random random(seed);
  const Shape firsts[] = {{16, 6, 0, GEOMETRY_LRU}, {32, 8, 0, GEOMETRY_LRU}, {1, 64, 0, GEOMETRY_LRU}, {16, 4, 0, GEOMETRY_TREE}};
  const Shape seconds[] = {{128, 16, 0, GEOMETRY_LRU}, {128, 12, 7, GEOMETRY_LRU}, {256, 8, 0, GEOMETRY_TREE}, {64, 8, 0, GEOMETRY_LRU}};
  for (const Shape &first : firsts)
    for (const Shape &second : seconds) {
      INFO("seed " << seed << ": " << first.sets << " x " << first.ways << " before " << second.sets << " x " << second.ways);
      Tlb tlb;
      tlb.levels = 2;
      tlb.level[0].shape = first;
      tlb.level[1].shape = second;
      geometry_oracle oracle = oracle_of(tlb, 13);
      geometry one = geometry_find(&oracle, 1, nullptr, random.next());
      same(one, first);
      same(geometry_find(&oracle, 2, &one, random.next()), second);
    }
}

TEST_CASE("geometry: what is not there, and what is too large")
{
  Tlb tlb;
  tlb.level[0].shape = {1024, 8, 0, GEOMETRY_LRU};
  geometry_oracle oracle = oracle_of(tlb, 12);
  CHECK(geometry_find(&oracle, 1, nullptr, 1).end == GEOMETRY_BEYOND);
  tlb.stop = true;
  CHECK(geometry_find(&oracle, 1, nullptr, 1).end == GEOMETRY_STOPPED);
  tlb.stop = false;
  oracle.found = [](void *, unsigned) { return 0u; };
  CHECK(geometry_find(&oracle, 1, nullptr, 1).end == GEOMETRY_NONE);
}
