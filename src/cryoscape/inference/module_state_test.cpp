#include "cryoscape/inference/module_state.hpp"

#include <gtest/gtest.h>

#include "cryoscape/latent/prior.hpp"

namespace cryoscape::inference {
namespace {

std::shared_ptr<latent::Prior> mixture(int components) {
  latent::PriorOptions options;
  options.kind = "mixture", options.dim = 2, options.components = components;
  return latent::make_prior(options, 1);
}

}  // namespace

TEST(ModuleState, MovesParametersAndFlagsToAnotherModule) {
  const auto from = mixture(3), to = mixture(3);
  auto g = torch::make_generator<at::CPUGeneratorImpl>(2);
  from->after_warm_up(torch::randn({100, 2}, g), torch::full({100, 2}, 0.3f), g);
  const auto z = torch::randn({10, 2}, g);
  const auto state = state_of(*from);
  set_state(*to, state);
  EXPECT_TRUE(to->energy(z).equal(from->energy(z)));
  // The state is a copy.
  from->after_warm_up(torch::randn({100, 2}, g) + 4, torch::full({100, 2}, 0.3f), g);
  EXPECT_FALSE(to->energy(z).equal(from->energy(z)));
  set_state(*from, state);
  EXPECT_TRUE(to->energy(z).equal(from->energy(z)));
}

TEST(ModuleState, OfAnotherFormIsRefused) {
  EXPECT_THROW(set_state(*mixture(2), state_of(*mixture(3))), std::invalid_argument);
}

}  // namespace cryoscape::inference
