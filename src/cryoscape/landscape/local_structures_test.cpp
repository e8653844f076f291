#include "cryoscape/landscape/local_structures.hpp"

#include <gtest/gtest.h>

#include "cryoscape/landscape/test_hinge.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

TEST(LocalStructures, AreAveragedWithoutTheirTurns) {
  // The same shape in two orientations about a common mean: the plain average would shrink it.
  std::vector<float> two;
  for (const double turn : {-0.4, 0.4}) {
    const auto x = hinge_structure(0.3, turn);
    two.insert(two.end(), x.begin(), x.end());
  }
  const LocalStructures local(two, kHingeLength);
  const std::vector<StructureWeight> half{{0, 0.5}, {1, 0.5}};
  EXPECT_LT(geometry::superposed_rmsd(local.shape(half), hinge_structure(0.3)), 1e-3);
  // The average of both places is that of no turn, but for centroids that moved on arcs: 8 % of 1.1 Å.
  EXPECT_LT(geometry::rmsd(local.structure(half), hinge_structure(0.3)), 0.1);
  EXPECT_LT(
      geometry::rmsd(local.structure(std::vector<StructureWeight>{{1, 1.0}}), hinge_structure(0.3, 0.4)),
      1e-3);
}

TEST(LocalStructures, TakeAFiftiethAsNeighbours) {
  for (const auto& [count, expected] :
       {std::pair<std::size_t, std::size_t>{7, 7}, {400, 20}, {2000, 40}, {20000, 200}}) {
    const std::vector<float> structures(count * 9, 1.0f);
    EXPECT_EQ(LocalStructures(structures, 9).neighbours(), expected);
  }
}

TEST(RangeOfNodes, ReachesBeyondAllButTheFewAtTheEnds) {
  std::vector<double> values;
  for (int i = 0; i <= 1000; ++i) values.push_back(i);
  auto variable = hinge_bend();
  EXPECT_EQ(range_of_nodes(variable, values, 0), std::pair(5.0, 995.0));
  EXPECT_EQ(range_of_nodes(variable, values, 0.1), std::pair(-94.0, 1094.0));
  variable.unit_interval = true;
  EXPECT_EQ(range_of_nodes(variable, values, 0.1), std::pair(0.0, 1.0));
  EXPECT_NE(error_of([&] { range_of_nodes(variable, std::vector(30, 0.5), 0.01); }).find("same value"),
            std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
