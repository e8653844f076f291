#include "cryoscape/inference/prior_refit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "cryoscape/inference/draw_refit.hpp"
#include "cryoscape/inference/informed.hpp"
#include "cryoscape/inference/mixture_fit.hpp"
#include "cryoscape/inference/module_state.hpp"
#include "cryoscape/inference/prior_draws.hpp"
#include "cryoscape/latent/point_posterior.hpp"
#include "cryoscape/latent/priors.hpp"
#include "cryoscape/latent/vamp.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::int64_t kMomentSamples = 5000;
constexpr double kRidge = 1e-4;                       ///< on moments, as a share of the mean variance
constexpr std::size_t kReferenceComponents = 12;      ///< most, but for mixture priors of more
constexpr double kBroadShare = 0.1, kBroadening = 2;  ///< of the proposal
constexpr std::size_t kStartPoints = 5000;
constexpr std::int64_t kComparedDraws = 32;  ///< at which two densities are taken for one
constexpr double kSameEnergy = 1e-2;         ///< kT: well above the rounding of float32 priors

std::size_t particles_in(const std::vector<EntryRange>& ranges) {
  if (ranges.size() < 2) fail("{} particles are too few to refit a prior on", ranges.size());
  return ranges.size();
}

/// Particles held out, some but not all.
std::vector<char> held_out_of(const std::vector<EntryRange>& ranges, const RefitOptions& options) {
  particles_in(ranges);
  auto out =
      held_out(ranges, options.groups, options.held_out, static_cast<std::uint64_t>(options.seed) + 17);
  if (std::find(out.begin(), out.end(), 1) == out.end()) out[0] = 1;
  if (std::find(out.begin(), out.end(), 0) == out.end()) out.back() = 0;
  return out;
}

std::vector<char> others(std::vector<char> out) {
  for (auto& x : out) x = !x;
  return out;
}

/// Mean and covariance of a prior, which directions keep that no particle knows.
GaussianComponent moments_of(latent::Prior& prior, int seed) {
  torch::NoGradGuard no_grad;
  const auto z = prior_draws(prior, kMomentSamples, static_cast<std::uint64_t>(seed) + 2).to(torch::kFloat64);
  const auto mean = z.mean(0), offset = z - mean;
  auto covariance = (offset.t().mm(offset) / static_cast<double>(z.size(0))).contiguous();
  const double ridge = kRidge * torch::diagonal(covariance).mean().item<double>();
  covariance.diagonal().add_(ridge);
  const auto d = z.size(1);
  return {1, Eigen::Map<const Eigen::VectorXd>(mean.contiguous().data_ptr<double>(), d),
          Eigen::Map<const Eigen::MatrixXd>(covariance.data_ptr<double>(), d, d)};
}

/// The prior as a mixture with free covariances, if it is one.
latent::MixturePrior* full_mixture(latent::Prior& prior) {
  return dynamic_cast<latent::VampPrior*>(&prior) ? nullptr : dynamic_cast<latent::MixturePrior*>(&prior);
}

latent::MixtureParameters parameters_of(const GaussianMixture& mixture) {
  const auto k = static_cast<std::int64_t>(mixture.size()), d = mixture.at(0).mean.size();
  const auto options = torch::TensorOptions(torch::kFloat64);
  latent::MixtureParameters p{torch::empty({k}, options), torch::empty({k, d}, options),
                              torch::empty({k, d, d}, options)};
  for (std::int64_t c = 0; c < k; ++c) {
    const auto& component = mixture[static_cast<std::size_t>(c)];
    p.logits[c] = std::log(component.weight);
    Eigen::Map<Eigen::VectorXd>(p.means[c].data_ptr<double>(), d) = component.mean;
    const Eigen::MatrixXd precision = component.covariance.llt().solve(Eigen::MatrixXd::Identity(d, d));
    Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
        p.factors[c].data_ptr<double>(), d, d) = Eigen::MatrixXd(precision.llt().matrixL());
  }
  return p;
}

/// Posterior draws under the mixture, of particles that are not held out: what a prior starts from.
torch::Tensor start_points(const RefitDraws& draws, const GaussianMixture& mixture,
                           const std::vector<char>& out, int seed) {
  const auto ready = prepared(mixture);
  std::vector<double> energies;
  for (std::size_t m = 0; m < draws.size(); ++m)
    energies.push_back(
        -log_density(ready, Eigen::Map<const Eigen::VectorXf>(draws.latent.data() + m * draws.dim,
                                                              static_cast<Eigen::Index>(draws.dim))
                                .cast<double>()));
  const auto shares = posterior_shares(draws, energies);
  const auto training = static_cast<std::size_t>(std::count(out.begin(), out.end(), 0));
  const std::size_t each = (kStartPoints + training - 1) / training;
  std::vector<float> points;
  for (std::size_t i = 0; i < draws.ranges.size(); ++i) {
    if (out[i]) continue;
    Philox random(static_cast<std::uint64_t>(seed) + 3, draws.ranges[i].particle);
    for (std::size_t j = 0; j < each; ++j) {
      double u = random.uniform();
      auto m = draws.ranges[i].first;
      while (m + 1 < draws.ranges[i].last && u >= shares[m]) u -= shares[m++];
      const auto* z = draws.latent.data() + m * draws.dim;
      points.insert(points.end(), z, z + draws.dim);
    }
  }
  return torch::tensor(points).view({-1, static_cast<std::int64_t>(draws.dim)});
}

