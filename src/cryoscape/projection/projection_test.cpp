#include <gtest/gtest.h>
#include <hwy/targets.h>

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

  std::span<const float> a() const {
    return {amplitudes.data_ptr<float>(), static_cast<std::size_t>(amplitudes.numel())};
  }
  int batch() const { return static_cast<int>(coordinates.size(0)); }

  torch::Tensor fast() const {
    auto images = torch::empty({batch(), spec.box, spec.box});
    project(spec, a(), batch(), coordinates.data_ptr<float>(), rotations.contiguous().data_ptr<float>(),
            shifts.data_ptr<float>(), images.data_ptr<float>());
    return images;
  }
  torch::Tensor fast_gradient(const torch::Tensor& outer) const {
    auto gradient = torch::empty_like(coordinates);
    project_backward(spec, a(), batch(), coordinates.data_ptr<float>(),
                     rotations.contiguous().data_ptr<float>(), shifts.data_ptr<float>(),
                     outer.data_ptr<float>(), gradient.data_ptr<float>());
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

std::vector<Case> cases() {
  return {{64, 1.5f, 2, 3, 50, 1},   {128, 1, 2, 2, 200, 2}, {30, 3, 2, 4, 17, 3},
          {48, 0.7f, 3.5f, 2, 9, 4}, {36, 1, 7, 2, 6, 5},    {20, 2.5f, 1, 3, 30, 6}};
}

}  // namespace

/// Calls body() with every instruction set that this machine and build have.
template <class Body>
void for_every_instruction_set(Body&& body) {
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(Project, AgreesWithTheReference) {
  for (const auto& c : cases()) {
    const auto x = c.coordinates.to(torch::kFloat64);
    const auto cut = c.reference(x, true), whole = c.reference(x, false);
    for_every_instruction_set([&] {
      EXPECT_LT(relative(c.fast(), cut), 1e-5) << c.spec.box;
      EXPECT_LT(relative(c.fast(), whole), 1e-4) << c.spec.box;
    });
  }
}

TEST(ProjectBackward, AgreesWithTheReference) {
  for (const auto& c : cases()) {
    const auto outer = torch::randn({c.batch(), c.spec.box, c.spec.box});
    for (const bool window : {true, false}) {
      const auto x = c.coordinates.to(torch::kFloat64).requires_grad_();
      (c.reference(x, window) * outer).sum().backward();
      for_every_instruction_set(
          [&] { EXPECT_LT(relative(c.fast_gradient(outer), x.grad()), window ? 2e-5 : 1e-3) << c.spec.box; });
    }
  }
}

TEST(ProjectTangents, AreTheReferencesDirectionalDerivatives) {
  for (const auto& c : cases()) {
    const int directions = 3;
    const auto displacements = torch::randn({c.batch(), directions, c.coordinates.size(1), 3});
    // The derivative of Σ image·outer along a displacement, for a random outer, is Σ tangent·outer.
    const auto outer = torch::randn({c.batch(), c.spec.box, c.spec.box}).to(torch::kFloat64);
    const auto x = c.coordinates.to(torch::kFloat64).requires_grad_();
    (c.reference(x, true) * outer).sum().backward();
    const auto expected = (displacements.to(torch::kFloat64) * x.grad().unsqueeze(1)).sum({2, 3});
    for_every_instruction_set([&] {
      const auto images = torch::empty({c.batch(), directions, c.spec.box, c.spec.box});
      project_tangents(c.spec, c.a(), c.batch(), c.coordinates.data_ptr<float>(),
                       c.rotations.contiguous().data_ptr<float>(), c.shifts.data_ptr<float>(), directions,
                       displacements.data_ptr<float>(), images.data_ptr<float>());
      const auto actual = (images.to(torch::kFloat64) * outer.unsqueeze(1)).sum({2, 3});
      EXPECT_LT(relative(actual, expected), 2e-5) << c.spec.box;
    });
  }
}

TEST(ProjectTangents, AgreeWithFiniteDifferencesOfTheReference) {
  for (const auto& c : cases()) {
    const auto u = torch::randn_like(c.coordinates);
    const auto x = c.coordinates.to(torch::kFloat64), step = 1e-4 * u.to(torch::kFloat64);
    const auto expected = (c.reference(x + step, false) - c.reference(x - step, false)) / 2e-4;
    const auto images = torch::empty({c.batch(), 1, c.spec.box, c.spec.box});
    project_tangents(c.spec, c.a(), c.batch(), c.coordinates.data_ptr<float>(),
                     c.rotations.contiguous().data_ptr<float>(), c.shifts.data_ptr<float>(), 1,
                     u.data_ptr<float>(), images.data_ptr<float>());
    EXPECT_LT(relative(images.squeeze(1), expected), 1e-3) << c.spec.box;
  }
}

TEST(ProjectReference, GradientsAgreeWithFiniteDifferences) {
  const Case c(16, 1.2f, 2, 1, 5, 7);
  const auto outer = torch::randn({1, 16, 16}, torch::kFloat64);
  const auto x = c.coordinates.to(torch::kFloat64).requires_grad_();
  const auto value = [&](const torch::Tensor& at) { return (c.reference(at, false) * outer).sum(); };
  value(x).backward();
  const torch::NoGradGuard no_gradients;
  for (int i = 0; i < x.numel(); ++i) {
    auto step = torch::zeros_like(x);
    step.view(-1)[i] = 1e-5;
    const double difference = ((value(x + step) - value(x - step)) / 2e-5).item<double>();
    EXPECT_NEAR(x.grad().view(-1)[i].item<double>(), difference, 1e-7 * (1 + std::abs(difference)));
  }
}

TEST(Project, ConservesTheAmplitudeOfBeadsInside) {
  ProjectionSpec spec;
  spec.box = 64, spec.pixel_size = 1.3f, spec.sigma = 2.5f;
  const float amplitude = 40, x[3] = {3, -7, 11}, identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1},
              shift[2] = {0.4f, 0};
  std::vector<float> image(64 * 64);
  project_one(spec, {&amplitude, 1}, x, identity, shift, image.data());
  double sum = 0, mean_x = 0, mean_y = 0;
  for (int i = 0; i < 64 * 64; ++i)
    sum += image[i], mean_x += image[i] * (i % 64 - 32), mean_y += image[i] * (i / 64 - 32);
  EXPECT_NEAR(sum, amplitude, 2e-4 * amplitude);
  EXPECT_NEAR(mean_x / sum * 1.3, 3 - 0.4, 1e-3);
  EXPECT_NEAR(mean_y / sum * 1.3, -7, 1e-3);
}

TEST(Project, BeadsOutsideAreLeftOut) {
  ProjectionSpec spec;
  spec.box = 16;
  const float amplitude = 1, identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, shift[2] = {0, 0};
  for (const float far : {-1e6f, 200.0f, 1e6f, 1e30f, std::numeric_limits<float>::quiet_NaN()}) {
    const float x[3] = {far, 0, 0};
    std::vector<float> image(256, 7.0f);
    float gradient[3] = {9, 9, 9};
    project_one(spec, {&amplitude, 1}, x, identity, shift, image.data());
    for (float v : image) EXPECT_EQ(v, 0);
    project_one_backward(spec, {&amplitude, 1}, x, identity, shift, image.data(), gradient);
    for (float v : gradient) EXPECT_EQ(v, 0);
  }
}
