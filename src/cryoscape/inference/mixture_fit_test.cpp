#include "cryoscape/inference/mixture_fit.hpp"

#include <gtest/gtest.h>

#include <array>

#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {

/// Populations of the three wells: what lies nearest to each one's centre.
std::array<double, 3> populations(const GaussianMixture& mixture) {
  const auto wells = three_wells(2);
  const auto ready = prepared(mixture);
  std::array<double, 3> out{};
  Philox random(5);
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    const auto z = draw(ready, random);
    std::size_t nearest = 0;
    const auto distance = [&](std::size_t k) { return (z.head(2) - wells[k].mean).squaredNorm(); };
    for (std::size_t k = 1; k < 3; ++k)
      if (distance(k) < distance(nearest)) nearest = k;
    out[nearest] += 1.0 / kDraws;
  }
  return out;
}

void expect_populations(const GaussianMixture& mixture) {
  const auto p = populations(mixture);
  EXPECT_NEAR(p[0], 0.65, 0.02);
  EXPECT_NEAR(p[1], 0.30, 0.02);
  EXPECT_NEAR(p[2], 0.05, 0.02);
}

/// The same particles as if their posterior means were their latents.
Expansions means_as_points(const Expansions& e, const GaussianComponent& prior) {
  Expansions out;
  const auto ready = prepared({prior});
  Philox random(3);
  for (const auto& r : entry_ranges(e.particle)) {
    const auto part = posterior_of(ready, e, r).at(0);
    const auto d = part.mean.size();
    add_expansion(out, r.particle, part.mean, 1e4 * Eigen::MatrixXd::Identity(d, d), random);
  }
  return out;
}

}  // namespace

TEST(DeconvolveQuickly, FindsTheMaximumThatPlainStepsCreepUpTo) {
  // Noise wider than the wells; from a start that is off by a fifth in weights.
  const auto e = measured_particles(three_wells(1), 1000, 1, 0.35, 3);
  auto start = three_wells(1);
  start[0].weight = 0.45, start[1].weight = 0.5;
  const auto plain = deconvolve(e, {}, start, {3000, 1e-12});
  const auto quick = deconvolve_quickly(e, {}, start, {200, 1e-10});
  EXPECT_NEAR(quick.log_likelihood, plain.log_likelihood, 1e-5);
  EXPECT_LT(quick.iterations * 5, plain.iterations);
}

TEST(DeconvolveQuickly, WithoutIterationsStaysAtItsStart) {
  const auto e = measured_particles(three_wells(1), 50, 1, 0.35, 3);
  const auto fit = deconvolve_quickly(e, {}, three_wells(1), {0, 0});
  EXPECT_EQ(fit.mixture[1].mean, three_wells(1)[1].mean);
  EXPECT_NEAR(fit.log_likelihood, deconvolve(e, {}, three_wells(1), {0, 0}).log_likelihood, 1e-12);
}

TEST(GrowMixture, FindsThreeWellsAndTheirPopulationsThroughTheNoise) {
  const auto truth = three_wells(2);
  const auto e = measured_particles(truth, 2000, 2, 0.35, 7);
  const auto fit = grow_mixture(e, standard_normal(2), 4);
  EXPECT_EQ(fit.mixture.size(), 3u);
  expect_populations(fit.mixture);
  // 17 parameters cost 17/2n nats, several times that where noise is wider than the wells.
  const double deconvolved = divergence(truth, fit.mixture);
  EXPECT_LT(deconvolved, 0.1);
  const auto of_means = grow_mixture(means_as_points(e, moments_of(truth)), standard_normal(2), 4);
  EXPECT_GT(divergence(truth, of_means.mixture), 3 * deconvolved);
}

TEST(GrowMixture, IsNotMisledByIdleLatents) {
  const auto e = measured_particles(three_wells(8), 1500, 2, 0.3, 8);
  const auto fit = grow_mixture(e, standard_normal(8), 4);
  expect_populations(fit.mixture);
  for (const auto& c : fit.mixture)
    for (Eigen::Index j = 2; j < 8; ++j) {
      EXPECT_NEAR(c.mean[j], 0, 1e-6);
      EXPECT_NEAR(c.covariance(j, j), 1, 1e-6);
    }
}

TEST(GrowMixture, OneStateStaysOne) {
  const auto e = measured_particles({standard_normal(2)}, 2000, 2, 0.5, 9);
  EXPECT_EQ(grow_mixture(e, standard_normal(2), 4).mixture.size(), 1u);
}

TEST(Deconvolve, TakesParticlesWithTwoModesForWhatTheyAre) {
  // A measurement shows z or, with probability 0.2, its mirror image: two modes of every particle, of which
  // the better one alone would say 0.74 to 0.26.
  auto truth = three_wells(1);
  truth.pop_back();
  truth[0].weight = 0.9, truth[1].weight = 0.1;
  const auto ready = prepared(truth);
  Expansions e;
  constexpr std::uint32_t kParticles = 6000;
  for (std::uint32_t i = 0; i < kParticles; ++i) {
    Philox random(11, i);
    Eigen::VectorXd measured = draw(ready, random);
    measured[0] += 0.2 * random.normal();
    if (random.uniform() < 0.2) measured = -measured;
    const Eigen::MatrixXd information = Eigen::MatrixXd::Constant(1, 1, 25);
    add_expansion(e, i, measured, information, random, std::log(0.8));
    add_expansion(e, i, -measured, information, random, std::log(0.2));
  }
  auto start = truth;
  start[0].weight = start[1].weight = 0.5;
  // The standard error is that of counting, over 0.8 − 0.2: 0.0094; three of them.
  EXPECT_NEAR(deconvolve(e, {}, start, {1000, 1e-8}).mixture[0].weight, 0.9, 0.028);
}

