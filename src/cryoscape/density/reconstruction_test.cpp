#include "cryoscape/density/reconstruction.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/test_particles.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 32, kViews = 1500;
const std::vector<std::array<float, 9>> kNoTurn{{1, 0, 0, 0, 1, 0, 0, 0, 1}};

/// Exact slices of random views, each under a contrast transfer function of its own.
Accumulator exact_slices(const Gaussians& truth) {
  Philox random(7);
  Accumulator sums(kBox);
  Slice s;
  s.box = kBox;
  s.samples.resize(optics::half_size(kBox));
  for (int i = 0; i < kViews; ++i) {
    const auto r = random_turn(random);
    std::copy_n(r.begin(), 6, s.axes.begin());
    s.rows = sphere_rows(kBox, s.axes);
    const double defocus = 0.05 + 0.05 * random.uniform();
    for (int row = 0; row < kBox; ++row)
      for (int kx = s.rows[row].begin; kx < s.rows[row].end; ++kx) {
        const int ky = optics::row_frequency(row, kBox);
        const double ctf = std::sin(0.2 + defocus * (kx * kx + ky * ky));
        geometry::Vec3 k;
        for (int c = 0; c < 3; ++c) k[c] = kx * double{r[c]} + ky * double{r[3 + c]};
        const auto value = ctf * ctf * truth.transform(k, kBox);
        s.samples[row * (kBox / 2 + 1) + kx] = {static_cast<float>(value.real()),
                                                static_cast<float>(value.imag()),
                                                static_cast<float>(ctf * ctf), 0};
      }
    insert_slice(sums, s, kNoTurn, 0, sums.planes - 1);
  }
  complete(sums);
  return sums;
}

}  // namespace

TEST(Reconstruct, ExactSlicesGiveTheMapAndItsScale) {
  const auto truth = random_gaussians(12, 8, 1);
  const auto sums = exact_slices(truth);
  const Accumulator* const one[] = {&sums};
  const auto map = reconstruct(one, std::vector<double>(kBox / 2 + 1, 0.0));
  const auto expected = truth.map(kBox);
  const auto fsc = map_correlation(kBox, map, expected, soft_sphere(kBox, 1, 22, 4));
  // At shell 13 the signal's power has fallen to 4e-7: errors of interpolation begin to show.
  for (int s = 1; s <= 11; ++s) EXPECT_GT(fsc[s], 0.999) << s;
  for (int s = 12; s <= 13; ++s) EXPECT_GT(fsc[s], 0.99) << s;
  double largest = 0, error = 0, dot = 0, square = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    largest = std::max(largest, double{expected[i]});
    dot += double{map[i]} * expected[i], square += double{expected[i]} * expected[i];
  }
  for (int z = 4; z < kBox - 4; ++z)
    for (int y = 4; y < kBox - 4; ++y)
      for (int x = 4; x < kBox - 4; ++x) {
        const std::size_t i = (z * kBox + y) * kBox + x;
        error = std::max(error, std::abs(double{map[i]} - expected[i]));
      }
  EXPECT_LT(error / largest, 0.02);  // interpolation on a grid twice as fine, 1500 views
  EXPECT_NEAR(dot / square, 1, 0.01);
}

TEST(ShellWeights, OfOneWeightEverywhere) {
  Accumulator sums(kBox);
  for (auto& v : sums.voxels) v.weight = 3;
  const Accumulator* const two[] = {&sums, &sums};
  const auto weights = shell_weights(two);
  ASSERT_EQ(weights.size(), static_cast<std::size_t>(kBox / 2 + 1));
  for (const double w : weights) EXPECT_NEAR(w, 6, 1e-6);
}

TEST(NoiseToSignal, OfHalfMaps) {
  const auto ratio = noise_to_signal(std::vector<double>{1, 0.5, -0.3}, 0.02);
  EXPECT_EQ(ratio[0], 0);
  EXPECT_NEAR(ratio[1], 0.5, 1e-12);  // 2h/(1+h) = 2/3
  EXPECT_NEAR(ratio[2], 49, 1e-9);    // least: 0.02
}

TEST(Reconstruct, DampsDirectionsThatFewViewsReach) {
  // Weight along z a tenth of that elsewhere: with noise as strong as signal there remains (1 + 1)/(1 + W/0.1
  // W).
  Accumulator sums(kBox);
  for (int z = 0; z < sums.planes; ++z)
    for (int y = -sums.centre; y <= sums.centre; ++y)
      for (int x = -sums.centre; x <= sums.centre; ++x) {
        const bool few = z > 10 && x * x + y * y < 196;
        sums.voxels[sums.index(x, y, z)] = {few ? 0.1f : 1.0f, 0, few ? 0.1f : 1.0f, 0};
      }
  const Accumulator* const one[] = {&sums};
  const auto mean = shell_weights(one);
  const auto map = reconstruct(one, std::vector<double>(kBox / 2 + 1, 1.0));
  std::vector<std::complex<float>> spectrum(optics::half_size3(kBox));
  optics::rfft3(kBox, map.data(), spectrum.data());
  const auto along = [&](int z) {
    return std::abs(spectrum[static_cast<std::size_t>(z) * kBox * (kBox / 2 + 1)]);
  };
  const double across = std::abs(spectrum[12]);
  EXPECT_NEAR(along(12) / across, (2 / (1 + mean[12] / 0.1)) / (2 / (1 + mean[12])),
              0.05);  // the step's ripples
}
