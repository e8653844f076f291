#include "cryoscape/training/objective.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/model/test_scene.hpp"
#include "cryoscape/training/restrained_prior.hpp"
#include "cryoscape/training/test_data_set.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

namespace {

/// A model of the helix off its start, a batch of images, restraints.
struct Setting {
  model::TestScene test{24, 11, 8, 24, 2, 51};
  structure::BeadModel beads = structure::make_beads(bent_helix(0), structure::BeadLevel::residue);
  structure::RestraintEvaluator restraints{structure::make_restraints(beads, {})};
  std::unique_ptr<model::HeterogeneityModel> model;
  particles::Batch batch;

  explicit Setting(const std::string& prior, const std::string& likelihood = "gaussian") {
    test.coordinates = torch::tensor(beads.coordinates).view({1, 24, 3}).expand({8, 24, 3}).contiguous();
    test.spectra = (test.prediction() + test.noise(1)[0]).to(torch::kComplexFloat);
    batch = test.batch();
    model::Scene scene;
    scene.box = test.box(), scene.pixel_size = test.spec.pixel_size, scene.max_shell = test.max_shell,
    scene.optics_groups = 2;
    scene.coordinates = beads.coordinates;
    scene.amplitudes.assign(test.amplitudes.data_ptr<float>(), test.amplitudes.data_ptr<float>() + 24);
    model::ModelOptions options;
    options.latent_dim = 3, options.bead_sigma = 3, options.likelihood = likelihood;
    options.prior.kind = prior, options.prior.bits = 6, options.prior.chains = 16;
    model = std::make_unique<model::HeterogeneityModel>(options, scene, 1);
    model->spectral().set_state(test.spectral().state());
    torch::manual_seed(2);
    torch::NoGradGuard no_grad;
    for (auto& p : model->network_parameters()) p.add_(0.03 * torch::randn_like(p));
  }

  Evaluation evaluate(double beta, structure::RestraintWeights weights, double log_partition = 0,
                      int samples = 1, bool energy_in_prior = false) {
    for (auto& p : model->parameters()) p.mutable_grad() = torch::Tensor();
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(9);
    auto evaluation = evaluate_objective(
        *model, batch, {beta, {weights, 0}, log_partition, samples, energy_in_prior}, restraints, generator);
    evaluation.terms.loss.backward();
    return evaluation;
  }

  /// All gradients of a network after evaluate().
  torch::Tensor gradient(const std::string& network) const {
    std::vector<torch::Tensor> parts;
    for (const auto& p : model->named_parameters())
      if (p.key().rfind(network, 0) == 0) parts.push_back(p.value().grad().flatten());
    return torch::cat(parts).clone();
  }
};

constexpr structure::RestraintWeights kNone{0, 0, 0}, kFirm{5, 0.1f, 5};

}  // namespace

TEST(Objective, RestraintsMoveTheDecoderOnly) {
  for (const char* prior : {"gaussian", "rbm"}) {
    Setting setting(prior);
    setting.evaluate(1, kNone);
    const auto encoder = setting.gradient("encoder"), decoder = setting.gradient("decoder");
    const auto firm = setting.evaluate(1, kFirm);
    EXPECT_GT(firm.terms.restraint, 0.1);
    EXPECT_GT(encoder.norm().item<double>(), 0);
    EXPECT_TRUE(torch::equal(encoder, setting.gradient("encoder"))) << prior;
    const auto change = setting.gradient("decoder") - decoder;
    EXPECT_GT(change.norm().item<double>(), 1e-3 * decoder.norm().item<double>()) << prior;
  }
}

TEST(Objective, TermsAddUp) {
  for (const char* prior : {"gaussian", "mixture", "rbm"}) {
    Setting setting(prior);
    const double log_partition = 1.7;
    for (const double beta : {0.0, 0.3, 1.0}) {
      const auto t = setting.evaluate(beta, kFirm, log_partition).terms;
      const double scale = 1e-6 * std::abs(t.log_likelihood);
      EXPECT_NEAR(t.bound, t.log_likelihood - t.kl, scale);
      // The partition function is a constant to encoder and decoder, so the loss has the KL without it.
      EXPECT_NEAR(t.loss.item<double>(), -t.log_likelihood + beta * (t.kl - log_partition) + t.restraint,
                  scale)
          << prior << beta;
    }
  }
}

