#include "cryoscape/latent/spline.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace cryoscape::latent;

namespace {

constexpr std::int64_t kBins = 6;
constexpr double kBound = 3;

/// Arguments within and beyond the bound, and steep splines.
struct Example {
  torch::Tensor x, parameters;
  Example() {
    auto g = torch::make_generator<at::CPUGeneratorImpl>(1);
    x = 2 * torch::randn({200, 3}, g, torch::kFloat64);
    parameters = 1.5 * torch::randn({200, 3, spline_parameters(kBins)}, g, torch::kFloat64);
  }
};

}  // namespace

TEST(Spline, IsTheIdentityAtZeroParameters) {
  const Example e;
  const auto out = spline(e.x, torch::zeros_like(e.parameters), kBound);
  EXPECT_LT((out.values - e.x).abs().max().item<double>(), 1e-12);
  EXPECT_LT(out.log_derivative.abs().max().item<double>(), 1e-12);
}

TEST(Spline, InverseUndoesIt) {
  const Example e;
  const auto back = spline_inverse(spline(e.x, e.parameters, kBound).values, e.parameters, kBound);
  EXPECT_LT((back - e.x).abs().max().item<double>(), 1e-9);
  // In single precision: the rounding of y, over the slope.
  const auto x = e.x.to(torch::kFloat32), p = e.parameters.to(torch::kFloat32);
  const auto out = spline(x, p, kBound);
  const auto error = (spline_inverse(out.values, p, kBound) - x).abs() * torch::exp(out.log_derivative);
  EXPECT_LT(error.max().item<double>(), 20 * kBound * std::numeric_limits<float>::epsilon());
}

TEST(Spline, DerivativeIsThatOfTheValues) {
  Example e;
  e.x.requires_grad_();
  const auto out = spline(e.x, e.parameters, kBound);
  const auto slope = torch::autograd::grad({out.values.sum()}, {e.x})[0];
  EXPECT_LT((torch::log(slope) - out.log_derivative).abs().max().item<double>(), 1e-9);
}

TEST(Spline, RisesAndMeetsTheIdentityAtItsBounds) {
  const auto x = torch::linspace(-kBound - 1, kBound + 1, 4001, torch::kFloat64).unsqueeze(1);
  const Example e;
  const auto p = e.parameters.narrow(0, 0, 1).narrow(1, 0, 1).expand({x.size(0), 1, e.parameters.size(2)});
  const auto y = spline(x, p, kBound).values.squeeze(1);
  const auto steps = y.narrow(0, 1, 4000) - y.narrow(0, 0, 4000);
  EXPECT_GT(steps.min().item<double>(), 0);
  EXPECT_LT(steps.max().item<double>(), 0.1);  // no jump: the steepest slope times the spacing
}
