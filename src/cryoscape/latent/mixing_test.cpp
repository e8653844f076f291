#include "cryoscape/latent/mixing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

/// Chains x_{t+1} = a x_t + √(1−a²) ξ about a mean of their own.
std::vector<double> autoregressive(std::size_t chains, std::size_t length, double a, double apart = 0) {
  std::vector<double> values;
  for (std::size_t k = 0; k < chains; ++k) {
    Philox random(5, k);
    double x = random.normal();
    for (std::size_t t = 0; t < length; ++t) {
      values.push_back(x + apart * static_cast<double>(k));
      x = a * x + std::sqrt(1 - a * a) * random.normal();
    }
  }
  return values;
}

}  // namespace

TEST(SplitRHat, IsOneForChainsThatAgree) {
  const auto x = autoregressive(8, 2000, 0.3);
  EXPECT_NEAR(split_r_hat({x, 8}), 1, 0.01);
}

TEST(SplitRHat, SeesChainsApartAndChainsThatDrift) {
  const auto apart = autoregressive(8, 2000, 0.3, 0.5);
  EXPECT_GT(split_r_hat({apart, 8}), 1.2);
  std::vector<double> drift;
  for (int k = 0; k < 4; ++k)
    for (int t = 0; t < 100; ++t) drift.push_back(t);
  EXPECT_GT(split_r_hat({drift, 4}), 1.5);
}

TEST(SplitRHat, TellsConstantsFromStuckChains) {
  const std::vector<double> same(40, 2.0);
  EXPECT_EQ(split_r_hat({same, 4}), 1);
  std::vector<double> stuck(20, 1.0);
  stuck.resize(40, 2.0);
  EXPECT_TRUE(std::isinf(split_r_hat({stuck, 2})));
}

TEST(AutocorrelationTime, IsThatOfAnAutoregressiveChain) {
  for (const double a : {0.0, 0.5, 0.9}) {
    const auto x = autoregressive(16, 5000, a);
    const double exact = (1 + a) / (1 - a);
    EXPECT_NEAR(autocorrelation_time({x, 16}), exact, 0.15 * exact) << a;
  }
  const std::vector<double> same(40, 2.0);
  EXPECT_EQ(autocorrelation_time({same, 4}), 1);
}