TEST(Objective, KlOfAGaussianIsTheClosedForm) {
  Setting setting("gaussian");
  const auto evaluation = setting.evaluate(1, kNone, setting.model->prior().log_partition().value);
  const auto& q = evaluation.posterior;
  const auto kl = 0.5 * (q.mean.pow(2) + torch::exp(2 * q.log_std) - 1 - 2 * q.log_std).sum(1).mean();
  EXPECT_NEAR(evaluation.terms.kl, kl.item<double>(), 1e-5);
}

TEST(Objective, StepsDownTheGradientLowerTheLoss) {
  for (const char* likelihood : {"gaussian", "correlation"}) {
    Setting setting("gaussian", likelihood);
    const double before = setting.evaluate(1, kFirm).terms.loss.item<double>();
    double slope = 0;
    for (const auto& p : setting.model->network_parameters()) slope += p.grad().pow(2).sum().item<double>();
    const double step = 1e-4 * std::abs(before) / slope;
    {
      torch::NoGradGuard no_grad;
      for (auto& p : setting.model->network_parameters()) p.sub_(step * p.grad());
    }
    const double after = setting.evaluate(1, kFirm).terms.loss.item<double>();
    EXPECT_NEAR((before - after) / (step * slope), 1, 0.1) << likelihood;
  }
}

TEST(Objective, CorrelationClampsAndScalesTheKl) {
  Setting setting("gaussian", "correlation");
  const double pixels = 24 * 24, dim = 3;
  const auto evaluation = setting.evaluate(1, kFirm);
  const auto& q = evaluation.posterior;
  const auto kl = setting.model->prior().cross_entropy(q, evaluation.sample) - latent::entropy(q);
  const double clamped = torch::clamp_min(kl / dim, 3).mean().item<double>();
  EXPECT_NEAR(evaluation.terms.loss.item<double>(),
              -evaluation.terms.log_likelihood + (clamped + evaluation.terms.restraint) / pixels, 1e-5);
  EXPECT_LE(std::abs(evaluation.terms.log_likelihood), 1);
}

TEST(Objective, ImportanceWeightedBoundIsTighter) {
  Setting setting("gaussian");
  const auto one = setting.evaluate(1, kNone), many = setting.evaluate(1, kNone, 0, 50);
  EXPECT_GT(many.terms.bound, one.terms.bound);
  EXPECT_EQ(many.sample.hard.sizes(), one.sample.hard.sizes());
  EXPECT_NEAR(many.terms.bound, many.terms.log_likelihood - many.terms.kl, 1e-3);
  EXPECT_NEAR(many.terms.loss.item<double>(), -many.terms.bound, 1e-3);
}

TEST(Objective, ImportanceWeightedStepsAlongItsGradientLowerTheLoss) {
  Setting setting("gaussian");
  const double before = setting.evaluate(1, kFirm, 0, 5).terms.loss.item<double>();
  double slope = 0;
  for (const auto& p : setting.model->network_parameters()) slope += p.grad().pow(2).sum().item<double>();
  const double step = 0.02 / slope;
  {
    torch::NoGradGuard no_grad;
    for (auto& p : setting.model->network_parameters()) p.sub_(step * p.grad());
  }
  EXPECT_NEAR((before - setting.evaluate(1, kFirm, 0, 5).terms.loss.item<double>()) / 0.02, 1, 0.15);
}

TEST(Objective, RestraintsInThePriorReachTheEncoderToo) {
  Setting setting("gaussian");
  const auto plain = setting.evaluate(1, kFirm).terms;
  const auto outside = setting.gradient("encoder");
  const auto evaluation = setting.evaluate(1, kFirm, 0, 1, true);
  EXPECT_GT((setting.gradient("encoder") - outside).norm().item<double>(),
            1e-3 * outside.norm().item<double>());
  const auto& t = evaluation.terms;
  // The bound counts ln ⟨e^{−R}⟩, which moves nothing.
  const double log_mean = t.restraint - plain.restraint;
  EXPECT_LT(log_mean, 0);
  EXPECT_NEAR(t.loss.item<double>(), -t.bound - log_mean, 1e-3);
  EXPECT_NEAR(evaluation.draw_weights.sum().item<double>(), 1, 1e-6);
  EXPECT_EQ(evaluation.draws.size(1), 3);
}

