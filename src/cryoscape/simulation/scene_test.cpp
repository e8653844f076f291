#include "cryoscape/simulation/scene.hpp"

#include <gtest/gtest.h>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/simulation/demo_protein.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::simulation;

TEST(Scene, AllAtomsOfAdenylateKinase) {
  const auto data = test_data();
  if (!data) GTEST_SKIP() << "shared data not found: set CRYOSCAPE_TEST_DATA";
  std::vector<std::string> names;
  const auto atoms = read_all_models({*data / "adk/adk_closed.pdb", *data / "adk/adk_open.pdb"}, names);
  const Scene all(atoms, names, {"auto", 96, true}), coarse(atoms, names, {"residue", 96, true});
  EXPECT_EQ(all.level(), structure::BeadLevel::all_atom);
  EXPECT_GT(all.amplitudes().size(), 1600u);
  EXPECT_EQ(coarse.amplitudes().size(), 214u);
  // Positions along the path are those of the residues, whatever is projected.
  EXPECT_NEAR(all.path().length(), coarse.path().length(), 1e-9);
  EXPECT_NEAR(all.path().length(), geometry::superposed_rmsd(coarse.coordinates(1), coarse.coordinates(2)),
              1e-3);
}

TEST(SceneFrames, ModelsFarFromTheBoxAreCentredAndCornerModelsMovedByHalfTheBox) {
  const auto protein = make_demo_protein();
  const auto moved = [&](float by) {
    auto m = protein.path[30];
    for (auto& a : m.atoms)
      for (auto& c : a.position) c += by;
    return Scene({m}, {"model"}, {"auto", 120, false});
  };
  const auto home = moved(0), corner = moved(60), far = moved(500);
  EXPECT_LT(geometry::rmsd(home.coordinates(1), corner.coordinates(1)), 1e-4);
  EXPECT_LT(geometry::rmsd(home.coordinates(1), far.coordinates(1)), 1e-2);
  EXPECT_TRUE(corner.notes().empty());
  ASSERT_EQ(far.notes().size(), 1u);
  EXPECT_NE(far.notes()[0].find("moved by"), std::string::npos);
}

TEST(SceneFrames, ModelsInDifferentFramesAreNotedAndCanBeSuperposed) {
  auto a = make_demo_protein().path[30], b = a;
  for (auto& atom : b.atoms) atom.position = {atom.position[1] + 4, -atom.position[0], atom.position[2]};
  const Scene raw({a, b}, {"a", "b"}, {"auto", 150, false}),
      superposed({a, b}, {"a", "b"}, {"auto", 150, true});
  EXPECT_EQ(raw.notes().size(), 1u);
  EXPECT_LT(geometry::rmsd(superposed.coordinates(1), superposed.coordinates(2)), 1e-3);
}

TEST(Scene, InterpolatesBetweenNeighbouringModels) {
  const auto protein = make_demo_protein();
  const Scene scene({protein.path[0], protein.path[20], protein.path[60]}, {"a", "b", "c"},
                    {"auto", 150, false});
  const auto b = scene.coordinates(2), c = scene.coordinates(3), between = scene.coordinates(2.25);
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_NEAR(between[i], 0.75 * b[i] + 0.25 * c[i], 1e-3);
}
