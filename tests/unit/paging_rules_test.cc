/* The rows of the rules: complete, and each name that the code asks for is there. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_lab.h"

#include <set>
#include <string>

static const unsigned VENDORS[] = {RULE_INTEL, RULE_AMD, RULE_CYRIX};

TEST_CASE("rules: each row has a name of its own, a sentence and a section")
{
  std::set<std::string> names;
  for (const struct rule *r = rules; r->name; r++) {
    CAPTURE(std::string(r->name));
    CHECK(names.insert(r->name).second);
    CHECK(rules_named(r->name) == r);
    CHECK(r->says != nullptr);
    CHECK(std::string(r->says).size() > 10);
    CHECK(std::string(r->says).back() != '.');
    CHECK(r->sdm != nullptr);
    CHECK(!std::string(r->sdm).empty());
    CHECK(r->vendors != 0);
    CHECK((r->vendors & ~(unsigned)RULE_ANY) == 0);
    CHECK((r->kind == RULE_OPERATION) == (r->operation != OPERATION_NONE));
    CHECK(r->class_ <= RULE_PLATFORM);
  }
  CHECK(rules_named("no such rule") == nullptr);
  CHECK(rules_named("") == nullptr);
  CHECK(rules_named("table") == nullptr);
}

TEST_CASE("rules: each operation has exactly one on each maker's CPUs")
{
  for (unsigned operation = OPERATION_NONE + 1; operation < OPERATIONS; operation++)
    for (unsigned vendor : VENDORS) {
      unsigned found = 0;
      for (const struct rule *r = rules; r->name; r++)
        found += r->kind == RULE_OPERATION && r->operation == operation && r->vendors & vendor;
      CAPTURE(operation);
      CAPTURE(vendor);
      CHECK(found == 1);
      const struct rule *rule = rules_of_operation((enum rule_operation)operation, vendor);
      CHECK(rule->operation == operation);
      /* Whatever drops translations drops the paging-structure caches that lead to them too: the model relies on it. */
      CHECK(rule->caches >= rule->tlb);
    }
}

TEST_CASE("rules: classes and makers")
{
  CHECK(std::string(rules_class_name(RULE_MUST)) == "MUST");
  CHECK(std::string(rules_class_name(RULE_MAY)) == "MAY");
  CHECK(std::string(rules_class_name(RULE_PLATFORM)) == "PLATFORM");
  CHECK(rules_vendor("GenuineIntel") == RULE_INTEL);
  CHECK(rules_vendor("AuthenticAMD") == RULE_AMD);
  CHECK(rules_vendor("HygonGenuine") == RULE_AMD);
  CHECK(rules_vendor("CyrixInstead") == RULE_CYRIX);
  CHECK(rules_vendor("") == RULE_INTEL);
}
