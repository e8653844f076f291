#include "cryoscape/structure/allatom.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/structure/test_models.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

io::AtomicModel mixture() {
  io::AtomicModel model;
  Philox random(1);
  io::AtomicModel trace;
  add_chain(trace, "A", 20, {0, 0, 0}, random);
  for (const auto& ca : trace.atoms) {
    const auto p = ca.position;
    add_residue(model, {"ALA", "A", ca.residue_number},
                {{"N", 7, {p[0] - 1, p[1], p[2]}}, {"CA", 6, p}, {"CB", 6, {p[0], p[1] + 1.5f, p[2]}}});
  }
  add_residue(model, {"ALA", "A", 99}, {{"N", 7, {50, 0, 0}}, {"CA", 6, {51.5f, 0, 0}}});  // alone
  for (int n = 0; n < 4; ++n)
    add_nucleotide(model, "B", n + 1, {30 + 5.0f * static_cast<float>(n), 5, 0}, n > 0);
  std::vector<Atom> atoms;
  for (int i = 0; i < 20; ++i)
    atoms.push_back(
        {"C" + std::to_string(i), 6, {static_cast<float>(i), 30, 0.1f * static_cast<float>(i * i)}});
  add_residue(model, {"LIG", "C", 1}, atoms, io::Polymer::other);
  add_residue(model, {"HOH", "C", 2}, {{"O", 8, {9, 9, 9}}}, io::Polymer::other);
  model.atoms.back().water = true;
  return model;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

}  // namespace

TEST(AllAtomBuilder, BeadsAtRestGiveTheReference) {
  const auto model = mixture();
  for (const auto level : {BeadLevel::residue, BeadLevel::all_atom}) {
    const auto beads = make_beads(model, level);
    EXPECT_LT(
        largest_difference(AllAtomBuilder(model, beads).build(beads.coordinates), io::positions_of(model)),
        1e-4);
  }
}

TEST(AllAtomBuilder, FollowsARigidMotionWithEveryAtom) {
  const auto model = mixture();
  Philox random(2);
  const geometry::Rigid motion{geometry::random_rotation(random), {10, -20, 30}};
  for (const auto level : {BeadLevel::residue, BeadLevel::all_atom}) {
    const auto beads = make_beads(model, level);
    const auto moved = AllAtomBuilder(model, beads).build(geometry::transformed(motion, beads.coordinates));
    EXPECT_LT(largest_difference(moved, geometry::transformed(motion, io::positions_of(model))), 2e-3);
  }
}

