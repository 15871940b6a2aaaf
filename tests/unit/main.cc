/* The unit tests' main(). Tests that draw random numbers take them from one seed, printed here. */
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <cstdio>

int main(int argc, char **argv)
{
  std::printf("seed %llu (TLBSH_SEED=%llu repeats this run)\n", (unsigned long long)test_seed(), (unsigned long long)test_seed());
  doctest::Context context(argc, argv);
  return context.run();
}
