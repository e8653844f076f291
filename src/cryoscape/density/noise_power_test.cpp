#include "cryoscape/density/noise_power.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/particles/test_stacks.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 48, kCount = 120;
const particles::ImageGrid kGrid{kBox, 2, 0.7 * kBox * 2, 1};

/// Images of white noise, or of noise whose amplitude falls with frequency, in two optics groups by turns.
particles::ParticleSet noise_set(const std::filesystem::path& folder, const std::vector<float>& filter) {
  std::vector<std::vector<float>> images;
  for (int i = 0; i < kCount; ++i) {
    images.push_back(particles::white_noise(kBox, 1 + i, 3, 2));
    if (i % 2) optics::apply_filter(kBox, images.back().data(), filter.data());
  }
  auto set = particles::set_of(folder, "p.mrcs", kBox, 2, images);
  set.optics_groups.push_back(set.optics_groups[0]);
  for (int i = 0; i < kCount; ++i) set.particles[i].optics_group = static_cast<std::uint16_t>(i % 2);
  return set;
}

}  // namespace

TEST(MeasureNoisePower, FindsWhiteAndColouredNoise) {
  const auto folder = particles::test_folder();
  std::vector<float> filter;
  double mean = 0;
  for (int row = 0; row < kBox; ++row)
    for (int kx = 0; kx <= kBox / 2; ++kx) {
      const double f = std::hypot(kx, optics::row_frequency(row, kBox)) / kBox;
      filter.push_back(static_cast<float>(1 / (1 + 4 * f)));
      if (kx || row) mean += optics::multiplicity(kx, kBox) * std::pow(filter.back(), 2) / (kBox * kBox);
    }
  const auto set = noise_set(folder, filter);
  io::StackReader reader;
  const auto power = measure_noise_power(set, reader, kGrid);
  ASSERT_EQ(power.size(), 2u);
  // A third of 60 images' pixels is background: about 200 s independent values per shell s, and seven shells
  // make a mean; the window mixes neighbours, and subtracting the background's mean takes the lowest.
  for (int s = 5; s <= kBox / 2; ++s) {
    const double expected = std::pow(1 / (1 + 4.0 * s / kBox), 2) / mean;
    EXPECT_NEAR(power[0][s] / (kBox * kBox), 1, 0.06) << s;
    EXPECT_NEAR(power[1][s] / (kBox * kBox) / expected, 1, 0.08) << s;
  }
}

TEST(MeasureNoisePower, DoesNotDependOnThreadsAndTakesASample) {
  const auto set = noise_set(particles::test_folder(), std::vector<float>(optics::half_size(kBox), 1));
  io::StackReader reader;
  const int before = thread_count();
  set_thread_count(1);
  const auto one = measure_noise_power(set, reader, kGrid);
  set_thread_count(3);
  EXPECT_EQ(measure_noise_power(set, reader, kGrid), one);
  set_thread_count(before);
  EXPECT_NE(measure_noise_power(set, reader, kGrid, 10), one);
}
