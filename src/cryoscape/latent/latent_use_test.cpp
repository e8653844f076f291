#include "cryoscape/latent/latent_use.hpp"

#include <gtest/gtest.h>

using namespace cryoscape::latent;

// Two bits and two real latents, of which one each tells the two kinds of particles apart.
TEST(LatentUse, CountsLatentsThatTellParticlesApart) {
  const Posterior one{2, torch::tensor({{4.0f, 0.1f, -1.0f, 0.05f}}), torch::tensor({{-1.0f, 0.0f}})};
  const Posterior other{2, torch::tensor({{-4.0f, -0.1f, 1.0f, -0.05f}}), torch::tensor({{-1.0f, 0.0f}})};
  LatentUse use(2, 4);
  EXPECT_EQ(use.active(), 0);
  use.add(one);
  EXPECT_EQ(use.active(), 0);
  use.add(other);
  EXPECT_EQ(use.active(), 2);
  EXPECT_EQ(use.dim(), 4);
}

TEST(LatentUse, SumsOfPartsAddUp) {
  auto g = torch::make_generator<at::CPUGeneratorImpl>(1);
  const auto mean = torch::randn({10, 3}, g), log_std = torch::randn({10, 3}, g);
  LatentUse whole(0, 3), first(0, 3), second(0, 3);
  whole.add({0, mean, log_std});
  first.add({0, mean.narrow(0, 0, 4), log_std.narrow(0, 0, 4)});
  second.add({0, mean.narrow(0, 4, 6), log_std.narrow(0, 4, 6)});
  for (std::size_t i = 0; i < whole.sums().size(); ++i)
    EXPECT_NEAR(first.sums()[i] + second.sums()[i], whole.sums()[i], 1e-5);
}
