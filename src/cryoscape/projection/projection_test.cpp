#include <gtest/gtest.h>

#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/projection/reference.hpp"

using namespace cryoscape;
using namespace cryoscape::projection;

namespace {

/// Random beads, poses and shifts; some beads lie partly or wholly outside the image.
struct Case {
  ProjectionSpec spec;
  torch::Tensor amplitudes, coordinates, rotations, shifts;

  Case(int box, float pixel_size, float sigma, int batch, int beads, int seed) {
    torch::manual_seed(seed);
    spec.box = box, spec.pixel_size = pixel_size, spec.sigma = sigma;
    amplitudes = 20 + 60 * torch::rand({beads});
    coordinates = 0.25 * box * pixel_size * torch::randn({batch, beads, 3});
    rotations = std::get<0>(torch::linalg_qr(torch::randn({batch, 3, 3})));
    shifts = 3 * torch::randn({batch, 2});
  }

  std::span<const float> a() const { return {amplitudes.data_ptr<float>(), static_cast<std::size_t>(amplitudes.numel())}; }
  int batch() const { return static_cast<int>(coordinates.size(0)); }

  torch::Tensor fast() const {
    auto images = torch::empty({batch(), spec.box, spec.box});
    project(spec, a(), batch(), coordinates.data_ptr<float>(), rotations.contiguous().data_ptr<float>(),
            shifts.data_ptr<float>(), images.data_ptr<float>());
    return images;
  }
  torch::Tensor fast_gradient(const torch::Tensor& outer) const {
    auto gradient = torch::empty_like(coordinates);
    project_backward(spec, a(), batch(), coordinates.data_ptr<float>(), rotations.contiguous().data_ptr<float>(),
                     shifts.data_ptr<float>(), outer.data_ptr<float>(), gradient.data_ptr<float>());
    return gradient;
  }
  torch::Tensor reference(const torch::Tensor& x, bool window) const {
    return project_reference(spec, amplitudes.to(torch::kFloat64), x, rotations.to(torch::kFloat64),
                             shifts.to(torch::kFloat64), window);
  }
};

double relative(const torch::Tensor& a, const torch::Tensor& b) {
  const auto x = a.to(torch::kFloat64), y = b.to(torch::kFloat64);
  return ((x - y).norm() / y.norm()).item<double>();
}

std::vector<Case> cases() { return {{64, 1.5f, 2, 3, 50, 1}, {128, 1, 2, 2, 200, 2}, {30, 3, 2, 4, 17, 3}, {48, 0.7f, 3.5f, 2, 9, 4}}; }

}  // namespace

TEST(Project, AgreesWithTheReference) {
  for (const auto& c : cases()) {
    const auto x = c.coordinates.to(torch::kFloat64);
    EXPECT_LT(relative(c.fast(), c.reference(x, true)), 1e-5) << c.spec.box;
    EXPECT_LT(relative(c.fast(), c.reference(x, false)), 1e-4) << c.spec.box;
  }
}

TEST(ProjectBackward, AgreesWithTheReference) {
  for (const auto& c : cases()) {
    const auto outer = torch::randn({c.batch(), c.spec.box, c.spec.box});
    for (const bool window : {true, false}) {
      const auto x = c.coordinates.to(torch::kFloat64).requires_grad_();
      (c.reference(x, window) * outer).sum().backward();
      EXPECT_LT(relative(c.fast_gradient(outer), x.grad()), window ? 2e-5 : 1e-3) << c.spec.box;
    }
  }
}

TEST(Project, ConservesTheAmplitudeOfBeadsInside) {
  ProjectionSpec spec;
  spec.box = 64, spec.pixel_size = 1.3f, spec.sigma = 2.5f;
  const float amplitude = 40, x[3] = {3, -7, 11}, identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, shift[2] = {0.4f, 0};
  std::vector<float> image(64 * 64);
  project_one(spec, {&amplitude, 1}, x, identity, shift, image.data());
  double sum = 0, mean_x = 0, mean_y = 0;
  for (int i = 0; i < 64 * 64; ++i) sum += image[i], mean_x += image[i] * (i % 64 - 32), mean_y += image[i] * (i / 64 - 32);
  EXPECT_NEAR(sum, amplitude, 2e-4 * amplitude);
  EXPECT_NEAR(mean_x / sum * 1.3, 3 - 0.4, 1e-3);
  EXPECT_NEAR(mean_y / sum * 1.3, -7, 1e-3);
}

TEST(Project, BeadsOutsideAreLeftOut) {
  ProjectionSpec spec;
  spec.box = 16;
  const float amplitude = 1, identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, shift[2] = {0, 0};
  for (const float far : {-1e6f, 200.0f, 1e6f}) {
    const float x[3] = {far, 0, 0};
    std::vector<float> image(256, 7.0f);
    float gradient[3] = {9, 9, 9};
    project_one(spec, {&amplitude, 1}, x, identity, shift, image.data());
    for (float v : image) EXPECT_EQ(v, 0);
    project_one_backward(spec, {&amplitude, 1}, x, identity, shift, image.data(), gradient);
    for (float v : gradient) EXPECT_EQ(v, 0);
  }
}
