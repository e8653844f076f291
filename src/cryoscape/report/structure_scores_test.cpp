#include "cryoscape/report/structure_scores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::report;

namespace {

constexpr double kStep = 2;  // Å that the moving residue goes from model to model

/// Three residues, the third of which moves along x from 10 Å in steps of kStep: on a line, so that
/// superposition only removes the mean, and two structures d models apart differ by d · kStep · √(2/9)
/// exactly.
simulation::Scene toy(int models) {
  std::vector<io::AtomicModel> atoms(models);
  std::vector<std::string> names;
  for (int m = 0; m < models; ++m) {
    for (int i = 0; i < 3; ++i) {
      io::AtomRecord atom;
      atom.name = std::string("CA"), atom.residue_name = std::string("GLY"), atom.chain = std::string("A");
      atom.residue_number = i + 1, atom.element = std::string("C");
      atom.polymer = io::Polymer::protein;
      atom.position = {i < 2 ? 4.0f * static_cast<float>(i) : 10 + static_cast<float>(kStep * m), 0, 0};
      atoms[m].atoms.push_back(atom);
    }
    names.push_back("toy");
  }
  return {atoms, names, {"residue", 1e6, false}};
}

double apart(double models) { return std::abs(models) * kStep * std::sqrt(2.0 / 9); }

}  // namespace

TEST(Median, OfOddAndEvenCounts) {
  EXPECT_FALSE(median({}));
  EXPECT_EQ(*median({3}), 3);
  EXPECT_EQ(*median({9, 1, 2}), 2);
  EXPECT_EQ(*median({9, 1, 2, 4}), 3);
}

TEST(MeanStructure, OfALineIsTheStructureAtTheMeanModel) {
  const auto scene = toy(11);
  const std::vector<double> models{1, 2, 2, 11};
  EXPECT_LT(geometry::superposed_rmsd(mean_structure(scene, models), scene.coordinates(4)), 1e-3);
}

TEST(MeanStructure, DoesNotDependOnThreads) {
  const auto scene = toy(5);
  std::vector<double> models;
  Philox random(2);
  for (int i = 0; i < 100; ++i) models.push_back(1 + 4 * random.uniform());
  const int before = thread_count();
  set_thread_count(1);
  const auto one = mean_structure(scene, models);
  set_thread_count(3);
  EXPECT_EQ(mean_structure(scene, models), one);
  set_thread_count(before);
}

TEST(TrivialRows, OneStructureAndOnePerState) {
  const auto scene = toy(11);
  // State 1 around model 2, state 2 around model 10; the mean of all is model 6; row 7 has no state.
  const std::vector<double> models{1, 2, 3, 9, 10, 11, 6};
  const std::vector<int> states{1, 1, 1, 2, 2, 2, 0};
  const auto all = distances_from(scene, models, mean_structure(scene, models));
  EXPECT_NEAR(*median(all), apart(4), 1e-3);
  EXPECT_NEAR(*mean(all), apart((5 + 4 + 3 + 3 + 4 + 5 + 0) / 7.0), 1e-3);

  const auto truth = true_states(scene, models, states);
  ASSERT_EQ(truth.size(), 2u);
  EXPECT_EQ(truth[1].id, 2);
  EXPECT_NEAR(truth[1].population, 3 / 7.0, 1e-12);
  EXPECT_LT(geometry::superposed_rmsd(truth[1].model, scene.coordinates(10)), 1e-3);
  const auto per_state = distances_from_states(scene, models, states, truth);
  ASSERT_EQ(per_state.size(), 6u);
  EXPECT_NEAR(*mean(per_state), apart(2 / 3.0), 1e-3);
}

TEST(CompareStructures, RmsdIgnoresTheFrameAndPositionsFollowThePath) {
  const auto scene = toy(11);
  Philox random(6);
  std::vector<double> models, off;
  for (int i = 0; i < 300; ++i) models.push_back(2 + 8 * random.uniform()), off.push_back(random.uniform());
  // Decoded structures lie `off` models further on, turned and moved at random; more of them than one batch.
  const auto decode = [&](std::size_t begin, std::size_t end) {
    std::vector<float> out;
    for (auto i = begin; i < end; ++i) {
      geometry::Rigid motion{geometry::random_rotation(random),
                             {random.normal(), random.normal(), random.normal()}};
      const auto x = geometry::transformed(motion, scene.coordinates(models[i] + off[i]));
      out.insert(out.end(), x.begin(), x.end());
    }
    return out;
  };
  const auto errors = compare_structures(scene, models, decode);
  ASSERT_EQ(errors.rmsd.size(), models.size());
  for (std::size_t i = 0; i < models.size(); ++i) {
    ASSERT_NEAR(errors.rmsd[i], apart(off[i]), 2e-3);
    ASSERT_NEAR(errors.position[i], (models[i] + off[i] - 1) / 10, 2e-3);
  }
  EXPECT_NEAR(*path_error(scene, models, errors.position), *median(off) / 10, 2e-3);
}

TEST(CompareStructures, ASingleModelHasNoPositions) {
  const auto scene = toy(1);
  const auto decode = [&](std::size_t, std::size_t) { return scene.coordinates(1); };
  const auto errors = compare_structures(scene, std::vector<double>{1}, decode);
  EXPECT_NEAR(errors.rmsd[0], 0, 1e-3);
  EXPECT_TRUE(errors.position.empty());
  EXPECT_FALSE(path_error(scene, std::vector<double>{1}, errors.position));
}

TEST(CorrelationWithinStates, KnowsTheStateFromThePosition) {
  // Each particle at the centre of its state: a correlation of 0.98 over all, none within.
  const std::vector<double> truth{0.1, 0.2, 0.3, 0.7, 0.8, 0.9}, centres{0.2, 0.2, 0.2, 0.8, 0.8, 0.8};
  const std::vector<int> states{1, 1, 1, 2, 2, 2};
  EXPECT_DOUBLE_EQ(*correlation_within_states(truth, centres, states), 0);
  EXPECT_NEAR(*correlation_within_states(truth, truth, states), 1, 1e-12);
}

TEST(CorrelationWithinStates, IsWeightedByParticles) {
  const std::vector<double> truth{0.1, 0.2, 0.3, 0.4, 0.7, 0.8, 0.9},
      estimate{0.1, 0.2, 0.3, 0.4, 0.9, 0.8, 0.7};
  EXPECT_NEAR(*correlation_within_states(truth, estimate, std::vector<int>{1, 1, 1, 1, 2, 2, 2}),
              (4 - 3) / 7.0, 1e-12);
}

TEST(CorrelationWithinStates, WithoutStatesAllAreOneAndPointsDoNotCount) {
  const std::vector<double> truth{0.1, 0.2, 0.3}, estimate{0.4, 0.5, 0.6}, point{0.5, 0.5, 0.5};
  const std::vector<int> none{0, 0, 0};
  EXPECT_NEAR(*correlation_within_states(truth, estimate, none), 1, 1e-12);
  EXPECT_FALSE(correlation_within_states(point, estimate, none));
  EXPECT_FALSE(correlation_within_states(std::vector<double>{0.1, 0.2}, std::vector<double>{0.1, 0.2},
                                         std::vector<int>{1, 1}));
}
