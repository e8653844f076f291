#include "cryoscape/density/neural_sampling.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/optics/spectrum.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

TEST(HalfSpace, HoldsOneOfEveryPair) {
  Philox random(1);
  for (int i = 0; i < 300; ++i) {
    float a[3], b[3];
    // Whole numbers, so that planes and axes occur.
    for (int c = 0; c < 3; ++c) a[c] = static_cast<float>(random.below(5)) - 2, b[c] = -a[c];
    const bool turned = turn_to_half_space(a), other = turn_to_half_space(b);
    for (int c = 0; c < 3; ++c) EXPECT_EQ(a[c], b[c]);
    const bool origin = a[0] == 0 && a[1] == 0 && a[2] == 0;
    EXPECT_EQ(turned != other, !origin);
    EXPECT_GE(a[0], 0);
  }
}

TEST(AtRadius, InterpolatesBetweenShells) {
  const std::vector<double> values{1, 3, 7};
  EXPECT_DOUBLE_EQ(at_radius(values, 0), 1);
  EXPECT_DOUBLE_EQ(at_radius(values, 1.25), 4);
  EXPECT_DOUBLE_EQ(at_radius(values, 2.5), 7);
}

namespace {

constexpr int kBox = 16;

/// A slice of random values, its axes turned a little.
Slice random_slice(Philox& random) {
  Slice slice;
  slice.box = kBox;
  const auto c = static_cast<float>(std::cos(0.7)), s = static_cast<float>(std::sin(0.7));
  slice.axes = {c, 0, s, 0, 1, 0};
  slice.rows = sphere_rows(kBox, slice.axes);
  slice.samples.resize(kBox * (kBox / 2 + 1));
  for (auto& v : slice.samples)
    v = {static_cast<float>(random.normal()), static_cast<float>(random.normal()),
         static_cast<float>(random.uniform()), 0};
  return slice;
}

}  // namespace

TEST(FrequencySampler, EstimatesTheWholeSlicesSumsWithoutBias) {
  Philox random(3);
  const auto slice = random_slice(random);
  std::vector<double> scale(kBox / 2 + 1), noise(kBox / 2 + 1);
  for (std::size_t s = 0; s < scale.size(); ++s)
    scale[s] = std::exp(-0.4 * static_cast<double>(s)), noise[s] = 1 + static_cast<double>(s % 3);
  const FrequencySampler sampler(kBox, scale, noise);
  // Sums of any function of k, of real parts and of weights: (1 + z) even and odd in k, so signs count.
  double exact[3] = {};
  for (int row = 0; row < kBox; ++row)
    for (int kx = slice.rows[row].begin; kx < slice.rows[row].end; ++kx) {
      const int ky = optics::row_frequency(row, kBox);
      const auto& v = slice.samples[row * (kBox / 2 + 1) + kx];
      const double a = at_radius(scale, std::hypot(kx, ky)) / (kBox * kBox);
      float k[3] = {kx * slice.axes[0], static_cast<float>(ky), kx * slice.axes[2]};
      const double sign = turn_to_half_space(k) ? -1 : 1;
      exact[0] += a * v.real * std::cos(k[1]);
      exact[1] += a * sign * v.imaginary * k[2];
      exact[2] += a * a * kBox * kBox * v.weight;
    }
  constexpr std::size_t kTurns = 4000;
  double mean[3] = {}, square[3] = {};
  for (std::size_t t = 0; t < kTurns; ++t) {
    FrequencyBatch batch;
    sampler.draw(slice, 50, random, batch);
    ASSERT_EQ(batch.size(), 50u);  // no magnification: none is outside
    double sum[3] = {};
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const float *k = batch.k.data() + 3 * i, *v = batch.samples.data() + 3 * i;
      sum[0] += v[0] * std::cos(k[1]), sum[1] += v[1] * k[2], sum[2] += v[2];
    }
    for (int j = 0; j < 3; ++j) mean[j] += sum[j] / kTurns, square[j] += sum[j] * sum[j] / kTurns;
  }
  for (int j = 0; j < 3; ++j)  // 4.5 standard errors: once in 10⁵
    EXPECT_NEAR(mean[j], exact[j], 4.5 * std::sqrt((square[j] - mean[j] * mean[j]) / kTurns)) << j;
}

TEST(FrequencySampler, DrawsLowShellsMoreOftenWhereTheirSignalIsStrong) {
  Philox random(5);
  const auto slice = random_slice(random);
  std::vector<double> scale(kBox / 2 + 1, 0.0), flat(kBox / 2 + 1, 1.0);
  scale[0] = scale[1] = scale[2] = 1;
  const auto low = [&](const FrequencySampler& sampler) {
    FrequencyBatch batch;
    sampler.draw(slice, 2000, random, batch);
    int count = 0;
    for (std::size_t i = 0; i < batch.size(); ++i)
      count += std::hypot(batch.k[3 * i], batch.k[3 * i + 1], batch.k[3 * i + 2]) < 3;
    return count / 2000.0;
  };
  const double uniform = low(FrequencySampler(kBox, flat, flat));
  // Half of the draws lie there, and half are uniform; a share of 2000 draws is known to 0.011.
  EXPECT_NEAR(low(FrequencySampler(kBox, scale, flat)), 0.5 + 0.5 * uniform, 0.05);
}
