#include "cryoscape/latent/point_posterior.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::latent;

TEST(PointPosterior, OfBitsBesideRealsIsCertainOfBoth) {
  const auto z = torch::tensor({{1.0f, 0.0f, 2.5f}, {0.0f, 0.0f, -1.0f}});
  const auto q = point_posterior(2, z, torch::tensor({9.0f, 9.0f, 0.25f}));
  EXPECT_EQ(q.bits, 2);
  EXPECT_LT((expectation(q) - z).abs().max().item<double>(), 2e-6);
  EXPECT_LT((deviation(q).select(1, 2) - 0.25).abs().max().item<double>(), 1e-6);
}

TEST(PointPosterior, OfBitsAloneHasNoWidth) {
  const auto z = torch::tensor({{1.0f, 0.0f}});
  EXPECT_FALSE(point_posterior(2, z, {}).has_reals());
  EXPECT_LT((expectation(point_posterior(2, z, {})) - z).abs().max().item<double>(), 2e-6);
}

TEST(PointPosterior, OfRealsIsCentredOnThem) {
  const auto z = torch::tensor({{1.0f, -3.0f}});
  const auto q = point_posterior(0, z, torch::tensor({0.1f, 0.2f}));
  EXPECT_TRUE(expectation(q).equal(z));
  EXPECT_LT((deviation(q) - torch::tensor({{0.1f, 0.2f}})).abs().max().item<double>(), 1e-6);
}
