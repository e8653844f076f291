#include "cryoscape/landscape/conformation_path.hpp"

#include <gtest/gtest.h>

#include "cryoscape/landscape/test_hinge.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr double kTurnPerBend = 0.3;  ///< the decoder turns the molecule as it bends
constexpr double kNoise = 0.3;        ///< Å, of every coordinate, in other directions than the bend

/// Bends of two states with few in between.
std::vector<float> ensemble(std::size_t count, double noise) {
  Philox random(3);
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = random.uniform();
    const double angle = u < 0.1 ? random.uniform() : (u < 0.4 ? 0.85 : 0.15) + 0.05 * random.normal();
    auto x = hinge_structure(angle, kTurnPerBend * angle);
    for (auto& v : x) v += static_cast<float>(noise * random.normal());
    out.insert(out.end(), x.begin(), x.end());
  }
  return out;
}

TEST(ConformationsAlong, FollowAHingeInTheDecodersFrame) {
  const auto path = conformations_along(hinge_bend(), ensemble(3000, kNoise), kHingeLength, 41);
  ASSERT_EQ(path.size(), 41u);
  // Bends from 0.02 to 0.98, and 15 % more at either end.
  EXPECT_NEAR(path.values.front(), 0.02 - 0.15 * 0.96, 0.05);
  EXPECT_NEAR(path.values.back(), 0.98 + 0.15 * 0.96, 0.05);
  const double spacing = path.values[1] - path.values[0];
  for (std::size_t k = 0; k < path.size(); ++k) {
    const std::span<const float> x(path.structures.data() + k * kHingeLength, kHingeLength);
    EXPECT_NEAR(hinge_bend().value(x), path.values[k], 0.0101 * spacing);
    // An average of at least 20, mostly 60, structures: 0.3 Å · √3 / √20 is 0.12.
    const auto truth = hinge_structure(path.values[k], kTurnPerBend * path.values[k]);
    // Beyond the structures a line is continued, with its noise.
    const bool beyond = path.values[k] < 0 || path.values[k] > 1;
    EXPECT_LT(geometry::rmsd(x, truth), beyond ? 0.6 : 0.25) << path.values[k];
  }
}

TEST(ConformationsAlong, TangentsAreTheDerivative) {
  // Without other motion what is left is the regression's bias and the differences' third order.
  const auto path = conformations_along(hinge_bend(), ensemble(3000, 0), kHingeLength, 21);
  constexpr double kStep = 1e-2;
  for (std::size_t k = 0; k < path.size(); ++k) {
    const double at = path.values[k];
    const auto a = hinge_structure(at - kStep, kTurnPerBend * (at - kStep)),
               b = hinge_structure(at + kStep, kTurnPerBend * (at + kStep));
    double error = 0, square = 0;
    for (std::size_t i = 0; i < kHingeLength; ++i) {
      const double truth = (b[i] - a[i]) / (2 * kStep);
      error += std::pow(path.tangents[k * kHingeLength + i] - truth, 2), square += truth * truth;
    }
    EXPECT_LT(error, (at < 0 || at > 1 ? 0.02 : 0.01) * square) << at;
  }
}

TEST(ConformationsAlong, DoNotDependOnThreads) {
  const auto structures = ensemble(200, kNoise);
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = conformations_along(hinge_bend(), structures, kHingeLength, 11);
  set_thread_count(3);
  const auto three = conformations_along(hinge_bend(), structures, kHingeLength, 11);
  set_thread_count(threads);
  EXPECT_EQ(one.structures, three.structures);
  EXPECT_EQ(one.tangents, three.tangents);
}

TEST(ConformationsAlong, ValuesBeyondTheStructuresAreLeftOut) {
  // Structures with 0.3 ≤ ξ ≤ 0.7 reach 15 % of their range further: 0.24 … 0.76.
  std::vector<float> structures;
  for (int i = 0; i <= 100; ++i) {
    const auto x = hinge_structure(0.3 + 0.004 * i);
    structures.insert(structures.end(), x.begin(), x.end());
  }
  auto variable = hinge_bend();
  variable.unit_interval = true;
  const auto path = conformations_along(variable, structures, kHingeLength, 51);
  EXPECT_NEAR(path.values.front(), 0.24, 0.0201);
  EXPECT_NEAR(path.values.back(), 0.76, 0.0201);
}

TEST(ConformationsAlong, SayWhatIsWrong) {
  const auto few = ensemble(19, kNoise);
  EXPECT_NE(error_of([&] { conformations_along(hinge_bend(), few, kHingeLength); }).find("at least 20"),
            std::string::npos);
  std::vector<float> same;
  for (int i = 0; i < 30; ++i) {
    const auto x = hinge_structure(0.4);
    same.insert(same.end(), x.begin(), x.end());
  }
  EXPECT_NE(error_of([&] { conformations_along(hinge_bend(), same, kHingeLength); }).find("same value"),
            std::string::npos);
}

TEST(ModelsAlong, StandSoThatTheReferenceLiesOnThem) {
  std::vector<std::vector<float>> models;
  for (int i = 0; i <= 10; ++i) models.push_back(hinge_structure(0.1 * i));
  const structure::SmoothPath path(models);
  // The reference is the fourth model in another frame.
  const auto moved =
      geometry::transformed({geometry::rotation_from_axis_angle({0, 0, 0.7}), {5, -3, 2}}, models[3]);
  const auto along = models_along(path, moved, 21);
  ASSERT_EQ(along.size(), 21u);
  EXPECT_EQ(along.values.front(), 0);
  EXPECT_EQ(along.values.back(), 1);
  double nearest = 1e9;
  for (std::size_t k = 0; k < along.size(); ++k) {
    const std::span<const float> x(along.structures.data() + k * kHingeLength, kHingeLength);
    EXPECT_LT(geometry::superposed_rmsd(x, path.at(along.values[k])), 1e-3);
    nearest = std::min(nearest, geometry::rmsd(x, moved));
  }
  // Positions are at most half a spacing from the reference's.
  EXPECT_LT(nearest, 0.5 * path.length() / 20 + 0.01);
  // Tangents are the derivative, in the same frame.
  double error = 0, square = 0;
  for (std::size_t i = 0; i < kHingeLength; ++i) {
    const double truth =
        (along.structures[11 * kHingeLength + i] - along.structures[9 * kHingeLength + i]) / (2 * 0.05);
    error += std::pow(along.tangents[10 * kHingeLength + i] - truth, 2), square += truth * truth;
  }
  EXPECT_LT(error, 0.01 * square);
}

}  // namespace
}  // namespace cryoscape::landscape
