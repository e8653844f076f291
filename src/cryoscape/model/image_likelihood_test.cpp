#include "cryoscape/model/image_likelihood.hpp"

#include <gtest/gtest.h>

#include "cryoscape/model/test_scene.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

namespace {

struct Result {
  torch::Tensor log_likelihood, gradient, contrast, chi_square;
  std::vector<SpectralSums> sums;
};

Result evaluate(const TestScene& scene, const LikelihoodOptions& options) {
  Result r{torch::empty({scene.size()}),
           torch::empty_like(scene.coordinates),
           torch::empty({scene.size()}),
           torch::empty({scene.size()}),
           {}};
  const LikelihoodOutput output{r.log_likelihood.data_ptr<float>(), r.gradient.data_ptr<float>(),
                                r.contrast.data_ptr<float>(), r.chi_square.data_ptr<float>(), &r.sums};
  evaluate_likelihood(scene.spec, scene.bead_amplitudes(), scene.spectral(), options, scene.view(), output);
  return r;
}

/// Normalised correlation of prediction and data, all coefficients that take part alike.
torch::Tensor reference_correlation(const TestScene& s, const torch::Tensor& x) {
  const auto m = s.spread(s.gain) * s.bare_prediction(x), data = s.spectra.to(torch::kComplexDouble);
  const auto dot = [&](const torch::Tensor& u, const torch::Tensor& v) {
    return total(s.counted() * torch::real(torch::conj(u) * v));
  };
  return dot(data, m) / torch::sqrt(dot(data, data) * dot(m, m));
}

double relative(const torch::Tensor& a, const torch::Tensor& b) {
  const auto x = a.to(torch::kFloat64), y = b.to(torch::kFloat64);
  return ((x - y).norm() / y.norm()).item<double>();
}

}  // namespace

TEST(Likelihood, ValueAndGradientAgreeWithTheMarginalGaussian) {
  for (const auto& scene : scenes())
    for (const double sd : {0.0, 0.2, 1.5}) {
      const auto fast = evaluate(scene, {sd, false});
      const auto x = scene.coordinates.to(torch::kFloat64).requires_grad_();
      const auto value = reference_score(scene, x, sd);
      value.sum().backward();
      EXPECT_LT((fast.log_likelihood - value).abs().max().item<double>(),
                1e-6 * value.abs().max().item<double>() + 1e-3)
          << scene.box() << " " << sd;
      EXPECT_LT(relative(fast.gradient, x.grad()), 1e-4) << scene.box() << " " << sd;
    }
}

TEST(Likelihood, MarginalisesTheContrastAsQuadratureDoes) {
  for (const auto& scene : scenes())
    for (const double sd : {0.05, 0.2, 0.6}) {
      const auto m = scene.prediction(), data = scene.spectra.to(torch::kComplexDouble);
      const auto a = product(scene, data, data), b = product(scene, data, m), c = product(scene, m, m);
      // Trapezia over all that prior and likelihood allow, fine enough for the sharpest posterior.
      const auto alpha = torch::linspace(-5, 7, 60001, torch::kFloat64).view({-1, 1});
      const double step = 12.0 / 60000;
      const auto exponent = -0.5 * (a - 2 * alpha * b + alpha * alpha * c) - 0.5 * ((alpha - 1) / sd).pow(2);
      const auto log_integral =
          torch::logsumexp(exponent, 0) + std::log(step / (sd * std::sqrt(2 * std::numbers::pi)));
      const auto mean = (torch::softmax(exponent, 0) * alpha).sum(0);
      const auto fast = evaluate(scene, {sd, false});
      EXPECT_LT((fast.log_likelihood - log_integral - log_normaliser(scene)).abs().max().item<double>(), 2e-3)
          << sd;
      EXPECT_LT((fast.contrast - mean).abs().max().item<double>(), 1e-4) << sd;
    }
}

TEST(Likelihood, ContrastIsOneWhereItIsFixed) {
  const auto fast = evaluate(scenes()[0], {0, false});
  EXPECT_TRUE(torch::equal(fast.contrast, torch::ones_like(fast.contrast)));
}

TEST(Likelihood, ChiSquareIsTheResidualPerDegreeOfFreedom) {
  for (const auto& scene : scenes()) {
    const auto fast = evaluate(scene, {0.2, false});
    const auto residual = scene.spectra.to(torch::kComplexDouble) -
                          fast.contrast.to(torch::kFloat64).view({-1, 1, 1}) * scene.prediction();
    const double degrees = scene.counted().sum().item<double>();
    EXPECT_EQ(scene.spectral().degrees_of_freedom(), degrees);
    EXPECT_LT(relative(fast.chi_square, product(scene, residual, residual) / degrees), 1e-5);
  }
}

