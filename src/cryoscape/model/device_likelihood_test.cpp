#include "cryoscape/model/device_likelihood.hpp"

#include <gtest/gtest.h>

#include "cryoscape/model/test_scene.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

namespace {

/// The scores of both ways on the CPU: tensor operations, and the fused kernel.
struct Both {
  DeviceScores tensors, kernel;
};

Both score(const TestScene& scene, const LikelihoodOptions& options) {
  const auto spectral = scene.spectral();
  const DeviceLikelihood likelihood(scene.spec, scene.bead_amplitudes(), scene.max_shell, torch::kCPU);
  auto batch = scene.batch();
  batch.wide_ctf = scene.wide_ctf;
  Both both;
  both.tensors = likelihood.score(spectral, options, scene.coordinates, batch, {true, true});
  auto& k = both.kernel;
  k.log_likelihood = torch::empty({scene.size()}), k.contrast = torch::empty({scene.size()});
  k.chi_square = torch::empty({scene.size()}), k.coordinate_gradient = torch::empty_like(scene.coordinates);
  evaluate_likelihood(scene.spec, scene.bead_amplitudes(), spectral, options, scene.view(),
                      {k.log_likelihood.data_ptr<float>(), k.coordinate_gradient.data_ptr<float>(),
                       k.contrast.data_ptr<float>(), k.chi_square.data_ptr<float>(), &k.sums});
  return both;
}

double relative(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a - b).norm() / b.norm().clamp_min(1e-30)).item<double>();
}

void expect_same(const Both& both) {
  const auto &t = both.tensors, &k = both.kernel;
  EXPECT_LT(relative(t.log_likelihood, k.log_likelihood), 1e-6);
  EXPECT_LT(relative(t.contrast, k.contrast), 1e-5);
  EXPECT_LT(relative(t.chi_square, k.chi_square), 1e-5);
  EXPECT_LT(relative(t.coordinate_gradient, k.coordinate_gradient), 1e-4);
  ASSERT_EQ(t.sums.size(), k.sums.size());
  for (std::size_t i = 0; i < k.sums.size(); ++i) {
    const auto &a = t.sums[i], &b = k.sums[i];
    EXPECT_NEAR(a.data_power, b.data_power, 1e-5 * b.data_power);
    EXPECT_NEAR(a.cross, b.cross, 1e-5 * std::sqrt(b.data_power * b.prediction_power));
    EXPECT_NEAR(a.prediction_power, b.prediction_power, 1e-5 * b.prediction_power);
    EXPECT_EQ(a.count, b.count);
  }
}

}  // namespace

TEST(DeviceLikelihood, IsTheKernels) {
  for (const auto& scene : scenes())
    for (const double sd : {0.0, 0.2, 1.5}) {
      SCOPED_TRACE(testing::Message() << "box " << scene.box() << ", contrast " << sd);
      expect_same(score(scene, {sd, false}));
    }
}

TEST(DeviceLikelihood, IsTheKernelsCorrelation) {
  for (const auto& scene : scenes()) expect_same(score(scene, {0.2, true}));
}

TEST(DeviceLikelihood, LeavesPaddingOut) {
  auto scene = scenes()[0];
  const auto row = torch::arange(24).view({-1, 1}), column = torch::arange(13).view({1, -1});
  scene.spectra = scene.spectra * torch::logical_and(torch::logical_or(row<7, row> 17), column < 7);
  const auto both = score(scene, {});
  EXPECT_EQ(both.kernel.sums[12].count, 0);
  expect_same(both);
}

TEST(DeviceLikelihood, BeadsOutOfTheImageHaveNoGradient) {
  auto scene = scenes()[0];
  scene.coordinates = scene.coordinates + 1e5;
  for (const bool correlation : {false, true}) {
    const auto both = score(scene, {0.2, correlation});
    EXPECT_EQ(both.tensors.coordinate_gradient.abs().max().item<double>(), 0);
    EXPECT_TRUE(torch::allclose(both.tensors.log_likelihood, both.kernel.log_likelihood, 1e-6, 1e-6));
  }
}

TEST(DeviceLikelihood, OnlyWhatIsAskedForIsComputed) {
  const auto scene = scenes()[1];
  const DeviceLikelihood likelihood(scene.spec, scene.bead_amplitudes(), scene.max_shell, torch::kCPU);
  const auto alone = likelihood.score(scene.spectral(), {}, scene.coordinates, scene.batch(), {});
  EXPECT_FALSE(alone.coordinate_gradient.defined());
  EXPECT_TRUE(alone.sums.empty());
  EXPECT_LT(relative(alone.log_likelihood, score(scene, {}).kernel.log_likelihood), 1e-6);
}
