#include "cryoscape/inference/gauss_newton.hpp"

#include <gtest/gtest.h>

#include "cryoscape/model/likelihood_expansion.hpp"
#include "cryoscape/model/test_scene.hpp"

using namespace cryoscape;
using namespace cryoscape::inference;

namespace {

const auto kDouble = torch::kFloat64;

/// x ~ N(g(z), 1) with z ~ N(0, 1): residuals (R, m) and their derivatives (R, m, d).
JointExpansion least_squares(const torch::Tensor& z, const torch::Tensor& residual,
                             const torch::Tensor& jacobian) {
  const auto d = z.size(1);
  JointExpansion e;
  e.log_ratio = -0.5 * residual.pow(2).sum(1);
  e.score = jacobian.transpose(1, 2).matmul(residual.unsqueeze(2)).squeeze(2);
  e.information = jacobian.transpose(1, 2).matmul(jacobian);
  e.energy = 0.5 * z.pow(2).sum(1), e.slope = z.clone();
  e.stiffness = torch::eye(d, kDouble).expand({z.size(0), d, d}).contiguous();
  return e;
}

/// Data (R, 2) of g(z) = (4 z₀ + z₁², 3 sin z₁).
struct Curved {
  torch::Tensor data;

  JointExpansion operator()(const torch::Tensor& rows, const torch::Tensor& z) const {
    const auto a = z.select(1, 0), b = z.select(1, 1);
    const auto residual = data.index_select(0, rows) - torch::stack({4 * a + b * b, 3 * torch::sin(b)}, 1);
    const auto zero = torch::zeros_like(a);
    const auto jacobian =
        torch::stack({torch::stack({zero + 4, 2 * b}, 1), torch::stack({zero, 3 * torch::cos(b)}, 1)}, 1);
    return least_squares(z, residual, jacobian);
  }
};

}  // namespace

TEST(Ascend, EndsWhereTheGradientVanishesAndNeverBelowItsStart) {
  torch::manual_seed(1);
  const Curved problem{3 * torch::randn({50, 2}, kDouble)};
  const auto starts = torch::randn({50, 2}, kDouble);
  const auto first = problem(torch::arange(50, torch::kInt64), starts);
  const auto found = ascend(problem, starts, {300, 1e-6});
  EXPECT_TRUE(found.converged.all().item<bool>());
  EXPECT_TRUE((found.expansion.value() >= first.value()).all().item<bool>());
  // A promise of 1e-6 nats leaves a gradient of at most √(2e-6 · curvature), curvature below 50; steps that
  // gain 1e-7 may be some ten short of it.
  EXPECT_LT(found.expansion.gradient().abs().max().item<double>(), 3e-2);
  const auto there = problem(torch::arange(50, torch::kInt64), found.points);
  EXPECT_TRUE(torch::equal(there.value(), found.expansion.value()));
}

TEST(Ascend, OfAQuadraticIsThePosteriorMean) {
  torch::manual_seed(2);
  const auto matrix = torch::randn({1, 5, 3}, kDouble), data = torch::randn({7, 5}, kDouble);
  const auto found = ascend(
      [&](const torch::Tensor& rows, const torch::Tensor& z) {
        const auto residual = data.index_select(0, rows) - z.matmul(matrix[0].t());
        return least_squares(z, residual, matrix.expand({z.size(0), -1, -1}));
      },
      torch::zeros({7, 3}, kDouble), {30, 1e-12});
  const auto precision = matrix[0].t().mm(matrix[0]) + torch::eye(3, kDouble);
  const auto mean = torch::linalg_solve(precision, matrix[0].t().mm(data.t())).t();
  EXPECT_LT((found.points - mean).abs().max().item<double>(), 1e-5);
}

