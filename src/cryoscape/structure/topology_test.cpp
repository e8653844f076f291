#include <gtest/gtest.h>

#include <set>

#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/structure/test_models.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

using Bonds = std::set<std::pair<std::int32_t, std::int32_t>>;

Bonds joined(const std::vector<Pair>& pairs) {
  Bonds set;
  for (const auto& p : pairs)
    EXPECT_TRUE(set.insert({std::min(p.i, p.j), std::max(p.i, p.j)}).second) << "twice";
  return set;
}

void add_ca(io::AtomicModel& model, const std::string& chain, int number, float x) {
  add_residue(model, {"LEU", chain, number}, {{"CA", 6, {x, 0, 0}}});
}

float distance(const BeadModel& beads, const Pair& p) {
  const float* a = &beads.coordinates[3 * p.i];
  const float* b = &beads.coordinates[3 * p.j];
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

}  // namespace

TEST(MakeRestraints, BondsStopAtBreaksAndChains) {
  io::AtomicModel model;
  add_ca(model, "A", 1, 0);
  add_ca(model, "A", 2, 3.8f);   // trans
  add_ca(model, "A", 3, 6.7f);   // cis
  add_ca(model, "A", 4, 11.2f);  // 4.5 Å: stretched by averaging
  add_ca(model, "A", 7, 15.6f);  // 4.4 Å, but two residues are missing
  add_ca(model, "A", 8, 25);     // a break
  add_ca(model, "B", 9, 28.8f);  // another chain
  add_ca(model, "", 10, 32.6f);
  add_ca(model, "", 11, 36.4f);
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(joined(make_restraints(beads, {}).bonds), (Bonds{{0, 1}, {1, 2}, {2, 3}, {7, 8}}));
}

TEST(MakeRestraints, NucleotidesAreBondedInsideAndAlongTheChain) {
  io::AtomicModel model;
  add_nucleotide(model, "A", 1, {0, 0, 0}, false);  // beads 0 (sugar), 1 (base)
  add_nucleotide(model, "A", 2, {5, 0, 0}, true);   // 2, 3, 4
  add_nucleotide(model, "A", 3, {10, 0, 0}, true);  // 5, 6, 7
  add_nucleotide(model, "A", 9, {40, 0, 0}, true);  // 8, 9, 10: far away
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(joined(make_restraints(beads, {}).bonds),
            (Bonds{{0, 1}, {0, 2}, {2, 3}, {3, 4}, {3, 5}, {5, 6}, {6, 7}, {8, 9}, {9, 10}}));
}

TEST(MakeRestraints, BasesWithoutASugarAreNotBondedToTheNeighboursSugar) {
  io::AtomicModel model;
  add_nucleotide(model, "A", 1, {0, 0, 0}, true);
  add_residue(model, {"A", "A", 2}, {{"N9", 7, {3, 5, 0}}, {"C8", 6, {4, 5, 0}}}, io::Polymer::nucleic);
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(joined(make_restraints(beads, {}).bonds), (Bonds{{0, 1}, {1, 2}}));
}

TEST(MakeRestraints, PhosphorusTracesAndLigandsHold) {
  io::AtomicModel model;
  for (int n = 1; n <= 3; ++n)
    add_residue(model, {"A", "A", n}, {{"P", 15, {6.0f * static_cast<float>(n), 0, 0}}},
                io::Polymer::nucleic);
  for (int ligand = 0; ligand < 2; ++ligand) {
    std::vector<Atom> atoms;
    for (int i = 0; i < 12; ++i)
      atoms.push_back(
          {"C" + std::to_string(i), 6, {static_cast<float>(i), 30, 4.0f * static_cast<float>(ligand)}});
    add_residue(model, {"LIG", "A", 10 + ligand}, atoms, io::Polymer::other);
  }
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(joined(make_restraints(beads, {}).bonds), (Bonds{{0, 1}, {1, 2}, {3, 4}, {5, 6}}));
}

