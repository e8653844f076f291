#include "cryoscape/landscape/conformation_plane.hpp"

#include <gtest/gtest.h>

#include "cryoscape/landscape/test_hinge.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr double kNoise = 0.3;  ///< Å, of every coordinate
constexpr std::size_t kAxis = 11;

/// Bent by `angle`, the second domain `lift` Å along the axis of the bend.
std::vector<float> lifted(double angle, double lift) {
  auto x = hinge_structure(angle);
  for (std::size_t k = kHingeLength / 2 + 2; k < kHingeLength; k += 3) x[k] += static_cast<float>(lift);
  return x;
}

/// How far the second domain stands along the axis of the bend from where the reference has it.
CollectiveVariable lift() {
  return {"lift", "A", false, [](std::span<const float> x) {
            const auto reference = hinge_reference();
            const std::span<const float> own(reference);
            const auto back = geometry::superpose(x.first(kHingeLength / 2), own.first(kHingeLength / 2));
            const auto moved = geometry::transformed(back, x);
            double sum = 0;
            for (std::size_t k = kHingeLength / 2 + 2; k < kHingeLength; k += 3)
              sum += moved[k] - reference[k];
            return sum / kHingeDomain;
          }};
}

/// Bends up to 0.6 with lifts up to 4 Å, but not both: an L.
std::vector<float> ensemble(std::size_t count) {
  Philox random(5);
  std::vector<float> out;
  while (out.size() < count * kHingeLength) {
    const double angle = 0.6 * random.uniform(), up = 4 * random.uniform();
    if (angle > 0.3 && up > 2) continue;
    auto x = lifted(angle, up);
    for (auto& v : x) v += static_cast<float>(kNoise * random.normal());
    out.insert(out.end(), x.begin(), x.end());
  }
  return out;
}

bool well_inside(double angle, double up) {
  return angle > 0.05 && angle < 0.55 && up > 0.3 && up < 3.7 && (angle < 0.25 || up < 1.7);
}

TEST(ConformationsOver, StandWhereTheirVariablesSay) {
  const auto plane = conformations_over({hinge_bend(), lift()}, ensemble(4000), kHingeLength, kAxis);
  const auto& axes = plane.grid.axes;
  ASSERT_EQ(plane.structures.size(), plane.grid.reached.size() * kHingeLength);
  double mean = 0;
  for (std::size_t n = 0; n < plane.grid.reached.size(); ++n) {
    const double angle = axes[0].at(plane.grid.reached[n] / kAxis),
                 up = axes[1].at(plane.grid.reached[n] % kAxis);
    const std::span<const float> x(plane.structures.data() + n * kHingeLength, kHingeLength);
    const double off = geometry::superposed_rmsd(x, lifted(angle, up));
    EXPECT_NEAR(hinge_bend().value(x), angle, 0.051 * axes[0].length() / (kAxis - 1));
    EXPECT_NEAR(lift().value(x), up, 0.051 * axes[1].length() / (kAxis - 1));
    // Averages of 80 structures: 0.3 Å · √3 / √80 is 0.06, twice that by the regression.
    if (well_inside(angle, up)) {
      EXPECT_LT(off, 0.2) << angle << " " << up;
    }
    mean += off / static_cast<double>(plane.grid.reached.size());
  }
  // At the edges and beyond, where all structures lie to one side, their noise grows.
  EXPECT_LT(mean, 0.3);
}

TEST(ConformationsOver, LeaveOutWhatNothingReaches) {
  const auto plane = conformations_over({hinge_bend(), lift()}, ensemble(4000), kHingeLength, kAxis);
  const auto reached = plane.grid.reaches();
  std::size_t inside = 0, all = 0;
  for (std::size_t k = 0; k < reached.size(); ++k) {
    const double angle = plane.grid.axes[0].at(k / kAxis), up = plane.grid.axes[1].at(k % kAxis);
    // One spacing is 0.07 and 0.5 Å; noise moves the variables by 0.02 and 0.1 Å.
    if (angle > 0.43 && up > 2.9) {
      EXPECT_FALSE(reached[k]) << angle << " " << up;
    }
    if (!well_inside(angle, up)) continue;
    ++all, inside += reached[k];
  }
  EXPECT_GT(all, 25u);
  EXPECT_EQ(inside, all);
}

TEST(ConformationsOver, DoNotDependOnThreads) {
  const auto structures = ensemble(400);
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = conformations_over({hinge_bend(), lift()}, structures, kHingeLength, 5);
  set_thread_count(3);
  const auto three = conformations_over({hinge_bend(), lift()}, structures, kHingeLength, 5);
  set_thread_count(threads);
  EXPECT_EQ(one.structures, three.structures);
}

TEST(ConformationsOver, SayWhatIsWrong) {
  EXPECT_NE(error_of([&] {
              conformations_over({hinge_bend(), lift()}, ensemble(19), kHingeLength);
            }).find("at least 20"),
            std::string::npos);
  // Twenty-one structures over 21 by 21 points: no five are near each other.
  EXPECT_NE(error_of([&] {
              conformations_over({hinge_bend(), lift()}, ensemble(21), kHingeLength);
            }).find("too few"),
            std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
