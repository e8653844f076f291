#include <gtest/gtest.h>

#include "cryoscape/model/test_scene.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

/// That the likelihood is one in nats: its scale is what gives the KL term, the priors and the energies their
/// meaning. Everything drawn here has a fixed seed, and tolerances are four standard errors of the number of
/// draws.
namespace {

constexpr double kErrors = 4;

/// One structure, pose and CTF in every image, which differ by their noise.
TestScene repeated(const TestScene& scene, std::int64_t draws) {
  return scene.select(std::vector<std::int64_t>(draws, 0));
}

struct Values {
  torch::Tensor log_likelihood, gradient, contrast, chi_square;
};

Values evaluate(const TestScene& scene, const SpectralModel& spectral, double contrast_sd) {
  Values v{torch::empty({scene.size()}), torch::empty_like(scene.coordinates), torch::empty({scene.size()}),
           torch::empty({scene.size()})};
  evaluate_likelihood(scene.spec, scene.bead_amplitudes(), spectral, {contrast_sd, false}, scene.view(),
                      {v.log_likelihood.data_ptr<float>(), v.gradient.data_ptr<float>(),
                       v.contrast.data_ptr<float>(), v.chi_square.data_ptr<float>(), nullptr});
  return v;
}

double mean_of(const torch::Tensor& values) { return values.to(torch::kFloat64).mean().item<double>(); }

/// Data of this structure: contrast (B) times the prediction, and fresh noise.
void draw_data(TestScene& scene, const torch::Tensor& contrast) {
  scene.spectra = (contrast.to(torch::kFloat64).view({-1, 1, 1}) * scene.prediction() + scene.noise(1)[0])
                      .to(torch::kComplexFloat);
}

/// (B, K, N, 3) displacements of the same K fields for every image.
torch::Tensor displacement_fields(const TestScene& scene, std::int64_t directions) {
  const auto beads = scene.coordinates.size(1);
  return torch::randn({1, directions, beads, 3}).expand({scene.size(), -1, -1, -1}).contiguous();
}

/// F = Jᵀ S⁻¹ J of the first image along displacement fields, from the tangent projections.
torch::Tensor fisher_information(const TestScene& all, const torch::Tensor& displacements) {
  const auto scene = repeated(all, 1);
  const auto directions = displacements.size(1);
  auto images = torch::empty({1, directions, scene.box(), scene.box()});
  projection::project_tangents(scene.spec, scene.bead_amplitudes(), 1, scene.coordinates.data_ptr<float>(),
                               scene.rotations.data_ptr<float>(), scene.shifts.data_ptr<float>(),
                               static_cast<int>(directions), displacements.data_ptr<float>(),
                               images.data_ptr<float>());
  const auto j = scene.spread(scene.gain) * scene.ctf.to(torch::kFloat64) *
                 torch::fft_rfft2(images[0].to(torch::kFloat64));
  const auto weighted = (scene.counted() / scene.spread(scene.power) * j).view({directions, -1}),
             flat = j.view({directions, -1});
  return torch::real(weighted.mm(torch::conj(flat).t())).contiguous();
}

}  // namespace

TEST(Calibration, ChiSquarePerDegreeOfFreedomOfTheModelsOwnDataIsOne) {
  constexpr int kImages = 400;
  for (const int max_shell : {16, 11}) {
    TestScene scene(32, max_shell, kImages, 12, 2, 11);
    const double degrees = scene.counted().sum().item<double>();
    const double error = std::sqrt(2.0 / (degrees * kImages));
    draw_data(scene, torch::ones(kImages));
    EXPECT_NEAR(mean_of(evaluate(scene, scene.spectral(), 0).chi_square), 1, kErrors * error);
    // A fitted contrast takes up at most one of the degrees of freedom.
    draw_data(scene, 1 + 0.2 * torch::randn(kImages));
    const double fitted = mean_of(evaluate(scene, scene.spectral(), 0.2).chi_square);
    EXPECT_LT(fitted, 1 + kErrors * error);
    EXPECT_GT(fitted, 1 - 1 / degrees - kErrors * error);
  }
}

TEST(Calibration, PowerOfUnitWhiteNoiseIsTheNumberOfPixels) {
  constexpr int kImages = 300;
  TestScene scene(24, 12, kImages, 4, 1, 12);
  scene.coordinates = scene.coordinates + 1e5;  // nothing in the image
  scene.spectra = torch::fft_rfft2(torch::randn({kImages, 24, 24}));
  SpectralModel spectral(24, 12, 1);
  std::vector<SpectralSums> sums;
  evaluate_likelihood(scene.spec, scene.bead_amplitudes(), spectral, {}, scene.view(), {.sums = &sums});
  spectral.update(sums, kImages, kImages);
  const double pixels = 24 * 24;
  for (int s = 1; s <= 12; ++s) {
    // |X|²/S is χ² with two degrees of freedom per independent pair of coefficients.
    const double error = std::sqrt(2 / sums[s].count);
    EXPECT_NEAR(spectral.power(0)[s] / pixels, 1, kErrors * error) << s;
  }
  double all = 0, count = 0;
  for (int s = 1; s <= 12; ++s) all += sums[s].data_power / pixels, count += sums[s].count;
  EXPECT_NEAR(all / count, 1, kErrors * std::sqrt(2 / count));
}