TEST(AllAtomBuilder, TheResiduesOwnBeadLandsExactly) {
  const auto model = mixture();
  const auto beads = make_beads(model, BeadLevel::residue);
  Philox random(3);
  auto x = beads.coordinates;
  for (float& v : x) v += static_cast<float>(random.normal());
  const auto moved = AllAtomBuilder(model, beads).build(x);
  std::size_t checked = 0;
  for (std::size_t b = 0; b < beads.size(); ++b) {
    if (beads.kinds[b] != BeadKind::protein && beads.kinds[b] != BeadKind::phosphate) continue;
    for (std::size_t a = 0; a < model.atoms.size(); ++a) {
      if (!io::same_residue(model.atoms[a], beads.records.atoms[b]) ||
          model.atoms[a].name != beads.records.atoms[b].name)
        continue;
      for (int k = 0; k < 3; ++k) EXPECT_NEAR(moved[3 * a + k], x[3 * b + k], 1e-5);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 21u + 3);
}

TEST(AllAtomBuilder, AResidueTurnsWithItsNeighboursAlongTheChainOnly) {
  const auto model = mixture();
  const auto beads = make_beads(model, BeadLevel::residue);
  const AllAtomBuilder builder(model, beads);
  const auto rest = builder.build(beads.coordinates);
  constexpr std::size_t kResidue = 10;  // of three atoms each
  for (std::size_t b = 0; b < beads.size(); ++b) {
    if (b == kResidue) continue;
    auto x = beads.coordinates;
    x[3 * b] += 1, x[3 * b + 1] += 1, x[3 * b + 2] -= 1;
    const auto moved = builder.build(x);
    const double turn = largest_difference(std::span(moved).subspan(9 * kResidue, 9),
                                           std::span(rest).subspan(9 * kResidue, 9));
    if (b + 1 == kResidue || b == kResidue + 1)
      EXPECT_GT(turn, 0.05) << b;
    else
      EXPECT_EQ(turn, 0) << b;
  }
}

TEST(AllAtomBuilder, AtomsThatAreBeadsLandExactly) {
  const auto model = mixture();
  const auto beads = make_beads(model, BeadLevel::all_atom);
  Philox random(4);
  auto x = beads.coordinates;
  for (float& v : x) v += static_cast<float>(random.normal());
  const auto moved = AllAtomBuilder(model, beads).build(x);
  // The model has no hydrogens, and one water at the end.
  ASSERT_EQ(x.size() + 3, moved.size());
  EXPECT_EQ(largest_difference(x, std::span(moved).first(x.size())), 0);
}

TEST(AllAtomBuilder, ResiduesKeepTheirShape) {
  const auto model = mixture();
  const auto beads = make_beads(model, BeadLevel::residue);
  Philox random(5);
  auto x = beads.coordinates;
  for (float& v : x) v += static_cast<float>(0.5 * random.normal());
  const auto moved = AllAtomBuilder(model, beads).build(x), rest = io::positions_of(model);
  for (std::size_t i = 0; i < model.atoms.size(); ++i)
    for (std::size_t j = i + 1; j < model.atoms.size() && io::same_residue(model.atoms[i], model.atoms[j]);
         ++j) {
      const auto distance = [&](const std::vector<float>& p) {
        return std::hypot(p[3 * i] - p[3 * j], p[3 * i + 1] - p[3 * j + 1], p[3 * i + 2] - p[3 * j + 2]);
      };
      EXPECT_NEAR(distance(moved), distance(rest), 1e-3);
    }
}

TEST(AllAtomBuilder, ModelsOfOneOrTwoBeadsDoNotSpin) {
  io::AtomicModel model;
  add_residue(model, {"ALA", "A", 1}, {{"N", 7, {-1, 0, 0}}, {"CA", 6, {0, 0, 0}}, {"CB", 6, {0, 1.5f, 0}}});
  for (const int residues : {1, 2}) {
    if (residues == 2)
      add_residue(model, {"ALA", "A", 2}, {{"CA", 6, {3.8f, 0, 0}}, {"CB", 6, {3.8f, -1.5f, 0}}});
    const auto beads = make_beads(model, BeadLevel::residue);
    auto x = beads.coordinates;
    for (std::size_t i = 0; i < x.size(); i += 3) x[i] += 2, x[i + 1] -= 1;
    auto expected = io::positions_of(model);
    for (std::size_t i = 0; i < expected.size(); i += 3) expected[i] += 2, expected[i + 1] -= 1;
    EXPECT_LT(largest_difference(AllAtomBuilder(model, beads).build(x), expected), 1e-3);
  }
}

TEST(AllAtomBuilder, RebuildsAnotherStateFromItsCA) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "no shared data: set CRYOSCAPE_TEST_DATA";
  const auto closed = io::read_models(*data / "adk/adk_closed.pdb").at(0),
             open = io::read_models(*data / "adk/adk_open.pdb").at(0);
  const auto from = make_beads(closed, BeadLevel::residue), to = make_beads(open, BeadLevel::residue);
  const auto rebuilt = AllAtomBuilder(closed, from).build(to.coordinates), truth = io::positions_of(open);
  std::vector<float> backbone, expected;
  for (std::size_t a = 0; a < closed.atoms.size(); ++a) {
    const auto& name = closed.atoms[a].name;
    if (name != "N" && name != "C" && name != "CA" && name != "O" && name != "CB") continue;
    for (int k = 0; k < 3; ++k) backbone.push_back(rebuilt[3 * a + k]), expected.push_back(truth[3 * a + k]);
  }
  EXPECT_LT(geometry::rmsd(backbone, expected), 0.6);
}

TEST(AllAtomBuilder, RefusesAnotherNumberOfBeads) {
  const auto model = mixture();
  const AllAtomBuilder builder(model, make_beads(model, BeadLevel::residue));
  EXPECT_THROW(builder.build(std::vector<float>(3)), std::invalid_argument);
}
