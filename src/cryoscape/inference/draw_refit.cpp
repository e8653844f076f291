#include "cryoscape/inference/draw_refit.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/inference/module_state.hpp"
#include "cryoscape/latent/point_posterior.hpp"
#include "cryoscape/latent/prior_trainer.hpp"
#include "cryoscape/util/interrupt.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::int64_t kEnergyRows = 65536;  ///< at a time
constexpr std::size_t kBatch = 256;          ///< particles per step
constexpr int kPatience = 3;                 ///< rounds without more held-out evidence
constexpr std::uint64_t kPickStream = std::uint64_t{1} << 40;
constexpr double kLeastWidth = 1e-6;

torch::Tensor as_tensor(const RefitDraws& draws) {
  return torch::from_blob(const_cast<float*>(draws.latent.data()),
                          {static_cast<std::int64_t>(draws.size()), static_cast<std::int64_t>(draws.dim)});
}

/// Picks batches of draws: particles at random, a draw of each by its share.
class Picker {
 public:
  Picker(const RefitDraws& draws, const std::vector<char>& out, std::uint64_t seed)
      : draws_(draws), random_(seed, kPickStream) {
    for (std::size_t i = 0; i < draws.ranges.size(); ++i)
      if (!out[i]) particles_.push_back(i);
  }

  torch::Tensor batch(const std::vector<double>& shares) {
    std::vector<std::int64_t> rows;
    for (std::size_t b = 0; b < kBatch; ++b) {
      const auto& r = draws_.ranges[particles_[random_.below(particles_.size())]];
      double u = random_.uniform();
      auto m = r.first;
      while (m + 1 < r.last && u >= shares[m]) u -= shares[m++];
      rows.push_back(static_cast<std::int64_t>(m));
    }
    return as_tensor(draws_).index({torch::tensor(rows, torch::kInt64)});
  }

 private:
  const RefitDraws& draws_;
  Philox random_;
  std::vector<std::size_t> particles_;
};

double effective_share(const RefitDraws& draws, const std::vector<double>& shares) {
  double sum = 0;
  for (const auto& r : draws.ranges) {
    double squares = 0;
    for (auto m = r.first; m < r.last; ++m) squares += shares[m] * shares[m];
    sum += 1 / (squares * static_cast<double>(r.last - r.first));
  }
  return sum / static_cast<double>(draws.ranges.size());
}

}  // namespace

std::vector<double> energies_of(const latent::Prior& prior, const RefitDraws& draws) {
  torch::NoGradGuard no_grad;
  std::vector<double> out;
  for (const auto& rows : as_tensor(draws).split(kEnergyRows)) {
    const auto values = latent::values_of(prior.energy(rows));
    out.insert(out.end(), values.begin(), values.end());
  }
  return out;
}

Evidence evidence_of(latent::Prior& prior, const RefitDraws& draws) {
  Evidence e;
  e.energies = energies_of(prior, draws);
  e.partition = prior.log_partition();
  e.particles = log_evidence(draws, e.energies);
  for (auto& x : e.particles) x -= e.partition.value;
  return e;
}

HeldOutMean held_out_mean(const std::vector<double>& values, const std::vector<char>& out) {
  const bool any = std::find(out.begin(), out.end(), 1) != out.end();
  double n = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!any || out[i]) n += 1, sum += values[i];
  const double mean = sum / n;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!any || out[i]) squares += (values[i] - mean) * (values[i] - mean);
  return {mean, n > 1 ? std::sqrt(squares / (n - 1) / n) : 0};
}

int move_on_draws(latent::Prior& prior, const RefitDraws& draws, const std::vector<char>& out,
                  const RefitOptions& options) {
  latent::PriorTrainer trainer(prior);
  if (!trainer.optimiser()) return 0;
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(options.seed) + 1);
  Picker picker(draws, out, static_cast<std::uint64_t>(options.seed));
  const auto width = (latent::kPointWidth * as_tensor(draws).std(0)).clamp_min(kLeastWidth);
  int best_round = 0;
  double best = 0;
  std::vector<torch::Tensor> best_state;
  for (int round = 0;; ++round) {
    const auto evidence = evidence_of(prior, draws);
    const double mean = held_out_mean(evidence.particles, out).value;
    if (round == 0 || mean > best) best = mean, best_round = round, best_state = state_of(prior);
    if (round == options.rounds || round - best_round >= kPatience) break;
    const auto shares = posterior_shares(draws, evidence.energies);
    for (int s = 0; s < options.steps; ++s) {
      throw_if_interrupted();
      const auto z = picker.batch(shares);
      trainer.step(latent::point_posterior(prior.bits(), z, width), {z, z}, generator);
    }
  }
  set_state(prior, best_state);
  return best_round;
}

void assess(RefitReport& report, const RefitDraws& draws, const std::vector<char>& out,
            const Evidence& before, const Evidence& after) {
  report.particles = draws.ranges.size();
  report.held_out_particles = static_cast<std::size_t>(std::count(out.begin(), out.end(), 1));
  report.before = held_out_mean(before.particles, out);
  report.after = held_out_mean(after.particles, out);
  std::vector<double> gains;
  double training = 0;
  for (std::size_t i = 0; i < after.particles.size(); ++i) {
    gains.push_back(after.particles[i] - before.particles[i]);
    if (!out[i]) training += after.particles[i];
  }
  report.gain = held_out_mean(gains, out);
  report.training =
      training / static_cast<double>(std::max<std::size_t>(1, report.particles - report.held_out_particles));
  report.effective_draws = effective_share(draws, posterior_shares(draws, after.energies));
  report.partition = after.partition;
}

}  // namespace cryoscape::inference
