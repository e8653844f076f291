#include "cryoscape/model/no_particle.hpp"

#include <gtest/gtest.h>

#include "cryoscape/model/test_scene.hpp"

namespace cryoscape::model {
namespace {

TEST(NoParticleLikelihood, IsThatOfAMoleculeWithoutElectrons) {
  const TestScene scene(16, 6, 5, 8, 2, 4);
  const auto spectral = scene.spectral();
  const auto batch = scene.view();
  std::vector<float> nothing(5), empty(5);
  no_particle_likelihood(spectral, batch, nothing);
  const std::vector<float> no_electrons(8, 0.0f);
  LikelihoodOutput output;
  output.log_likelihood = empty.data();
  evaluate_likelihood(scene.spec, no_electrons, spectral, {}, batch, output);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(nothing[i], empty[i], 1e-6 * std::abs(empty[i]));
}

}  // namespace
}  // namespace cryoscape::model
