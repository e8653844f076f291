#include "cryoscape/projection/cuda/bead_math.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::projection;
namespace gpu = cryoscape::projection::cuda;

namespace {

constexpr int kRows = 8;

/// One particle: beads in and about the image, a random view.
struct Particle {
  ProjectionSpec spec;
  std::vector<float> amplitudes, coordinates;
  float rotation[9], shift[2];

  Particle(ProjectionSpec given, int beads, std::uint64_t seed) : spec(given) {
    Philox random(seed, 0);
    for (int n = 0; n < beads; ++n) {
      amplitudes.push_back(20 + 60 * static_cast<float>(random.uniform()));
      for (int k = 0; k < 3; ++k)
        coordinates.push_back(0.3f * spec.box * spec.pixel_size * static_cast<float>(random.normal()));
    }
    const float a = 6 * static_cast<float>(random.uniform()), b = 3 * static_cast<float>(random.uniform());
    const float ca = std::cos(a), sa = std::sin(a), cb = std::cos(b), sb = std::sin(b);
    const float r[9] = {ca, -sa, 0, cb * sa, cb * ca, -sb, sb * sa, sb * ca, cb};
    std::copy(r, r + 9, rotation);
    for (float& s : shift) s = 3 * static_cast<float>(random.normal());
  }

  std::size_t beads() const { return amplitudes.size(); }
  std::size_t pixels() const { return static_cast<std::size_t>(spec.box) * spec.box; }
};

/// The forward kernel's work in plain loops: columns of kRows rows gather the beads that meet them.
std::vector<float> drawn(const Particle& p) {
  const auto grid = gpu::make_grid(p.spec);
  const auto view = gpu::view_of(grid, p.rotation, p.shift);
  std::vector<float> image(p.pixels());
  for (int row = 0; row < p.spec.box; row += kRows)
    for (int column = 0; column < p.spec.box; ++column) {
      float sums[kRows] = {};
      for (std::size_t n = 0; n < p.beads(); ++n) {
        const auto spot = gpu::place(grid, view, &p.coordinates[3 * n]);
        if (!spot.visible || !gpu::meets(spot.column, grid.reach, column, 1) ||
            !gpu::meets(spot.row, grid.reach, row, kRows))
          continue;
        float along_y[kRows];
        for (int r = 0; r < kRows; ++r) along_y[r] = gpu::profile(grid, spot.y, spot.row, row + r);
        gpu::add_bead<kRows>(
            gpu::drawn_weight(grid, p.amplitudes[n]) * gpu::profile(grid, spot.x, spot.column, column),
            along_y, sums);
      }
      for (int r = 0; r < kRows && row + r < p.spec.box; ++r)
        image[(row + r) * p.spec.box + column] = sums[r];
    }
  return image;
}

/// The backward kernel's work in plain loops.
std::vector<float> pulled(const Particle& p, const std::vector<float>& image) {
  const auto grid = gpu::make_grid(p.spec);
  const auto view = gpu::view_of(grid, p.rotation, p.shift);
  std::vector<float> gradient(3 * p.beads());
  for (std::size_t n = 0; n < p.beads(); ++n) {
    const auto spot = gpu::place(grid, view, &p.coordinates[3 * n]);
    gpu::Pull pull;
    for (int column = 0; spot.visible && column < p.spec.box; ++column) {
      gpu::ColumnSums sums;
      for (int row = 0; row < p.spec.box; ++row) {
        const float gy = gpu::profile(grid, spot.y, spot.row, row);
        sums.add(image[row * p.spec.box + column], gy, gy * (row - spot.y));
      }
      const float gx = gpu::profile(grid, spot.x, spot.column, column);
      pull.add(sums, gx, gx * (column - spot.x));
    }
    for (int k = 0; k < 3; ++k)
      gradient[3 * n + k] = gpu::coordinate_gradient(grid, view, p.amplitudes[n], pull, k);
  }
  return gradient;
}

double relative(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

std::vector<Particle> particles() {
  return {{{64, 1.5f, 2}, 50, 1},
          {{128, 1, 2}, 80, 2},
          {{30, 3, 2}, 17, 3},
          {{48, 0.7f, 3.5f}, 9, 4},
          {{36, 1, 7}, 6, 5}};
}

}  // namespace

TEST(CudaBeadMath, DrawsWhatTheCpuDraws) {
  for (const auto& p : particles()) {
    std::vector<float> expected(p.pixels());
    project_one(p.spec, p.amplitudes, p.coordinates.data(), p.rotation, p.shift, expected.data());
    EXPECT_LT(relative(drawn(p), expected), 1e-5) << p.spec.box;
  }
}

TEST(CudaBeadMath, PullsWhatTheCpuPulls) {
  for (const auto& p : particles()) {
    std::vector<float> image(p.pixels()), expected(3 * p.beads());
    Philox random(7, 0);
    for (float& v : image) v = static_cast<float>(random.normal());
    project_one_backward(p.spec, p.amplitudes, p.coordinates.data(), p.rotation, p.shift, image.data(),
                         expected.data());
    EXPECT_LT(relative(pulled(p, image), expected), 2e-5) << p.spec.box;
  }
}

TEST(CudaBeadMath, BeadsOutsideAreInvisible) {
  const auto grid = gpu::make_grid({16});
  const float identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, shift[2] = {0, 0};
  const auto view = gpu::view_of(grid, identity, shift);
  const float edge = static_cast<float>(8 + grid.reach);
  for (const float far : {-1e6f, -edge - 0.6f, edge, 1e30f, std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()})
    for (const auto& p : {std::array{far, 0.0f, 0.0f}, std::array{0.0f, far, 0.0f}})
      EXPECT_FALSE(gpu::place(grid, view, p.data()).visible) << far;
  for (const float near : {-edge, 0.0f, edge - 0.6f})
    EXPECT_TRUE(gpu::place(grid, view, std::array{near, 0.0f, 0.0f}.data()).visible) << near;
}