TEST(Likelihood, GradientAgreesWithFiniteDifferencesOfUncutGaussians) {
  TestScene scene(24, 12, 3, 15, 1, 8);
  scene.spec.cutoff = 1e-7f;  // the window's edge is invisible then
  for (const double sd : {0.0, 0.2}) {
    const auto gradient = evaluate(scene, {sd, false}).gradient.to(torch::kFloat64);
    const auto x = scene.coordinates.to(torch::kFloat64);
    torch::NoGradGuard no_grad;
    for (int trial = 0; trial < 5; ++trial) {
      const auto step = 1e-4 * torch::randn_like(x);
      const auto difference =
          reference_score(scene, x + step, sd, false) - reference_score(scene, x - step, sd, false);
      const auto slope = 2 * total(gradient * step),
                 size = 2 * torch::sqrt(total(gradient.pow(2)) * total(step.pow(2)));
      EXPECT_LT(((difference - slope).abs() / size).max().item<double>(), 1e-4);
    }
  }
}

TEST(CorrelationLikelihood, AgreesWithTheReference) {
  for (const auto& scene : scenes()) {
    const auto fast = evaluate(scene, {0.2, true});
    const auto x = scene.coordinates.to(torch::kFloat64).requires_grad_();
    const auto value = reference_correlation(scene, x);
    value.sum().backward();
    EXPECT_LT((fast.log_likelihood - value).abs().max().item<double>(), 1e-5);
    EXPECT_LT(relative(fast.gradient, x.grad()), 1e-4);
  }
}

TEST(CorrelationLikelihood, IsOneForDataEqualToThePredictionAtAnyScale) {
  auto scene = scenes()[0];
  for (const double scale : {0.01, 1.0, 300.0}) {
    scene.spectra = (scale * scene.prediction()).to(torch::kComplexFloat);
    const auto fast = evaluate(scene, {0.2, true});
    EXPECT_LT((fast.log_likelihood - 1).abs().max().item<double>(), 1e-5);
    scene.spectra = -scene.spectra;
    EXPECT_LT((evaluate(scene, {0.2, true}).log_likelihood + 1).abs().max().item<double>(), 1e-5);
  }
}

TEST(Likelihood, SumsAgreeWithTheReference) {
  for (const auto& scene : scenes())
    for (const double sd : {0.0, 0.2}) {
      const auto fast = evaluate(scene, {sd, false});
      const auto data = scene.spectra.to(torch::kComplexDouble), q = scene.bare_prediction(scene.coordinates);
      const auto mean = fast.contrast.to(torch::kFloat64).view({-1, 1, 1});
      const auto m = scene.prediction();
      // Posterior variance of α: 1/(c + sd⁻²).
      const auto variance = sd == 0 ? torch::zeros({scene.size(), 1, 1}, torch::kFloat64)
                                    : (1 / (product(scene, m, m) + 1 / (sd * sd))).view({-1, 1, 1});
      const auto per_shell = [&](const torch::Tensor& values) {  // (groups, shells)
        const auto weighted = (scene.counted() * values).view({scene.size(), -1});
        auto out = torch::zeros({scene.gain.size(0), 2 * scene.box()}, torch::kFloat64);
        for (int i = 0; i < scene.size(); ++i)
          out[scene.groups[i].item<std::int64_t>()].index_add_(0, scene.shell().view(-1), weighted[i]);
        return out.narrow(1, 0, scene.box() / 2 + 1).contiguous();
      };
      const auto cross = per_shell(mean * torch::real(torch::conj(data) * q)),
                 power = per_shell((mean * mean + variance) * torch::abs(q).pow(2)),
                 observed = per_shell(torch::abs(data).pow(2)),
                 count = per_shell(torch::ones({scene.size(), 1, 1}));
      ASSERT_EQ(static_cast<std::int64_t>(fast.sums.size()), count.numel());
      for (std::int64_t i = 0; i < count.numel(); ++i) {
        const auto at = [&](const torch::Tensor& t) { return t.view(-1)[i].item<double>(); };
        EXPECT_NEAR(fast.sums[i].data_power, at(observed), 1e-5 * at(observed));
        EXPECT_NEAR(fast.sums[i].cross, at(cross), 5e-5 * std::sqrt(at(observed) * at(power)));
        EXPECT_NEAR(fast.sums[i].prediction_power, at(power), 1e-4 * at(power));
        EXPECT_EQ(fast.sums[i].count, at(count));
      }
    }
}

