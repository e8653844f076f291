#include "cryoscape/inference/refit_draws.hpp"

#include <gtest/gtest.h>

#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {

std::vector<double> energies_of(const GaussianMixture& mixture, const RefitDraws& draws) {
  const auto ready = prepared(mixture);
  std::vector<double> out;
  for (std::size_t m = 0; m < draws.size(); ++m)
    out.push_back(-log_density(ready, Eigen::Map<const Eigen::VectorXf>(draws.latent.data() + m * draws.dim,
                                                                        static_cast<long>(draws.dim))
                                          .cast<double>()));
  return out;
}

}  // namespace

TEST(PosteriorDraws, GiveTheEvidenceOfAnotherPrior) {
  const auto wells = three_wells(8);
  const auto e = measured_particles(wells, 200, 2, 0.4, 1);
  const auto draws = posterior_draws(broadened({standard_normal(8)}, 0.2, 2), e, 4000, 2);
  const auto estimated = log_evidence(draws, energies_of(wells, draws)), exact = log_marginals(wells, e);
  double square = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) square += std::pow(estimated[i] - exact[i], 2) / 200;
  // The wells are some 15 times smaller than the base: a few hundred draws count.
  EXPECT_LT(std::sqrt(square), 0.15);
}

TEST(PosteriorDraws, AreExactUnderTheBaseItself) {
  const auto wells = three_wells(2);
  const auto e = measured_particles(wells, 20, 1, 0.05, 3);
  const auto draws = posterior_draws(wells, e, 8, 4);
  const auto estimated = log_evidence(draws, energies_of(wells, draws)), exact = log_marginals(wells, e);
  for (std::size_t i = 0; i < exact.size(); ++i)
    EXPECT_NEAR(estimated[i], exact[i], 1e-4);  // float32 latents
  for (const double share : posterior_shares(draws, energies_of(wells, draws)))
    EXPECT_NEAR(share, 0.125, 1e-4);
}

TEST(PosteriorDraws, OfAParticleDoNotDependOnTheOthers) {
  const auto wells = three_wells(2);
  const auto e = measured_particles(wells, 6, 2, 0.3, 5);
  Expansions last;
  last.dim = 2, last.particle = {5}, last.log_ratio = {e.log_ratio[5]}, last.mass = {1};
  last.point.assign(e.point.end() - 2, e.point.end());
  last.score.assign(e.score.end() - 2, e.score.end());
  last.information.assign(e.information.end() - 4, e.information.end());
  const auto all = posterior_draws(wells, e, 4, 6), one = posterior_draws(wells, last, 4, 6);
  EXPECT_EQ(std::vector<float>(all.latent.end() - 8, all.latent.end()), one.latent);
}

TEST(RefitDraws, OfScoredDrawsWeighTheLikelihoodOverTheProposal) {
  const ScoredDraws given{1, {3, 3, 8}, {0, 1, 1}, {2, 1, 5}, {-0.5f, -1, -2}};
  const auto draws = refit_draws(given);
  EXPECT_NEAR(draws.log_weight[0], 2.5 - std::log(2.0), 1e-6);
  EXPECT_NEAR(draws.log_weight[2], 7, 1e-6);
  const std::vector<double> energies{1, 0, 2};
  EXPECT_NEAR(log_evidence(draws, energies)[0], std::log(0.5 * (std::exp(1.5) + std::exp(2))), 1e-6);
  EXPECT_NEAR(posterior_shares(draws, energies)[2], 1, 1e-12);
}

TEST(RefitDraws, SayWhichParticleHasNoLikelihood) {
  const ScoredDraws given{1, {3}, {0}, {-INFINITY}, {0}};
  EXPECT_NE(error_of([&] { refit_draws(given); }).find("no draw of particle 4"), std::string::npos);
}

TEST(HeldOut, IsOfGroupsAndOfTheRightSize) {
  std::vector<EntryRange> ranges;
  std::vector<std::uint32_t> groups;
  for (std::uint32_t i = 0; i < 4000; ++i) ranges.push_back({i, i, i + 1}), groups.push_back(i / 4);
  const auto out = held_out(ranges, groups, 0.2, 1);
  double count = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    count += out[i];
    EXPECT_EQ(out[i], out[i - i % 4]);
  }
  EXPECT_NEAR(count / 4000, 0.2, 0.06);  // five standard errors of 1000 groups
  const auto half = held_out({ranges.begin() + 2000, ranges.end()}, groups, 0.2, 1);
  EXPECT_TRUE(std::equal(half.begin(), half.end(), out.begin() + 2000));
}

}  // namespace cryoscape::inference