TEST(Calibration, LogLikelihoodOfPureNoiseIsItsEntropy) {
  constexpr int kImages = 400;
  TestScene scene(32, 13, kImages, 4, 1, 13);
  scene.coordinates = scene.coordinates + 1e5;
  scene.spectra = scene.noise(1)[0].to(torch::kComplexFloat);
  const double degrees = scene.counted().sum().item<double>();
  const double expected =
      -0.5 * (scene.counted() * (1 + torch::log(2 * std::numbers::pi * scene.spread(scene.power)[0])))
                 .sum()
                 .item<double>();
  EXPECT_NEAR(mean_of(evaluate(scene, scene.spectral(), 0).log_likelihood), expected,
              kErrors * std::sqrt(degrees / 2 / kImages));
}

TEST(Calibration, NormalisationOfTheTransformDropsOutOfComparisons) {
  TestScene scene(24, 12, 6, 15, 2, 14);
  auto doubled = scene;
  doubled.spectra = 2 * scene.spectra, doubled.amplitudes = 2 * scene.amplitudes,
  doubled.power = 4 * scene.power;
  const auto one = evaluate(scene, scene.spectral(), 0.2), two = evaluate(doubled, doubled.spectral(), 0.2);
  const double degrees = scene.counted().sum().item<double>();
  EXPECT_LT((one.log_likelihood - two.log_likelihood - degrees * std::log(2)).abs().max().item<double>(),
            2e-3);
  EXPECT_LT((one.gradient - two.gradient).abs().max().item<double>(),
            1e-4 * one.gradient.abs().max().item<double>());
  EXPECT_LT((one.contrast - two.contrast).abs().max().item<double>(), 1e-5);
}

TEST(Calibration, CovarianceOfTheScoreIsTheFisherInformation) {
  constexpr std::int64_t kDraws = 16000, kDirections = 3;
  for (const int max_shell : {10, 8}) {
    auto scene = repeated(TestScene(20, max_shell, 1, 8, 1, 15), kDraws);
    draw_data(scene, torch::ones(kDraws));
    const auto displacements = displacement_fields(scene, kDirections);
    const auto information = fisher_information(scene, displacements);
    const auto gradient = evaluate(scene, scene.spectral(), 0).gradient;
    // s = Jᵀ S⁻¹ (x − I): the likelihood's gradient along each field, (draws, directions).
    const auto score = (gradient.unsqueeze(1) * displacements).sum({2, 3}).to(torch::kFloat64);
    const auto covariance = score.t().mm(score) / static_cast<double>(kDraws);
    for (int i = 0; i < kDirections; ++i) {
      const double f_ii = information[i][i].item<double>();
      EXPECT_NEAR(mean_of(score.select(1, i)), 0, kErrors * std::sqrt(f_ii / kDraws));
      EXPECT_NEAR(covariance[i][i].item<double>() / f_ii, 1, 0.05);
      for (int j = 0; j < kDirections; ++j) {
        const double f_ij = information[i][j].item<double>(), f_jj = information[j][j].item<double>();
        EXPECT_NEAR(covariance[i][j].item<double>(), f_ij,
                    kErrors * std::sqrt((f_ii * f_jj + f_ij * f_ij) / kDraws))
            << i << j;
      }
    }
  }
}

TEST(Calibration, ScoreOfTheMarginalLikelihoodVanishesOnAverageOverContrasts) {
  constexpr std::int64_t kDraws = 12000;
  auto scene = repeated(TestScene(20, 10, 1, 8, 1, 16), kDraws);
  draw_data(scene, 1 + 0.2 * torch::randn(kDraws));
  const auto gradient =
      evaluate(scene, scene.spectral(), 0.2).gradient.view({kDraws, -1}).to(torch::kFloat64);
  const auto error = gradient.std(0) / std::sqrt(static_cast<double>(kDraws));
  EXPECT_LT((gradient.mean(0) / error).abs().max().item<double>(), kErrors);
}

TEST(Calibration, ContrastsAreRecoveredWithinTheirPosterior) {
  constexpr int kImages = 2000;
  TestScene scene(20, 10, kImages, 8, 1, 17);
  const auto contrast = 1 + 0.2 * torch::randn(kImages, torch::kFloat64);
  draw_data(scene, contrast);
  const auto m = scene.prediction();
  const auto precision =
      (scene.counted() * torch::abs(m).pow(2) / scene.spread(scene.power)).sum({1, 2}) + 25;
  const auto deviation =
      (evaluate(scene, scene.spectral(), 0.2).contrast - contrast) * torch::sqrt(precision);
  EXPECT_NEAR(mean_of(deviation), 0, kErrors / std::sqrt(kImages));
  EXPECT_NEAR(mean_of(deviation.pow(2)), 1, kErrors * std::sqrt(2.0 / kImages));
}
