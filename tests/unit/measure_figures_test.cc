/* Figures from samples, and knees from costs. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <algorithm>
#include <vector>

extern "C" {
#include "measure/figures.h"
#include "measure/knees.h"
}

TEST_CASE("figures: order statistics of random samples are those of the sorted samples")
{
  Random random(test_seed());
  for (unsigned round = 0; round < 200; round++) {
    std::vector<uint32_t> samples(1 + random.below(300));
    for (uint32_t &sample : samples)
      sample = (uint32_t)random.below(round % 2 ? 10 : 1u << 31);
    std::vector<uint32_t> sorted = samples;
    std::sort(sorted.begin(), sorted.end());
    struct figures f = figures_of(samples.data(), (unsigned)samples.size());
    REQUIRE(samples == sorted);
    size_t last = sorted.size() - 1;
    CHECK(f.count == sorted.size());
    CHECK(f.least == sorted.front());
    CHECK(f.median == sorted[last / 2]);
    CHECK(f.quarter == sorted[last * 25 / 100]);
    CHECK(f.p99 == sorted[last * 99 / 100]);
    CHECK(f.most == sorted.back());
  }
  CHECK(figures_of(nullptr, 0).count == 0);
}

TEST_CASE("figures: a histogram counts each sample once, in the bin it is in")
{
  Random random(test_seed());
  for (unsigned round = 0; round < 200; round++) {
    std::vector<uint32_t> samples(1 + random.below(300));
    for (uint32_t &sample : samples)
      sample = 100 + (uint32_t)random.below(1 + random.below(1000));
    figures_of(samples.data(), (unsigned)samples.size());
    figures_bin bins[FIGURES_BINS];
    unsigned used = figures_histogram(samples.data(), (unsigned)samples.size(), bins), counted = 0;
    REQUIRE(used >= 1);
    REQUIRE(used <= FIGURES_BINS);
    for (unsigned i = 0; i < used; i++) {
      unsigned inside = 0;
      for (uint32_t sample : samples)
        inside += sample >= bins[i].from && (sample < bins[i].to || i + 1 == used);
      CHECK(bins[i].count == inside);
      counted += bins[i].count;
    }
    CHECK(counted == samples.size());
  }
}

TEST_CASE("figures: a line is fitted, and where two cross")
{
  uint32_t x[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
  uint64_t steep[10], flat[10];
  for (unsigned i = 0; i < 10; i++) {
    steep[i] = 100 + 50 * (uint64_t)x[i];
    flat[i] = 1000 + 20 * (uint64_t)x[i];
  }
  figures_line a = figures_fit(x, steep, 10), b = figures_fit(x, flat, 10);
  CHECK(a.slope / 1024 >= 49);
  CHECK(a.slope / 1024 <= 50);
  CHECK(std::abs(a.intercept - 100) < 60);
  uint32_t crossing = figures_crossing(&a, &b); /* 100 + 50 x = 1000 + 20 x: x = 30 */
  CHECK(crossing >= 27);
  CHECK(crossing <= 33);
  CHECK(figures_crossing(&b, &a) == UINT32_MAX); /* the flat one never passes the steep one from below */
  figures_line below = {10, 1024}, above = {20, 1024};
  CHECK(figures_crossing(&below, &above) == UINT32_MAX);
  CHECK(figures_crossing(&above, &below) == 0);
}

TEST_CASE("figures: lines of the largest values allowed do not overflow")
{
  uint32_t x[24];
  uint64_t y[24];
  for (unsigned i = 0; i < 24; i++) {
    x[i] = 4096u * (i + 1) / 24;
    y[i] = 0xffffffffULL * x[i];
  }
  figures_line line = figures_fit(x, y, 24);
  CHECK(line.slope / 1024 > 0xf0000000LL);
  CHECK(line.slope / 1024 <= 0x100010000LL); /* means are whole numbers */
}

struct Levels {
  unsigned first, second;
  Random *random;
};

/* A CPU with levels of so many entries: behind each, every page that is too many makes some sets of it miss. */
static uint64_t levels_cost(void *context, unsigned pages)
{
  Levels *levels = (Levels *)context;
  auto missing = [pages](unsigned entries) { return std::min(1.0, std::max(0.0, (double)pages / entries - 1) * 8); };
  double ticks = 5 + 7 * missing(levels->first) + 30 * missing(levels->second);
  return (uint64_t)(ticks * 1024) + levels->random->below(200);
}

TEST_CASE("knees: those of two levels are found within a tenth")
{
  Random random(test_seed());
  const unsigned shapes[][2] = {{64, 1536}, {96, 2048}, {72, 3072}, {32, 512}, {48, 1024}, {64, 2048}};
  for (auto &shape : shapes) {
    Levels levels = {shape[0], shape[1], &random};
    knees_clock clock = {levels_cost, &levels, 8192};
    struct knees found;
    knees_find(&clock, &found);
    REQUIRE(found.count == 2);
    for (unsigned i = 0; i < 2; i++) {
      CAPTURE(shape[i]);
      CAPTURE(found.knee[i]);
      CHECK(found.knee[i] * 10 >= shape[i] * 9);
      CHECK(found.knee[i] * 10 <= shape[i] * 11);
    }
  }
}

TEST_CASE("knees: where everything costs the same there are none; and it can be stopped")
{
  struct knees found;
  knees_clock flat = {[](void *, unsigned) -> uint64_t { return 6 * 1024; }, nullptr, 8192};
  knees_find(&flat, &found);
  CHECK(found.count == 0);
  CHECK(found.points > 30);
  knees_clock stopping = {[](void *, unsigned pages) -> uint64_t { return pages < 100 ? 6 * 1024 : 0; }, nullptr, 8192};
  knees_find(&stopping, &found);
  CHECK(found.stopped);
}