TEST(Objective, CollectsTheSumsOfTheBatch) {
  Setting setting("gaussian");
  const auto evaluation = setting.evaluate(1, kNone);
  ASSERT_EQ(evaluation.sums.size(), 2u * 13);
  const double data = evaluation.sums[5].data_power + evaluation.sums[13 + 5].data_power;
  const auto in_shell = (setting.test.shell() == 5).to(torch::kFloat64) * setting.test.multiplicity();
  EXPECT_NEAR(
      data,
      (in_shell * torch::abs(setting.test.spectra.to(torch::kComplexDouble)).pow(2)).sum().item<double>(),
      1e-5 * data);
}

TEST(RestrainedDraws, EstimateTheFactorOfThePartitionFunction) {
  Setting setting("gaussian");
  const RestraintSchedule schedule{kFirm, 0};
  const auto draws = [&](std::uint64_t seed, std::int64_t n) {
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
    return restrained_draws(*setting.model, setting.restraints, schedule, n, 0, {}, generator);
  };
  torch::NoGradGuard no_grad;
  const auto many = draws(1, 50000);
  int within = 0;
  for (std::uint64_t seed = 2; seed < 22; ++seed) {
    const auto few = draws(seed, 500);
    within += std::abs((few.log_mean - many.log_mean).item<double>()) < 2 * few.standard_error;
  }
  EXPECT_GE(within, 15);  // of 20, where 19 are expected
  // What is picked follows the product: its restraint energy is the weighted mean.
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(30);
  const auto energy = [&](const torch::Tensor& z) {
    return restraint_energy(setting.model->decode(z), setting.restraints, schedule, structure::Moments::keep);
  };
  const auto weighted = (many.weights * energy(many.z)).sum().item<double>();
  const auto picked = energy(many.picked(20000, generator));
  EXPECT_NEAR(picked.mean().item<double>(), weighted, 5 * picked.std().item<double>() / std::sqrt(20000.0));
}

// Draws of posteriors beside those of the prior change how well the factor is known, not what it is.
TEST(RestrainedDraws, OfPosteriorsBesideThePriorEstimateTheSame) {
  for (const char* kind : {"gaussian", "rbm"}) {
    Setting setting(kind);
    const RestraintSchedule schedule{kFirm, 0};
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(31);
    auto& prior = setting.model->prior();
    const double log_z = prior.log_partition().value;
    torch::NoGradGuard no_grad;
    const auto few = setting.model->encode(setting.batch);
    latent::Posterior q{few.bits, few.mean.repeat({50, 1}), {}, {}, {}};
    if (few.has_reals()) q.log_std = few.log_std.repeat({50, 1}) - 1.5;
    const auto alone =
        restrained_draws(*setting.model, setting.restraints, schedule, 20000, log_z, {}, generator);
    const auto both = restrained_draws(*setting.model, setting.restraints, schedule, 2000, log_z,
                                       {q, prior.draw_hard(q, generator).hard}, generator);
    EXPECT_EQ(both.z.size(0), 2400);
    EXPECT_NEAR(both.log_mean.item<double>(), alone.log_mean.item<double>(),
                4 * (both.standard_error + alone.standard_error))
        << kind;
    EXPECT_LT(both.standard_error, 0.1);
  }
}

TEST(RestraintEnergy, IsTheEvaluatorsWithItsGradient) {
  Setting setting("gaussian");
  torch::manual_seed(5);
  auto x = (setting.test.coordinates + 0.5 * torch::randn({8, 24, 3})).requires_grad_();
  const auto weights = torch::rand({8});
  const RestraintSchedule schedule{kFirm, 0};
  const auto energy = restraint_energy(x, setting.restraints, schedule);
  (energy * weights).sum().backward();
  std::vector<float> value(8), gradient(8 * 72);
  const auto data = x.detach().contiguous();
  structure::RestraintEvaluator fresh(structure::make_restraints(setting.beads, {}));
  fresh.evaluate({data.data_ptr<float>(), 8 * 72}, 8, kFirm, 0, value, gradient);
  EXPECT_TRUE(torch::equal(energy.detach(), torch::tensor(value)));
  EXPECT_TRUE(torch::equal(x.grad(), torch::tensor(gradient).view({8, 24, 3}) * weights.view({-1, 1, 1})));
  EXPECT_LT(
      restraint_energy(setting.test.coordinates, setting.restraints, schedule).abs().max().item<double>(),
      1e-4);
}
