#include "cryoscape/structure/residue_selection.hpp"

#include <gtest/gtest.h>

#include "cryoscape/structure/test_models.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

/// Chain A with residues -2 … 3, chain B with 1 … 4; one bead each, in this order.
BeadModel two_chains() {
  io::AtomicModel model;
  for (int number = -2; number <= 3; ++number)
    add_residue(model, {"LEU", "A", number}, {{"CA", 6, {3.8f * static_cast<float>(number), 0, 0}}});
  for (int number = 1; number <= 4; ++number)
    add_residue(model, {"LEU", "B", number}, {{"CA", 6, {3.8f * static_cast<float>(number), 20, 0}}});
  return make_beads(model, BeadLevel::residue);
}

using Beads = std::vector<std::uint32_t>;

}  // namespace

TEST(SelectResidues, NamesChainsRangesAndTheirUnion) {
  const auto beads = two_chains();
  EXPECT_EQ(select_residues(beads, "A:1-3"), (Beads{3, 4, 5}));
  EXPECT_EQ(select_residues(beads, "B:4"), (Beads{9}));
  EXPECT_EQ(select_residues(beads, "2-3"), (Beads{4, 5, 7, 8}));
  EXPECT_EQ(select_residues(beads, "B:"), (Beads{6, 7, 8, 9}));
  EXPECT_EQ(select_residues(beads, "A:-2--1"), (Beads{0, 1}));
  EXPECT_EQ(select_residues(beads, "B:1+A:3+A:2-3"), (Beads{4, 5, 6}));
}

TEST(SelectResidues, SaysWhatIsWrong) {
  const auto beads = two_chains();
  for (const char* text : {"", "A:1-3+", "A:x", "A:1-2-3", "A:B:1"})
    EXPECT_NE(error_of([&] { select_residues(beads, text); }).find("no selection of residues"),
              std::string::npos)
        << text;
  EXPECT_NE(error_of([&] { select_residues(beads, "A:1+C:1"); }).find("'C:1'"), std::string::npos);
  EXPECT_NE(error_of([&] { select_residues(beads, "A:3-1"); }).find("no range"), std::string::npos);
  EXPECT_NE(error_of([&] { select_residues(beads, "99999999999"); }).find("too large"), std::string::npos);
}
