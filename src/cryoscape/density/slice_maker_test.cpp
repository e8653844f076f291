#include "cryoscape/density/slice_maker.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/density/test_particles.hpp"
#include "cryoscape/optics/spectrum.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

TEST(SliceMaker, GivesTheWeightedTransformAboutTheCentre) {
  constexpr int kBox = 32;
  const auto folder = particles::test_folder();
  const auto truth = random_gaussians(10, 6, 2);
  const auto set = simulated_set(folder, truth, kBox, 3, 1e-4);
  const particles::ImageGrid grid{kBox, 2, 0.98 * kBox * 2, 1};
  // Noise of a quarter of white noise's power in the first shells and of four times in the others.
  std::vector<double> noise(kBox / 2 + 1, 4.0 * kBox * kBox);
  std::fill(noise.begin(), noise.begin() + 5, 0.25 * kBox * kBox);
  SliceMaker maker(set, grid, {noise});
  io::StackReader reader;
  for (std::size_t i = 0; i < set.size(); ++i) {
    Slice slice;
    ASSERT_TRUE(maker.make(reader, i, slice));
    const auto& p = set.particles[i];
    std::vector<float> ctf(optics::half_size(kBox));
    optics::evaluate_ctf(set.optics_groups[0], p.ctf, kBox, 2, ctf);
    // Normalisation of the background has scaled the image by one factor.
    std::complex<double> dot;
    double xx = 0, yy = 0;
    for (int row = 0; row < kBox; ++row)
      for (int kx = slice.rows[row].begin; kx < slice.rows[row].end; ++kx) {
        const int ky = optics::row_frequency(row, kBox);
        if (!kx && !ky) continue;  // the background's mean
        const std::size_t f = static_cast<std::size_t>(row) * (kBox / 2 + 1) + kx;
        const double inverse = optics::shell_index(kx, ky) < 5 ? 4 : 0.25;
        EXPECT_NEAR(slice.samples[f].weight, inverse * ctf[f] * ctf[f], 1e-4 * inverse);
        geometry::Vec3 k;
        for (int c = 0; c < 3; ++c) k[c] = kx * double{p.rotation[c]} + ky * double{p.rotation[3 + c]};
        const auto expected = inverse * ctf[f] * ctf[f] * truth.transform(k, kBox);
        const std::complex<double> found(slice.samples[f].real, slice.samples[f].imaginary);
        dot += found * std::conj(expected), xx += std::norm(found), yy += std::norm(expected);
      }
    // Images end at the box's edges and Gaussians are drawn at voxel centres: a few 1e-3.
    EXPECT_GT(dot.real() / std::sqrt(xx * yy), 0.995) << i;
  }
}

TEST(SliceMaker, BringsAGroupsPixelSizeAndMagnificationToTheGrid) {
  // Stored as 40 pixels of 1.6 Å, on a grid of 32 pixels of 2 Å; a point A·x of a projection appears at
  // Mᵀ·A·x.
  constexpr int kStored = 40, kBox = 32;
  constexpr double kScale = 2 / 1.6;
  const std::array<double, 4> m{1.04, 0.03, -0.02, 0.97};
  const auto truth = random_gaussians(10, 5, 2);
  auto stored = truth;
  stored.sigma *= kScale;
  for (auto& x : stored.centres)
    for (double& c : x) c *= kScale;
  Philox random(4);
  const auto turn = random_turn(random);
  auto seen = turn;
  for (int c = 0; c < 3; ++c) {
    seen[c] = static_cast<float>(m[0] * turn[c] + m[2] * turn[3 + c]);
    seen[3 + c] = static_cast<float>(m[1] * turn[c] + m[3] * turn[3 + c]);
  }
  const auto folder = particles::test_folder();
  auto image = stored.projection(kStored, seen, 1 * kScale, -2 * kScale);
  auto set = particles::set_of(folder, "p.mrcs", kStored, 1.6, {image});
  auto& group = set.optics_groups[0];
  group.magnification = m;
  auto& p = set.particles[0];
  p.rotation = turn, p.shift = {2, -4};
  std::vector<float> filter(optics::half_size(kStored)), ctf(optics::half_size(kBox));
  optics::evaluate_ctf(group, p.ctf, kStored, 1.6, filter);
  optics::apply_filter(kStored, image.data(), filter.data());
  particles::set_of(folder, "p.mrcs", kStored, 1.6, {image});
  optics::evaluate_ctf(group, p.ctf, kBox, 2, ctf);

  SliceMaker maker(set, {kBox, 2, 0.98 * kBox * 2, 1}, {std::vector<double>(kBox / 2 + 1, kBox * kBox)});
  io::StackReader reader;
  Slice slice;
  ASSERT_TRUE(maker.make(reader, 0, slice));
  double dot = 0, xx = 0, yy = 0;
  for (int row = 0; row < kBox; ++row)
    for (int kx = slice.rows[row].begin; kx < slice.rows[row].end; ++kx) {
      const int ky = optics::row_frequency(row, kBox);
      if (!kx && !ky) continue;
      const std::size_t f = static_cast<std::size_t>(row) * (kBox / 2 + 1) + kx;
      const double u = m[0] * kx + m[1] * ky, v = m[2] * kx + m[3] * ky;
      geometry::Vec3 k;
      for (int c = 0; c < 3; ++c) {
        k[c] = u * turn[c] + v * turn[3 + c];
        EXPECT_NEAR(kx * slice.axes[c] + ky * slice.axes[3 + c], k[c], 1e-4);
      }
      const std::complex<double> found(slice.samples[f].real, slice.samples[f].imaginary),
          expected = double{ctf[f]} * ctf[f] * truth.transform(k, kBox);
      dot += (found * std::conj(expected)).real(), xx += std::norm(found), yy += std::norm(expected);
    }
  // The Gaussians' own shape is not magnified here: some 1e-3.
  EXPECT_GT(dot / std::sqrt(xx * yy), 0.99);
}