/// What is the same for all priors that are fitted to the same expansions.
struct Population {
  std::vector<char> out;
  MixtureFit reference;
  RefitDraws draws;

  Population(const Expansions& e, const GaussianComponent& broad, std::size_t most,
             const RefitOptions& options)
      : out(held_out_of(entry_ranges(e.particle), options)),
        reference(grow_mixture(subset(e, others(out)), broad, most)),
        draws(posterior_draws(proposal_of(reference.mixture), e, static_cast<std::size_t>(options.draws),
                              static_cast<std::uint64_t>(options.seed) + 4)) {}
};

std::size_t most_components(latent::Prior& prior) {
  const auto* mixture = full_mixture(prior);
  return mixture ? static_cast<std::size_t>(mixture->components()) : kReferenceComponents;
}

/// Returns the round that stays.
int fit(latent::Prior& prior, const Population& population, const RefitOptions& options) {
  if (!prior.make_optimiser()) return 0;
  if (auto* mixture = full_mixture(prior)) {
    mixture->set_density(parameters_of(population.reference.mixture));
    return 0;
  }
  const auto points =
      start_points(population.draws, population.reference.mixture, population.out, options.seed);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options.seed) + 5);
  const auto width = (latent::kPointWidth * points.std(0)).expand(points.sizes());
  prior.after_warm_up(points, width, generator);
  return move_on_draws(prior, population.draws, population.out, options);
}

void assess(RefitReport& report, const Population& p, const Expansions& e, const Evidence& before,
            const Evidence& after) {
  assess(report, p.draws, p.out, before, after);
  report.reference_components = p.reference.mixture.size();
  auto over = log_marginals(p.reference.mixture, e);
  for (std::size_t i = 0; i < over.size(); ++i) over[i] = after.particles[i] - over[i];
  report.over_reference = held_out_mean(over, p.out);
}

void check_real(const latent::Prior& prior, const Expansions& e) {
  if (prior.bits() > 0) fail("a prior with bits cannot be refitted on expansions: it needs scored draws");
  check(e);
  if (e.dim != static_cast<std::size_t>(prior.dim()))
    fail("the likelihoods have {} latent dimensions, the prior {}: run cryoscape refine again", e.dim,
         prior.dim());
}

void check_run(const training::Run& run) {
  if (run.settings.training.energy_in_prior)
    fail("the prior of a run with --energy-in-prior cannot be refitted: restraints are part of it");
}

RefitOptions options_of(const training::Run& run, const RefitOptions& options) {
  auto out = options;
  out.seed = run.settings.training.seed;
  if (out.groups.empty()) out.groups = image_groups(run.data.particles);
  return out;
}

/// With the options of the run's own prior, and nothing fitted.
RefittedPrior blank_refit(const training::Run& run) {
  RefittedPrior out;
  out.options = run.settings.model.prior;
  out.options.dim = run.settings.model.latent_dim;
  return out;
}

/// The prior that the run was trained with, copied.
void take_own(training::Run& run, RefittedPrior& out) {
  out.options = blank_refit(run).options;
  out.prior = latent::make_prior(out.options, static_cast<std::uint64_t>(run.settings.training.seed));
  set_state(*out.prior, state_of(run.model->prior()));
}

nlohmann::json to_json(const HeldOutMean& mean) { return {{"value", mean.value}, {"error", mean.error}}; }

}  // namespace

void RefitOptions::declare(OptionSet& set) {
  const auto bounded = [](Option& option, double minimum, double maximum) {
    option.minimum = minimum, option.maximum = maximum;
  };
  bounded(set.add("refit-rounds", &rounds, "most rounds in which the prior is refitted on the particles"), 0,
          100000);
  bounded(set.add("refit-steps", &steps, "steps of the prior in a round of its refit"), 1, 1e6);
  bounded(set.add("refit-draws", &draws, "posterior draws per particle that the prior is refitted on"), 2,
          100000);
  bounded(set.add("refit-held-out", &held_out, "share of particles that say when a refit ends"), 0.01, 0.5);
}

