#include "cryoscape/report/path_scores.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/report/test_run.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::report {
namespace {

TEST(PathScores, ErrorsAtTheBoundScoreOne) {
  Philox random(3);
  std::vector<double> truth, estimate, bound;
  for (int i = 0; i < 20000; ++i) {
    truth.push_back(random.uniform());
    bound.push_back(0.05 + 0.1 * random.uniform());
    estimate.push_back(truth.back() + bound.back() * random.normal());
  }
  EXPECT_NEAR(*ml_error_over_bound(estimate, truth, bound), 1, 0.03);  // 1.17/√20000 is a standard error
  for (auto& b : bound) b = std::nan("");
  EXPECT_FALSE(ml_error_over_bound(estimate, truth, bound));
}

std::vector<double> density_of(double barrier, double minor) {
  std::vector<double> out;
  for (int k = 0; k <= 100; ++k) {
    const double x = (k - 50) / 30.0,
                 f = barrier * (x * x - 1) * (x * x - 1) + (x > 0 ? minor * x * x * x : 0);
    out.push_back(std::exp(-f));
  }
  return out;
}

TEST(PathScores, BarriersAreComparedBetweenTrueStates) {
  const inference::PopulationGrid::Axis axis{0, 1, 101};
  std::vector<double> positions;
  std::vector<int> states;
  for (int i = 0; i < 1000; ++i) {
    positions.push_back(0.001 * i);
    states.push_back(i < 500 ? 1 : 2);
  }
  const auto truth = density_of(3, 0), found = density_of(3.7, 0);
  EXPECT_NEAR(*barrier_error(found, truth, axis, positions, states), 0.7, 1e-9);
  EXPECT_EQ(*barrier_error(truth, truth, axis, positions, states), 0);
  const std::vector<int> one(1000, 1);
  EXPECT_FALSE(barrier_error(found, truth, axis, positions, one));
  for (auto& s : positions) s = s < 0.5 ? 0.2 : 0.8;  // nothing at the top says how high it is
  EXPECT_FALSE(barrier_error(found, truth, axis, positions, states));
}

TEST(PathScores, TheRecordHoldsTheFirstPathsEnergy) {
  const TestRun run("path_scores_record");
  run.write(
      "landscape.json",
      R"({"components": [], "free_energy": [{"kind": "distance", "grid": [0, 1, 2, 3], "energy": [1, 0, 0, 0]},
                {"kind": "path", "grid": [0, 0.25, 0.5, 1], "energy": [2, 0, 1, 3]}]})");
  const auto record = read_run_record(run.folder);
  ASSERT_TRUE(record.path_energy);
  EXPECT_EQ(record.path_energy->energy, (std::vector<double>{2, 0, 1, 3}));
  run.write("landscape.json", R"({"free_energy": [{"kind": "path", "grid": [0, 1], "energy": [2, null]}]})");
  EXPECT_NE(error_of([&] { read_run_record(run.folder); }).find("free energy along the path is damaged"),
            std::string::npos);
  // The prior's has gaps where no sample falls, and is not the particles'.
  run.write("landscape.json",
            R"({"free_energy": [{"kind": "path", "source": "prior", "grid": [0, 1], "energy": [2, null]}]})");
  EXPECT_FALSE(read_run_record(run.folder).path_energy);
}

}  // namespace
}  // namespace cryoscape::report
