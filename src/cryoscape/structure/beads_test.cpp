#include "cryoscape/structure/beads.hpp"

#include <gtest/gtest.h>

#include "cryoscape/structure/test_models.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

double total(const std::vector<float>& amplitudes) {
  double sum = 0;
  for (const float a : amplitudes) sum += a;
  return sum;
}

}  // namespace

TEST(MakeBeads, OnePerResidueAtCA) {
  io::AtomicModel model;
  add_residue(model, {"ALA", "A", 1}, {{"N", 7, {0, 0, 0}}, {"CA", 6, {1, 2, 3}}, {"C", 6, {2, 2, 2}}});
  add_residue(model, {"TRP", "A", 2}, {{"CA", 6, {4, 5, 6}}});
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(beads.coordinates, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(beads.amplitudes, (std::vector<float>{38, 98}));
  EXPECT_EQ(beads.records.atoms[1].residue_name, "TRP");
  EXPECT_NE(beads.residues[0], beads.residues[1]);
}

TEST(MakeBeads, NeighboursThatDifferInOneNameOnlyAreResiduesOfTheirOwn) {
  io::AtomicModel model;
  for (const ResidueName& name : {ResidueName{"GLY", "A", 5}, ResidueName{"GLY", "A", 5, 'A'},
                                  ResidueName{"GLY", "B", 5, 'A'}, ResidueName{"ALA", "B", 5, 'A'}})
    add_residue(model, name, {{"CA", 6, {0, 0, 0}}});
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(beads.size(), 4u);
  EXPECT_EQ(beads.chains, (std::vector<std::int32_t>{0, 0, 1, 1}));
}

TEST(MakeBeads, ResiduesOutOfTheTableAreCountedByTheirAtoms) {
  io::AtomicModel model;
  // Phosphoserine less its hydrogens: 10 heavy atoms, 5 + 8·… electrons.
  add_residue(model, {"SEP", "A", 1},
              {{"N", 7, {}},
               {"CA", 6, {}},
               {"CB", 6, {}},
               {"OG", 8, {}},
               {"C", 6, {}},
               {"O", 8, {}},
               {"P", 15, {}},
               {"O1P", 8, {}},
               {"O2P", 8, {}},
               {"O3P", 8, {}}});
  add_residue(model, {"SEP", "A", 2}, {{"CA", 6, {}}});
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(beads.amplitudes[0], 7 + 6 + 6 + 8 + 6 + 8 + 15 + 3 * 8 + 10);
  EXPECT_GT(beads.amplitudes[1], 40);
}

TEST(MakeBeads, NucleotidesHaveThreeBeads) {
  io::AtomicModel model;
  add_nucleotide(model, "B", 1, {0, 0, 0}, false);
  add_nucleotide(model, "B", 2, {6, 0, 0}, true);
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(beads.kinds, (std::vector{BeadKind::sugar, BeadKind::base, BeadKind::phosphate, BeadKind::sugar,
                                      BeadKind::base}));
  EXPECT_EQ(beads.coordinates[6], 6 + kPhosphorus[0]);
  EXPECT_EQ(beads.coordinates[9], 6 + kSugarCarbon[0]);
  for (int k = 0; k < 3; ++k)
    EXPECT_NEAR(beads.coordinates[3 + k], (kBaseNitrogen[k] + kBaseCarbon[k]) / 2, 1e-5);
  // Both nucleotides have the same atoms but for P and its two oxygens; no electron is lost where P is
  // missing.
  EXPECT_EQ(total({beads.amplitudes.begin() + 2, beads.amplitudes.end()}) -
                total({beads.amplitudes.begin(), beads.amplitudes.begin() + 2}),
            15 + 2 * 8);
}

TEST(MakeBeads, PhosphorusTraceStandsForWholeNucleotides) {
  io::AtomicModel model;
  add_residue(model, {"A", "B", 1}, {{"P", 15, {0, 0, 0}}}, io::Polymer::nucleic);
  const auto beads = make_beads(model, BeadLevel::residue);
  ASSERT_EQ(beads.kinds, std::vector{BeadKind::phosphate});
  EXPECT_NEAR(beads.amplitudes[0], 166, 10);
}

TEST(MakeBeads, LigandsMetalsAndWaters) {
  io::AtomicModel model;
  std::vector<Atom> atoms;
  for (int i = 0; i < 10; ++i)
    atoms.push_back({"C" + std::to_string(i), 6, {static_cast<float>(2 * i), 0, 0}});
  atoms.push_back({"H1", 1, {0, 1, 0}});
  atoms.push_back({"H2", 1, {18, 1, 0}});
  atoms.push_back({"H3", 1, {18, -1, 0}});
  add_residue(model, {"LIG", "A", 1}, atoms, io::Polymer::other);
  add_residue(model, {"ZN", "A", 2}, {{"ZN", 30, {9, 9, 9}}}, io::Polymer::other);
  add_residue(model, {"HOH", "A", 3}, {{"O", 8, {5, 5, 5}}}, io::Polymer::other);
  model.atoms.back().water = true;
  const auto beads = make_beads(model, BeadLevel::residue);
  EXPECT_EQ(beads.amplitudes, (std::vector<float>{8 * 6 + 1, 2 * 6 + 2, 30}));
  EXPECT_NEAR(beads.coordinates[0], 7, 1e-5);
  EXPECT_NEAR(beads.coordinates[3], 17, 1e-5);
}

TEST(MakeBeads, HydrogensBelongToTheNearestHeavyAtomWhereverTheyStand) {
  io::AtomicModel model;
  add_residue(model, {"GLY", "A", 1},
              {{"N", 7, {0, 0, 0}},
               {"CA", 6, {1.5f, 0, 0}},
               {"C", 6, {3, 0, 0}},
               {"O", 8, {4, 0, 0}},
               {"H", 1, {0, 1, 0}},
               {"HA2", 1, {1.5f, 1, 0}},
               {"HA3", 1, {1.5f, -1, 0}}});
  const auto beads = make_beads(model, BeadLevel::all_atom);
  EXPECT_EQ(beads.amplitudes, (std::vector<float>{8, 8, 6, 8}));
  EXPECT_EQ(beads.kinds, std::vector(4, BeadKind::atom));
}

TEST(MakeBeads, TabulatedElectronsAreThoseOfTheAtoms) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "no shared data: set CRYOSCAPE_TEST_DATA";
  const auto model = io::read_models(*data / "adk/adk_closed.pdb").at(0);
  const auto beads = make_beads(model, BeadLevel::residue), atoms = make_beads(model, BeadLevel::all_atom);
  ASSERT_EQ(beads.size(), 214u);
  // Charged side chains have a proton more or less than the neutral residues of the table; the ends are left
  // out.
  for (std::size_t i = 1; i + 1 < beads.size(); ++i) {
    double sum = 0;
    for (std::size_t a = 0; a < atoms.size(); ++a)
      if (atoms.residues[a] == beads.residues[i]) sum += atoms.amplitudes[a];
    EXPECT_NEAR(beads.amplitudes[i], sum, 1) << beads.records.atoms[i].residue_name;
  }
}

TEST(MakeBeads, NothingToProjectIsAnError) {
  io::AtomicModel model;
  add_residue(model, {"HOH", "A", 3}, {{"O", 8, {5, 5, 5}}}, io::Polymer::other);
  model.atoms.back().water = true;
  EXPECT_THROW(make_beads(model, BeadLevel::residue), Error);
}

TEST(ParseBeadLevel, KnowsItsWords) {
  EXPECT_EQ(parse_bead_level("residue"), BeadLevel::residue);
  EXPECT_EQ(parse_bead_level("all-atom"), BeadLevel::all_atom);
  EXPECT_THROW(parse_bead_level("coarse"), Error);
}