nlohmann::json to_json(const RefitReport& r) {
  nlohmann::json json{{"particles", r.particles},
                      {"held_out_particles", r.held_out_particles},
                      {"changed", r.changed},
                      {"rounds", r.rounds},
                      {"held_out_evidence_before", to_json(r.before)},
                      {"held_out_evidence", to_json(r.after)},
                      {"held_out_gain", to_json(r.gain)},
                      {"training_evidence", r.training},
                      {"effective_draws", r.effective_draws}};
  latent::record_partition(r.partition, json);
  if (r.reference_components) json["reference_components"] = *r.reference_components;
  if (r.over_reference) json["held_out_gain_over_reference"] = to_json(*r.over_reference);
  return json;
}

Expansions informed_expansions(training::Run& run) {
  return informed_part(read_expansions(run.folder.file("likelihood")),
                       moments_of(run.model->prior(), run.settings.training.seed));
}

RefitReport refit_prior(latent::Prior& prior, const Expansions& e, const RefitOptions& options) {
  check_real(prior, e);
  const Population population(e, moments_of(prior, options.seed), most_components(prior), options);
  RefitReport report;
  const auto before = evidence_of(prior, population.draws);
  report.rounds = fit(prior, population, options);
  report.changed = prior.make_optimiser() != nullptr;
  assess(report, population, e, before, evidence_of(prior, population.draws));
  return report;
}

RefitReport refit_prior(latent::Prior& prior, const ScoredDraws& given, const RefitOptions& options) {
  if (given.dim != static_cast<std::size_t>(prior.dim()))
    fail("the draws have {} latent dimensions, the prior {}: run cryoscape refine again", given.dim,
         prior.dim());
  const auto draws = refit_draws(given);
  const auto out = held_out_of(draws.ranges, options);
  RefitReport report;
  const auto before = evidence_of(prior, draws);
  report.rounds = move_on_draws(prior, draws, out, options);
  report.changed = report.rounds > 0;
  assess(report, draws, out, before, report.changed ? evidence_of(prior, draws) : before);
  return report;
}

RefittedPrior refit_prior(training::Run& run, const Expansions& e, const RefitOptions& given) {
  auto& own = run.model->prior();
  check_run(run);
  check_real(own, e);
  const auto options = options_of(run, given);
  const Population population(e, moments_of(own, options.seed), most_components(own), options);
  const auto before = evidence_of(own, population.draws);
  auto out = blank_refit(run);
  out.reference = population.reference.mixture;
  if (out.options.kind == "gaussian")
    out.options.kind = "mixture", out.options.components = static_cast<int>(out.reference.size());
  out.prior = latent::make_prior(out.options, static_cast<std::uint64_t>(options.seed));
  out.report.rounds = fit(*out.prior, population, options);
  auto after = evidence_of(*out.prior, population.draws);
  out.report.changed = after.partition.known() && held_out_mean(after.particles, population.out).value >=
                                                      held_out_mean(before.particles, population.out).value;
  if (!out.report.changed) out.report.rounds = 0, take_own(run, out);
  assess(out.report, population, e, before, out.report.changed ? after : before);
  return out;
}

RefittedPrior refit_prior(training::Run& run, const ScoredDraws& draws, const RefitOptions& options) {
  check_run(run);
  auto out = blank_refit(run);
  take_own(run, out);
  out.report = refit_prior(*out.prior, draws, options_of(run, options));
  return out;
}

bool is_reference(const RefittedPrior& refitted) {
  if (refitted.reference.empty()) return false;
  torch::NoGradGuard no_grad;
  const auto ready = prepared(refitted.reference);
  const auto d = refitted.prior->dim();
  const auto z = torch::empty({kComparedDraws, d});
  Philox random(1);
  for (std::int64_t i = 0; i < kComparedDraws; ++i)
    Eigen::Map<Eigen::VectorXf>(z[i].data_ptr<float>(), d) = draw(ready, random).cast<float>();
  const auto energy = refitted.prior->energy(z).to(torch::kFloat64).contiguous();
  for (std::int64_t i = 0; i < kComparedDraws; ++i) {
    const Eigen::VectorXd at = Eigen::Map<const Eigen::VectorXf>(z[i].data_ptr<float>(), d).cast<double>();
    if (std::abs(energy.data_ptr<double>()[i] + log_density(ready, at)) > kSameEnergy) return false;
  }
  return true;
}

GaussianMixture proposal_of(const GaussianMixture& reference) {
  return broadened(reference, kBroadShare, kBroadening);
}

std::vector<std::uint32_t> image_groups(const particles::ParticleSet& set) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> first;
  std::vector<std::uint32_t> groups;
  for (const auto& p : set.particles)
    groups.push_back(
        first.try_emplace({p.stack, p.slice}, static_cast<std::uint32_t>(groups.size())).first->second);
  return groups;
}

}  // namespace cryoscape::inference
