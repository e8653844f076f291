#include "cryoscape/latent/batch_density.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::latent;

TEST(BatchDensity, IsTheSumOfTheParticlesDensities) {
  torch::manual_seed(1);
  const auto options = torch::TensorOptions(torch::kFloat64);
  for (const auto bits : {0, 3, 5}) {
    // Five latents: reals, both, bits.
    Posterior q{bits, torch::randn({7, 5}, options), {}, {}, {}};
    if (bits < 5) q.log_std = 0.5 * torch::randn({7, 5 - bits}, options);
    auto z = torch::randn({20, 5}, options);
    z.narrow(1, 0, bits).copy_((z.narrow(1, 0, bits) > 0).to(torch::kFloat64));
    std::vector<torch::Tensor> each;
    for (std::int64_t j = 0; j < 7; ++j) {
      Posterior one{bits, q.mean.narrow(0, j, 1).expand({20, 5}), {}, {}, {}};
      if (q.has_reals()) one.log_std = q.log_std.narrow(0, j, 1).expand({20, 5 - bits});
      each.push_back(log_density(one, z));
    }
    const auto expected = torch::logsumexp(torch::stack(each), 0);
    EXPECT_TRUE(torch::allclose(summed_log_density(q, z), expected, 1e-9, 1e-9)) << bits;
  }
}