TEST(Deconvolve, NeverLosesLikelihood) {
  const auto e = measured_particles(three_wells(2), 300, 2, 0.5, 12);
  GaussianMixture mixture{standard_normal(2), standard_normal(2)};
  mixture[0].weight = mixture[1].weight = 0.5, mixture[1].mean[0] = 1;
  double before = deconvolve(e, {}, mixture, {0, 0}).log_likelihood;
  for (int i = 0; i < 20; ++i) {
    auto fit = deconvolve(e, {}, mixture, {1, 0});
    EXPECT_GE(fit.log_likelihood, before - 1e-12);
    before = fit.log_likelihood, mixture = fit.mixture;
  }
}

TEST(Deconvolve, OfKnownLatentsIsTheirMoments) {
  const auto e = measured_particles({standard_normal(2)}, 500, 2, 1e-3, 13);
  const auto c = deconvolve(e, {}, {standard_normal(2)}, {}).mixture.at(0);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(2);
  Eigen::MatrixXd second = Eigen::MatrixXd::Zero(2, 2);
  for (const auto& r : entry_ranges(e.particle)) {
    const auto part = posterior_of(prepared({standard_normal(2)}), e, r).at(0);
    mean += part.mean / 500, second += part.mean * part.mean.transpose() / 500;
  }
  // The points are known to a thousandth of the spread.
  EXPECT_LT((c.mean - mean).norm(), 1e-4);
  EXPECT_LT((c.covariance - (second - mean * mean.transpose())).norm(), 1e-4);
}

TEST(Deconvolve, AWeightOfTwoIsTheParticleTwice) {
  const auto e = measured_particles(three_wells(2), 40, 2, 0.4, 14);
  std::vector<double> weights(40, 1);
  for (std::size_t i = 0; i < 40; i += 2) weights[i] = 2;
  Expansions twice;
  twice.dim = 2;
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < 40; ++i)
    for (int copy = 0; copy < weights[i]; ++copy) {
      twice.particle.push_back(next++);
      for (std::size_t j = 0; j < 2; ++j)
        twice.point.push_back(e.point[2 * i + j]), twice.score.push_back(e.score[2 * i + j]);
      for (std::size_t j = 0; j < 4; ++j) twice.information.push_back(e.information[4 * i + j]);
      twice.log_ratio.push_back(e.log_ratio[i]), twice.mass.push_back(1);
    }
  const auto start = three_wells(2);
  const auto a = deconvolve(e, weights, start, {5, 0}), b = deconvolve(twice, {}, start, {5, 0});
  EXPECT_NEAR(a.log_likelihood, b.log_likelihood, 1e-9);
  EXPECT_LT((a.mixture[0].mean - b.mixture[0].mean).norm(), 1e-9);
}

TEST(Deconvolve, DoesNotDependOnThreads) {
  const auto e = measured_particles(three_wells(2), 600, 2, 0.4, 15);
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = deconvolve(e, {}, three_wells(2), {3, 0});
  set_thread_count(3);
  const auto three = deconvolve(e, {}, three_wells(2), {3, 0});
  set_thread_count(threads);
  EXPECT_EQ(one.log_likelihood, three.log_likelihood);
  EXPECT_EQ(one.mixture[1].covariance, three.mixture[1].covariance);
}

TEST(Deconvolve, CovariancesKeepOffZero) {
  // Two particles at one place: without a floor the component would have no width.
  Expansions e;
  Philox random(1);
  for (std::uint32_t i = 0; i < 2; ++i)
    add_expansion(e, i, Eigen::VectorXd::Zero(1), Eigen::MatrixXd::Constant(1, 1, 1e8), random);
  const auto fit = deconvolve(e, {}, {standard_normal(1)}, {50, 0});
  EXPECT_NEAR(fit.mixture[0].covariance(0, 0), 1e-3, 1e-6);
}

TEST(ParameterCost, IsTheCriterionsForKnownLatentsAndNothingForIdleOnes) {
  const double n = 1000;
  const Eigen::VectorXd known = Eigen::VectorXd::Ones(2);
  // 1 weight, 2 means and 3 covariances of each.
  EXPECT_NEAR(parameter_cost(2, known, n), 11 * 0.5 * std::log(1 + n), 1e-9);
  Eigen::VectorXd with_idle = Eigen::VectorXd::Zero(6);
  with_idle.head(2) = known;
  EXPECT_NEAR(parameter_cost(2, with_idle, n), parameter_cost(2, known, n), 1e-9);
}

TEST(Subset, KeepsWholeParticles) {
  Expansions e{1, {0, 0, 5}, {1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}, {1, 1, 1}};
  const auto kept = subset(e, {0, 1});
  EXPECT_EQ(kept.particle, std::vector<std::uint32_t>{5});
  EXPECT_EQ(kept.information, std::vector<float>{9});
  EXPECT_EQ(subset(e, {1, 0}).size(), 2u);
  const ScoredDraws d{1, {0, 0, 5}, {1, 0, 1}, {1, 2, 3}, {-1, -2, -3}};
  EXPECT_EQ(subset(d, {0, 1}).log_proposal, std::vector<float>{-3});
}

TEST(GrowMixture, NeedsParticles) {
  EXPECT_NE(error_of([] {
              grow_mixture(Expansions{2, {}, {}, {}, {}, {}, {}}, standard_normal(2), 2);
            }).find("no particles"),
            std::string::npos);
}

}  // namespace cryoscape::inference