TEST(Likelihood, ZerosThatPadASpectrumTakeNoPart) {
  // Images of coarser pixels: nothing beyond a square of 2 · 7 coefficients in a box of 24.
  TestScene scene(24, 12, 300, 10, 1, 9);
  const auto row = torch::arange(24).view({-1, 1}), column = torch::arange(13).view({1, -1});
  const auto inside = torch::logical_and(torch::logical_or(row<7, row> 17), column < 7).to(torch::kFloat64);
  scene.spectra = (scene.spectra * inside).to(torch::kComplexFloat);
  const auto masked = [&](const torch::Tensor& u, const torch::Tensor& v) {
    return product(scene, inside * u, v);
  };
  const auto score = [&](const torch::Tensor& x) {
    const auto residual =
        scene.spectra.to(torch::kComplexDouble) - scene.spread(scene.gain) * scene.bare_prediction(x);
    return -0.5 * masked(residual, residual);
  };
  auto moved = scene;
  moved.coordinates = scene.coordinates + torch::randn_like(scene.coordinates);
  const auto fast = evaluate(scene, {0, false}), there = evaluate(moved, {0, false});
  const auto x = scene.coordinates.to(torch::kFloat64).requires_grad_();
  const auto value = score(x);
  value.sum().backward();
  const auto difference = value - score(moved.coordinates);
  EXPECT_LT((fast.log_likelihood - there.log_likelihood - difference).abs().max().item<double>(),
            1e-5 * difference.abs().max().item<double>() + 2e-3);
  EXPECT_LT(relative(fast.gradient, x.grad()), 1e-4);
  // The noise of a partly measured shell is that of its measured coefficients.
  auto spectral = scene.spectral();
  spectral.update(evaluate(scene, {0.2, false}).sums, scene.size(), scene.size());
  for (int s = 1; s <= 8; ++s)
    EXPECT_NEAR(spectral.power(0)[s] / scene.power[0][s].item<double>(), 1,
                4 * std::sqrt(2 / fast.sums[s].count) + 0.02)
        << s;
  EXPECT_EQ(fast.sums[12].count, 0);
  EXPECT_NEAR(fast.chi_square.mean().item<double>(),
              (-2 * value / (scene.counted() * inside).sum()).mean().item<double>(), 1e-4);
}

TEST(Likelihood, OneGroupDoesNotSeeTheOthers) {
  const auto scene = scenes()[0];
  auto other = scene;
  other.gain = scene.gain.clone(), other.power = scene.power.clone();
  other.gain[1] *= 3, other.power[1] *= 2;
  const auto before = evaluate(scene, {}), after = evaluate(other, {});
  for (int i = 0; i < scene.size(); ++i) {
    const bool same = torch::equal(before.log_likelihood[i], after.log_likelihood[i]) &&
                      torch::equal(before.gradient[i], after.gradient[i]);
    EXPECT_EQ(same, scene.groups[i].item<std::int64_t>() == 0) << i;
  }
}

TEST(Likelihood, DoesNotDependOnThreadsOrOrder) {
  const TestScene scene(24, 12, 13, 20, 3, 4);
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = evaluate(scene, {});
  for (const int n : {2, 5}) {
    set_thread_count(n);
    const auto many = evaluate(scene, {});
    EXPECT_TRUE(torch::equal(one.log_likelihood, many.log_likelihood));
    EXPECT_TRUE(torch::equal(one.gradient, many.gradient));
    for (std::size_t k = 0; k < one.sums.size(); ++k) EXPECT_EQ(one.sums[k].cross, many.sums[k].cross);
  }
  set_thread_count(threads);
  const std::vector<std::int64_t> order{7, 3, 12, 0, 5, 1, 9, 2, 4, 11, 6, 8, 10};
  const auto moved = evaluate(scene.select(order), {});
  const auto index = torch::tensor(order);
  EXPECT_TRUE(torch::equal(one.log_likelihood.index_select(0, index), moved.log_likelihood));
  EXPECT_TRUE(torch::equal(one.gradient.index_select(0, index), moved.gradient));
  EXPECT_TRUE(torch::equal(one.chi_square.index_select(0, index), moved.chi_square));
}

TEST(Likelihood, OnlyWhatIsAskedForIsComputed) {
  const auto scene = scenes()[1];
  const auto all = evaluate(scene, {});
  auto alone = torch::full({scene.size()}, -1.0f);
  evaluate_likelihood(scene.spec, scene.bead_amplitudes(), scene.spectral(), {}, scene.view(),
                      {.contrast = alone.data_ptr<float>()});
  EXPECT_TRUE(torch::equal(alone, all.contrast));
}

TEST(Likelihood, BeadsOutOfTheImageLeaveTheDataAlone) {
  auto scene = scenes()[0];
  scene.coordinates = scene.coordinates + 1e5;
  const auto gaussian = evaluate(scene, {});
  const auto data = scene.spectra.to(torch::kComplexDouble);
  EXPECT_LT((gaussian.log_likelihood - (log_normaliser(scene) - 0.5 * product(scene, data, data)))
                .abs()
                .max()
                .item<double>(),
            1e-2);
  EXPECT_EQ(gaussian.gradient.abs().max().item<double>(), 0);
  const auto correlation = evaluate(scene, {0.2, true});
  EXPECT_EQ(correlation.log_likelihood.abs().max().item<double>(), 0);
  EXPECT_EQ(correlation.gradient.abs().max().item<double>(), 0);
}