TEST(Ascend, RowsDoNotDependOnEachOther) {
  torch::manual_seed(3);
  const Curved problem{3 * torch::randn({6, 2}, kDouble)};
  const auto starts = torch::randn({6, 2}, kDouble);
  const auto together = ascend(problem, starts, {});
  for (int i = 0; i < 6; ++i) {
    const Curved one{problem.data.narrow(0, i, 1)};
    EXPECT_LT(
        (ascend(one, starts.narrow(0, i, 1), {}).points[0] - together.points[i]).abs().max().item<double>(),
        1e-12);
  }
}

TEST(Ascend, TakesBackStepsThatLeadNowhere) {
  const auto found = ascend(
      [](const torch::Tensor&, const torch::Tensor& z) {
        auto e = least_squares(z, 5 - z, torch::ones({z.size(0), 1, 1}, kDouble));
        e.log_ratio.masked_fill_(z.select(1, 0) > 1, std::numeric_limits<double>::quiet_NaN());
        return e;
      },
      torch::zeros({1, 1}, kDouble), {40, 1e-6});
  EXPECT_LE(found.points.item<double>(), 1);
  EXPECT_GT(found.points.item<double>(), 0.5);
  EXPECT_TRUE(torch::isfinite(found.expansion.value()).all().item<bool>());
}

// The exact model of images: structures x₀ + Σ z_k u_k with z ~ N(0, 1), contrast and noise of their own.
TEST(Ascend, ErrorsAreThoseThatTheInformationPredicts) {
  constexpr std::int64_t kImages = 600, kLatents = 2;
  const double sd = 0.2;
  const model::TestScene plain(24, 12, 1, 20, 1, 1);
  const auto displacements = 1.5 * torch::randn({1, kLatents, 20, 3});
  const auto truth = torch::randn({kImages, kLatents});
  auto scene = plain.select(std::vector<std::int64_t>(kImages, 0));
  const auto structures = [&](const torch::Tensor& z) {
    return (plain.coordinates + torch::einsum("bk,knx->bnx", {z, displacements[0]})).contiguous();
  };
  scene.coordinates = structures(truth);
  const auto contrast = 1 + sd * torch::randn({kImages, 1, 1}, kDouble);
  scene.amplitudes = 0.5 * scene.amplitudes;  // so little signal that the prior matters
  scene.spectra = (contrast * scene.prediction() + scene.noise(1)[0]).to(torch::kComplexFloat);
  const auto spectral = scene.spectral();
  const auto found = ascend(
      [&](const torch::Tensor& rows, const torch::Tensor& z) {
        const auto size = z.size(0);
        const auto x = structures(z.to(torch::kFloat32)),
                   u = displacements.expand({size, -1, -1, -1}).contiguous();
        const auto ratio = torch::empty({size}), score = torch::empty({size, kLatents}),
                   information = torch::empty({size, kLatents, kLatents});
        model::ExpansionPoints points{static_cast<int>(size), kLatents, rows.data_ptr<std::int64_t>(),
                                      x.data_ptr<float>(), u.data_ptr<float>()};
        model::expand_likelihood(
            scene.spec, scene.bead_amplitudes(), spectral, {sd, false}, scene.view(), points,
            {ratio.data_ptr<float>(), score.data_ptr<float>(), information.data_ptr<float>(), nullptr});
        return JointExpansion{ratio.to(kDouble),
                              score.to(kDouble),
                              information.to(kDouble),
                              0.5 * z.pow(2).sum(1),
                              z.clone(),
                              torch::eye(kLatents, kDouble).expand({size, kLatents, kLatents}).contiguous()};
      },
      truth, {20, 1e-4});
  const auto error = (found.points - truth).to(kDouble).unsqueeze(2);
  const auto square = error.transpose(1, 2).matmul(found.expansion.precision()).matmul(error).flatten();
  // χ² with two degrees of freedom under Laplace: mean 2 with standard error 0.08, median 1.39. Curvature
  // makes tails, so the median is compared.
  const double information = found.expansion.information.diagonal(0, 1, 2).median().item<double>();
  EXPECT_GT(information, 1);
  EXPECT_NEAR(square.median().item<double>(), 1.386, 0.25) << information;
}
