#include "cryoscape/density/kernel_maps.hpp"

#include <gtest/gtest.h>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/test_motion.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = kMovingBox;

class Kernel : public MovingParticles {
 protected:
  /// Half-sets whose conformations are known exactly.
  std::array<HalfSource, 2> near(std::span<const std::vector<float>> targets) {
    proximity_.emplace(set_.size(), targets.size(), 1);
    const std::vector<float> still(targets[0].size(), 0.0f), none{0};
    auto out = halves();
    for (auto& half : out) {
      for (const auto i : half.members)
        proximity_->set(i, half.conformations(std::span(&i, 1)), still, none, targets);
      half.proximity = &*proximity_;
    }
    return out;
  }
  std::optional<Proximity> proximity_;
};

/// A half-complex spectrum of noise of a standard deviation about a signal per shell.
std::vector<std::complex<float>> spectrum_of(double noise, const std::function<double(int)>& signal,
                                             std::uint64_t seed) {
  std::vector<std::complex<float>> out;
  Philox random(seed);
  for (int z = 0; z < kBox; ++z)
    for (int y = 0; y < kBox; ++y)
      for (int x = 0; x <= kBox / 2; ++x) {
        const int kz = optics::row_frequency(z, kBox), ky = optics::row_frequency(y, kBox);
        const int shell =
            static_cast<int>(std::lround(std::sqrt(static_cast<double>(x * x + ky * ky + kz * kz))));
        out.emplace_back(static_cast<float>(signal(shell) + noise * random.normal()),
                         static_cast<float>(noise * random.normal()));
      }
  return out;
}

}  // namespace

TEST(ChooseBandwidths, TakesTheWidestWithoutBiasShellByShell) {
  // The narrow kernel is right and noisy; the wide one is biased by 1 up to shell 5, where noise is 0.3.
  std::vector<std::array<std::vector<std::complex<float>>, 2>> spectra(2);
  for (int h = 0; h < 2; ++h) {
    spectra[0][h] = spectrum_of(
        0.3, [](int) { return 2.0; }, 1 + h);
    spectra[1][h] = spectrum_of(
        0.05, [](int shell) { return shell <= 5 ? 1.0 : 2.0; }, 3 + h);
  }
  const auto chosen = choose_bandwidths(kBox, spectra);
  for (int s = 1; s <= 5; ++s) EXPECT_EQ(chosen[s], 0) << s;
  for (int s = 7; s <= kBox / 2; ++s) EXPECT_EQ(chosen[s], 1) << s;
}

TEST_F(Kernel, BandwidthsReachFromFewParticlesToAll) {
  simulate(600, 1, [](int i) { return 0.01 * i; });
  const std::vector<std::vector<float>> targets{beads_of(moved(still_, 3))};
  const auto sources = near(targets);
  const auto bandwidths = kernel_bandwidths(sources, 0);
  ASSERT_EQ(bandwidths.size(), 7u);
  const auto worth = [&](double h) {
    std::vector<double> weights;
    for (const auto i : sources[0].members) weights.push_back(proximity_->weight(i, 0, h));
    return effective_number(weights);
  };
  EXPECT_NEAR(worth(bandwidths.front()), 100, 3);
  EXPECT_NEAR(worth(bandwidths.back()), 270, 5);
}

TEST_F(Kernel, SeparatesConformations) {
  simulate(1200, 0.06, [](int i) { return i % 4 < 2 ? 3.0 : 0.0; });
  const std::vector<std::vector<float>> targets{beads_of(moved(still_, 3)), beads_of(still_)};
  const auto sources = near(targets);
  io::StackReader reader;
  const auto maps = kernel_half_maps(sources, reader, moving_grid(), 0, "kernel");
  const auto truth = moved(still_, 3).map(kBox), other = still_.map(kBox);
  const auto right = map_correlation(kBox, maps.halves[0], truth),
             wrong = map_correlation(kBox, maps.halves[0], other);
  EXPECT_GT(mean_of(right, 1, 8), 0.9);
  EXPECT_GT(mean_of(right, 3, 8), mean_of(wrong, 3, 8) + 0.2);
  // Half of the particles are exactly there: no reason to take fewer, and the others are 2.1 Å away or more.
  EXPECT_NEAR(maps.effective[0], 300, 5);
}
