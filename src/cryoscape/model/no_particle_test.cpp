#include "cryoscape/model/no_particle.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

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

TEST(OtherObjectLikelihood, IsThatOfAGaussianWithNoiseAndObjectPower) {
  TestScene scene(16, 6, 4, 8, 2, 5);
  const auto spectral = scene.spectral();
  const std::vector<double> power(static_cast<std::size_t>(spectral.shells()), 900.0);
  // Data with |X|² = S + P at every coefficient: then −2 ln p is Σ [1 + ln 2π(S + P)].
  std::vector<double> expected(4, 0.0);
  const auto batch = scene.view();
  auto* data = const_cast<std::complex<float>*>(batch.spectra);
  const auto shell = optics::shell_table(16);
  for (std::size_t i = 0; i < 4; ++i) {
    const int group = static_cast<int>(batch.groups[i]);
    for (std::size_t f = 0; f < shell.size(); ++f) {
      if (shell[f] < 1 || shell[f] > 6) continue;
      const double noise = spectral.power(group)[shell[f]], gain = spectral.gain(group)[shell[f]],
                   ctf = batch.ctf[shell.size() * i + f], total = noise + gain * gain * ctf * ctf * 900;
      data[shell.size() * i + f] = static_cast<float>(std::sqrt(total));
      expected[i] -= 0.5 * optics::multiplicity(static_cast<int>(f) % 9, 16) *
                     (1 + std::log(2 * std::numbers::pi * total));
    }
  }
  std::vector<float> found(4), nothing(4);
  other_object_likelihood(spectral, batch, power, found);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], expected[i], 1e-5 * std::abs(expected[i]));
  no_particle_likelihood(spectral, batch, nothing);
  other_object_likelihood(spectral, batch, std::vector<double>(power.size(), 0.0), found);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(found[i], nothing[i]);
}

TEST(MoleculePower, IsWhatPredictionsHaveOverTheirCtfs) {
  const TestScene scene(16, 6, 6, 8, 2, 6);
  const auto spectral = scene.spectral();
  std::vector<double> ctf(static_cast<std::size_t>(2 * spectral.shells()), 0.0);
  add_ctf_power(spectral, scene.view(), ctf);
  std::vector<SpectralSums> sums(ctf.size());
  for (std::size_t k = 0; k < sums.size(); ++k)
    sums[k].prediction_power = 3.0 * static_cast<double>(k % 9) * ctf[k];
  const auto power = molecule_power(spectral, sums, ctf);
  ASSERT_EQ(power.size(), 9u);
  for (std::size_t s = 0; s < 9; ++s) EXPECT_NEAR(power[s], s >= 1 && s <= 6 ? 3.0 * s : 0, 1e-9);
}

}  // namespace
}  // namespace cryoscape::model
