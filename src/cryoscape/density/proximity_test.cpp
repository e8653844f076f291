#include "cryoscape/density/proximity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr std::size_t kBeads = 4, kDim = 2;

/// A particle whose conformation is linear in two latents.
struct Linear {
  std::vector<float> conformation, jacobian, covariance, target;

  explicit Linear(std::uint64_t seed, double spread) : target(3 * kBeads) {
    Philox random(seed);
    for (std::size_t i = 0; i < 3 * kBeads; ++i) conformation.push_back(static_cast<float>(random.normal()));
    for (std::size_t i = 0; i < 3 * kBeads; ++i)
      target[i] = conformation[i] + static_cast<float>(0.5 * random.normal());
    for (std::size_t i = 0; i < 3 * kBeads * kDim; ++i)
      jacobian.push_back(static_cast<float>(random.normal()));
    const double a = spread, b = 0.4 * spread, c = 0.7 * spread;  // a root
    covariance = {static_cast<float>(a * a), static_cast<float>(a * b), static_cast<float>(a * b),
                  static_cast<float>(b * b + c * c)};
    root = {a, 0, b, c};
  }
  Proximity proximity() const {
    Proximity out(1, 1, kDim);
    const std::vector<std::vector<float>> targets{target};
    out.set(0, conformation, jacobian, covariance, targets);
    return out;
  }
  /// Mean kernel of draws of the posterior.
  double sampled(double bandwidth, int draws) const {
    Philox random(9);
    double sum = 0;
    for (int n = 0; n < draws; ++n) {
      const double u = random.normal(), v = random.normal();
      const double z[2] = {root[0] * u + root[1] * v, root[2] * u + root[3] * v};
      double square = 0;
      for (std::size_t i = 0; i < 3 * kBeads; ++i)
        square +=
            std::pow(conformation[i] + z[0] * jacobian[i] + z[1] * jacobian[3 * kBeads + i] - target[i], 2);
      sum += std::exp(-0.5 * square / kBeads / (bandwidth * bandwidth));
    }
    return sum / draws;
  }

  std::array<double, 4> root{};
};

}  // namespace

TEST(Proximity, IsTheMeanKernelOfThePosterior) {
  for (const double spread : {0.1, 0.5, 2.0})
    for (const double bandwidth : {0.5, 1.0, 3.0}) {
      const Linear linear(3, spread);
      const double expected = linear.sampled(bandwidth, 200000);
      EXPECT_NEAR(linear.proximity().weight(0, 0, bandwidth), expected, 0.02 * expected + 1e-4)
          << spread << " " << bandwidth;
    }
}

TEST(Proximity, ParticlesKnownBadlyCountLess) {
  Linear sharp(4, 1e-3), blurred(4, 3);
  sharp.conformation = sharp.target, blurred.conformation = blurred.target;
  EXPECT_NEAR(sharp.proximity().weight(0, 0, 0.5), 1, 1e-4);
  EXPECT_LT(blurred.proximity().weight(0, 0, 0.5), 0.2);
  // A kernel that is wide against the posterior does not tell them apart.
  EXPECT_GT(blurred.proximity().weight(0, 0, 100), 0.99);
}

TEST(Proximity, ParticlesWithoutAConformationHaveNoWeight) {
  const Proximity empty(2, 1, kDim);
  EXPECT_EQ(empty.weight(1, 0, 10), 0);
  EXPECT_TRUE(std::isinf(empty.distance(1, 0)));
}

TEST(EffectiveNumber, CountsEqualWeights) {
  EXPECT_DOUBLE_EQ(effective_number(std::vector<double>{2, 2, 2, 0}), 3);
  EXPECT_DOUBLE_EQ(effective_number(std::vector<double>{}), 0);
}
