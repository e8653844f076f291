#include "cryoscape/report/sample_quality.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

using namespace cryoscape;
using namespace cryoscape::report;

namespace {

/// A straight chain of 10 beads, 3.8 Å apart along x, then folded back at a distance of 10 Å.
structure::BeadModel hairpin() {
  io::AtomicModel model;
  for (int i = 0; i < 20; ++i) {
    io::AtomRecord atom;
    atom.name = "CA", atom.residue_name = "ALA", atom.chain = "A", atom.residue_number = i + 1;
    atom.atomic_number = 6, atom.element = "C", atom.polymer = io::Polymer::protein;
    atom.position = {3.8f * static_cast<float>(i < 10 ? i : 19 - i), i < 10 ? 0.0f : 10.0f, 0};
    model.atoms.push_back(atom);
  }
  return structure::make_beads(model, structure::BeadLevel::residue);
}

/// Structures with the y coordinate of the second strand as given.
std::vector<float> strands(const structure::BeadModel& beads, const std::vector<float>& heights) {
  std::vector<float> out;
  for (const float y : heights)
    for (std::size_t i = 0; i < 20; ++i) {
      out.insert(out.end(), beads.coordinates.begin() + static_cast<std::ptrdiff_t>(3 * i),
                 beads.coordinates.begin() + static_cast<std::ptrdiff_t>(3 * i + 3));
      if (i >= 10) out[out.size() - 2] = y;
    }
  return out;
}

}  // namespace

TEST(SampleQuality, FindsBrokenBondsAndClashes) {
  const auto beads = hairpin();
  const auto topology = structure::make_restraints(beads, {});
  // As it is; a little closer; clashing; and one with a bead pulled from its neighbours.
  auto structures = strands(beads, {10, 6, 2, 10});
  structures[3 * (3 * 20 + 5) + 2] += 6;
  EXPECT_DOUBLE_EQ(sample_quality(structures, topology).intact, 0.5);
  EXPECT_DOUBLE_EQ(sample_quality(beads.coordinates, topology).intact, 1);
}

TEST(SampleQuality, SpreadIsTheRmsDeviationFromTheMean) {
  const auto beads = hairpin();
  const auto topology = structure::make_restraints(beads, {});
  // Half of the beads are 1 Å above or below their mean.
  EXPECT_NEAR(sample_quality(strands(beads, {9, 11}), topology).spread, std::sqrt(0.5), 1e-5);
  EXPECT_NEAR(sample_quality(beads.coordinates, topology).spread, 0, 1e-3);
}

TEST(SampleQuality, NoStructuresAreNone) {
  const auto topology = structure::make_restraints(hairpin(), {});
  EXPECT_EQ(sample_quality({}, topology).intact, 0);
}