TEST(MakeRestraints, EdgesAreThePairsWithinReachLessTheBonds) {
  Philox random(1);
  io::AtomicModel model;
  add_chain(model, "A", 80, {0, 0, 0}, random);
  add_chain(model, "B", 60, {6, 0, 0}, random);
  const auto beads = make_beads(model, BeadLevel::residue);
  for (const bool between : {false, true}) {
    const auto topology =
        make_restraints(beads, {.edge_cutoff = 10, .between_chains = between, .clash_distance = 4});
    const auto bonds = joined(topology.bonds);
    EXPECT_EQ(bonds.size(), 78u + 60);
    Bonds expected;
    for (std::int32_t i = 0; i < 140; ++i)
      for (std::int32_t j = i + 1; j < 140; ++j)
        if (distance(beads, {i, j, 0, 0}) < 10 && !bonds.contains({i, j}) &&
            (between || (i < 80) == (j < 80)))
          expected.insert({i, j});
    EXPECT_EQ(joined(topology.edges), expected);
    for (const auto& e : topology.edges) {
      EXPECT_NEAR(e.distance, distance(beads, e), 1e-5);
      EXPECT_EQ(e.chain, e.i < 80 ? 0 : 1);
    }
  }
}

TEST(MakeRestraints, ClashLimitsNeverExceedTheReference) {
  io::AtomicModel model;
  add_ca(model, "A", 1, 0);
  add_ca(model, "A", 2, 3.8f);
  add_residue(model, {"LEU", "A", 30}, {{"CA", 6, {0, 3.5f, 0}}});
  add_residue(model, {"ZN", "A", 99}, {{"ZN", 30, {0, 0, 3}}}, io::Polymer::other);
  add_ca(model, "A", 50, 60);
  const auto topology = make_restraints(make_beads(model, BeadLevel::residue), {});
  EXPECT_EQ(topology.clash_limit(0, 1), 0) << "bonded";
  EXPECT_NEAR(topology.clash_limit(0, 2), 3.5, 1e-5);
  EXPECT_NEAR(topology.clash_limit(0, 3), 3, 1e-5);
  EXPECT_EQ(topology.clash_limit(0, 4), 4);
  EXPECT_LT(topology.clash_limit(3, 4), 4) << "metals come closer";
}

TEST(MakeRestraints, AllAtomBondsAreTheCovalentOnes) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "no shared data: set CRYOSCAPE_TEST_DATA";
  const auto beads = make_beads(io::read_models(*data / "adk/adk_closed.pdb").at(0), BeadLevel::all_atom);
  const auto topology = make_restraints(beads, {});
  // A tree over all heavy atoms, plus one more bond for each ring.
  std::size_t rings = 0;
  std::set<std::int32_t> counted;
  for (std::size_t i = 0; i < beads.size(); ++i) {
    const auto& name = beads.records.atoms[i].residue_name;
    if (counted.insert(beads.residues[i]).second)
      rings += name == "TRP" ? 2 : name == "PHE" || name == "TYR" || name == "PRO" || name.starts_with("HS");
  }
  EXPECT_EQ(joined(topology.bonds).size(), beads.size() - 1 + rings);
  EXPECT_LE(topology.clash_distance, 2.5f);
}

TEST(CountViolations, CountsWhatIsBroken) {
  io::AtomicModel model;
  for (int n = 0; n < 5; ++n) add_ca(model, "A", n + 1, 3.8f * static_cast<float>(n));
  const auto beads = make_beads(model, BeadLevel::residue);
  const auto topology = make_restraints(beads, {});
  auto x = beads.coordinates;
  EXPECT_EQ(count_violations(topology, x).broken_bonds, 0);
  EXPECT_EQ(count_violations(topology, x).clashes, 0);
  for (int i = 2; i < 5; ++i) x[3 * i] += 1.1f;  // one bond longer
  EXPECT_EQ(count_violations(topology, x).broken_bonds, 1);
  x = beads.coordinates;
  x[12] = x[0], x[13] = 2;  // the last bead next to the first
  const auto v = count_violations(topology, x);
  EXPECT_EQ(v.broken_bonds, 1);
  EXPECT_EQ(v.clashes, 1);
}

TEST(CountViolations, NoneAlongARealPath) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "no shared data: set CRYOSCAPE_TEST_DATA";
  const auto models = io::read_models(*data / "adk/adk_path_ca.pdb");
  const auto topology = make_restraints(make_beads(models[0], BeadLevel::residue), {});
  EXPECT_EQ(topology.bonds.size(), 213u);
  for (std::size_t m = 0; m < models.size(); m += 12) {
    const auto v = count_violations(topology, io::positions_of(models[m]));
    EXPECT_EQ(v.broken_bonds + v.clashes, 0) << "model " << m + 1;
  }
}
