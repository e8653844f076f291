#include "cryoscape/inference/draw_refit.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/inference/module_state.hpp"
#include "cryoscape/inference/test_expansions.hpp"

namespace cryoscape::inference {
namespace {

std::shared_ptr<latent::Prior> prior_of(const std::string& kind) {
  latent::PriorOptions options;
  options.kind = kind, options.dim = 2, options.hidden = 3;
  return latent::make_prior(options, 1);
}

}  // namespace

TEST(HeldOutMeans, AreOfParticlesHeldOutOnly) {
  const auto mean = held_out_mean({1, 5, 100, 3}, {1, 1, 0, 1});
  EXPECT_NEAR(mean.value, 3, 1e-12);
  EXPECT_NEAR(mean.error, 2 / std::sqrt(3.0), 1e-12);
  EXPECT_NEAR(held_out_mean({1, 3}, {0, 0}).value, 2, 1e-12);
}

TEST(Evidence, TakesTheNormaliserIntoAccount) {
  // −½‖z‖² of a standard normal prior is not normalised; its log Z is.
  const GaussianMixture normal{standard_normal(2)};
  const auto e = measured_particles(normal, 30, 2, 0.4, 1);
  const auto prior = prior_of("gaussian");
  const auto evidence = evidence_of(*prior, posterior_draws(normal, e, 4, 2));
  const auto exact = log_marginals(normal, e);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(evidence.particles[i], exact[i], 1e-4);
}

TEST(MoveOnDraws, KeepsTheBestRoundAndIsTheSameForASeed) {
  const auto truth = three_wells(2);
  const auto e = measured_particles(truth, 400, 2, 0.3, 3);
  const auto draws = posterior_draws(broadened({standard_normal(2)}, 0.2, 2), e, 32, 4);
  const auto out = held_out(draws.ranges, {}, 0.2, 5);
  RefitOptions options;
  options.rounds = 3, options.steps = 40;
  const auto moved = [&](int rounds) {
    auto g = torch::make_generator<at::CPUGeneratorImpl>(6);
    const auto prior = prior_of("gbrbm");
    prior->after_warm_up(torch::randn({500, 2}, g), torch::full({500, 2}, 0.1f), g);
    options.rounds = rounds;
    const double before = held_out_mean(evidence_of(*prior, draws).particles, out).value;
    const int best = move_on_draws(*prior, draws, out, options);
    const double after = held_out_mean(evidence_of(*prior, draws).particles, out).value;
    EXPECT_LE(best, rounds);
    if (best == 0)
      EXPECT_EQ(after, before);
    else
      EXPECT_GT(after, before);
    return after;
  };
  const double none = moved(0), some = moved(3);
  EXPECT_GT(some, none);
  EXPECT_EQ(moved(3), some);
}

}  // namespace cryoscape::inference
