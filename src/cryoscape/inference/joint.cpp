#include "cryoscape/inference/joint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <unordered_set>

#include "cryoscape/inference/joint_evidence.hpp"
#include "cryoscape/inference/module_state.hpp"
#include "cryoscape/inference/prior_draws.hpp"
#include "cryoscape/inference/prior_expansion.hpp"
#include "cryoscape/inference/refined_run.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/adamw.hpp"
#include "cryoscape/training/objective.hpp"
#include "cryoscape/training/refined_decoder.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::size_t kTrainingDraws = 4;
constexpr double kSpectralMemory = 5000;              ///< images over which gain and noise are averaged
constexpr double kFirstRate = 0.2, kLastRate = 0.02;  ///< shares of the run's peak learning rate
constexpr double kRamp = 50;                          ///< steps until the optimiser knows its second moments
constexpr std::array kFirmer{8.0, 2.8, 1.0};  ///< factors of the edges' stiffness, each until it fails
constexpr int kPasses = 3;                    ///< over the training particles, in a round
constexpr double kLeastSteps = 100;           ///< of a round: small sets are passed several times
constexpr std::int64_t kPriorSamples = 2000;
constexpr std::size_t kEnsemble = 1024;

/// A decoder with its gain and noise.
struct State {
  std::vector<torch::Tensor> model;
  std::vector<double> spectral;
};

std::vector<torch::Tensor> decoder_parameters(const model::HeterogeneityModel& model) {
  std::vector<torch::Tensor> out;
  for (const auto& p : model.named_parameters())
    if (p.key().starts_with("decoder")) out.push_back(p.value());
  return out;
}

/// Rows of the particle set that the run was not trained on, and the others.
std::pair<std::vector<std::uint32_t>, std::vector<std::uint32_t>> split(const training::Run& run) {
  const auto path = run.folder.file("held_out.npy");
  if (!std::filesystem::exists(path))
    fail("{} does not exist: training has not finished (cryoscape train --resume goes on)", path.string());
  const auto table = io::read_npy_matrix(path);
  std::unordered_set<std::int64_t> rows;
  for (std::size_t i = 0; i < table.rows; ++i)
    rows.insert(static_cast<std::int64_t>(table.values[i * table.columns]));
  std::vector<std::uint32_t> held_out, training;
  for (std::uint32_t i = 0; i < run.data.particles.size(); ++i)
    (rows.contains(static_cast<std::int64_t>(run.data.particles.rows[i])) ? held_out : training).push_back(i);
  if (held_out.size() < 2 || training.empty())
    fail("--joint needs particles that the run was not trained on: train it with --held-out above 0");
  return {held_out, training};
}

/// Distances of the pairs, means over structures (M, N, 3).
void set_mean_distances(std::vector<structure::Pair>& pairs, std::span<const float> x,
                        std::size_t structures) {
  const auto size = x.size() / structures;
  for (auto& pair : pairs) {
    double sum = 0;
    for (std::size_t m = 0; m < structures; ++m) {
      const auto *a = x.data() + m * size + 3 * pair.i, *b = x.data() + m * size + 3 * pair.j;
      sum += std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    }
    pair.distance = static_cast<float>(sum / static_cast<double>(structures));
  }
}

class JointTraining {
 public:
  JointTraining(training::Run& run, const Propose& propose, const JointOptions& options)
      : run_(run),
        model_(*run.model),
        propose_(propose),
        options_(options),
        topology_(training::restraints_of(run.data, run.settings.training)),
        restraints_(topology_),
        loader_(run.data.particles,
                run.data.loader_options(run.settings.training.batch, /*with_images*/ false,
                                        run.settings.model.ctf_box == "wide")) {
    edge_weight_ = training::edge_stiffness(run.folder);
    std::tie(held_out_, training_) = split(run);
  }

  JointReport rounds() {
    JointReport report;
    auto best = evidence();
    report.held_out_particles = best.evidence.size();
    report.evidence_before = best.mean(), report.edge_weight_before = edge_weight_;
    spdlog::info("joint: evidence of {} held-out particles {:.4f} nats each, edges {:.3g} kT/A^2",
                 best.evidence.size(), best.mean(), edge_weight_);
    std::size_t attempt = edge_weight_ > 0 ? 0 : kFirmer.size() - 1;
    for (int k = 0; k < options_.rounds && attempt < kFirmer.size(); ++k) {
      const auto before = state();
      const double weight = kFirmer[attempt] * edge_weight_;
      train(k, weight);
      auto found = evidence();
      const auto round = judged(best, found, weight);
      report.rounds.push_back(round);
      spdlog::info(
          "joint round {}/{}: edges {:.3g} kT/A^2, held out {:.4f}, gain {:.4f} +- {:.4f} nats, structures "
          "moved {:.3f} A, {}",
          k + 1, options_.rounds, weight, round.evidence, round.gain, round.error, round.shift,
          round.kept ? "kept" : "not kept");
      if (round.kept) {
        best = std::move(found), edge_weight_ = weight, report.changed = true;
        continue;
      }
      restore(before);
      ++attempt;
    }
    return report;
  }

 private:
  void for_batches(std::vector<std::uint32_t> order, const std::string& label,
                   const std::function<void(const particles::Batch&)>& body) {
    Progress progress(label, order.size(), "particles");
    loader_.start(std::move(order));
    for (particles::Batch batch; loader_.next(batch);) {
      throw_if_interrupted();
      if (batch.size() > 0) body(batch);
      progress.advance(static_cast<std::size_t>(batch.consumed));
    }
  }

  HeldOutEvidence evidence() {
    HeldOutEvidence out;
    const double log_partition = model_.prior().log_partition().value;
    for_batches(held_out_, "held out", [&](const particles::Batch& batch) {
      out.add(model_, propose_, batch, log_partition, static_cast<std::uint64_t>(options_.seed) + 5);
    });
    return out;
  }

  void train(int round, double edge_weight) {
    torch::AutoGradMode with_gradients(true);
    const auto seed =
        static_cast<std::uint64_t>(options_.seed) + 1000 * static_cast<std::uint64_t>(round + 1);
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
    training::AdamW optimiser(decoder_parameters(model_), {});
    const auto schedule = schedule_of(edge_weight);
    const auto images = static_cast<double>(training_.size());
    const double steps_per_pass = std::ceil(images / run_.settings.training.batch);
    const int passes = std::max(kPasses, static_cast<int>(std::ceil(kLeastSteps / steps_per_pass)));
    refer_to_ensemble(seed);
    double step = 0;
    for (int pass = 0; pass < passes; ++pass) {
      const auto pass_seed = seed + static_cast<std::uint64_t>(pass);
      for_batches(particles::shuffled_order(training_, seed, static_cast<std::uint64_t>(pass),
                                            training::Trainer::kShuffleBlock),
                  fmt::format("joint round {}", round + 1), [&](const particles::Batch& batch) {
                    const auto sums = descend(batch, posterior_draw(batch, pass_seed, generator), schedule);
                    optimiser.step(learning_rate(step++, steps_per_pass * passes));
                    model_.spectral().update(sums, static_cast<double>(batch.size()),
                                             std::min(kSpectralMemory, images));
                  });
    }
  }

  /// Puts the elastic edges' rest lengths at their means over posterior structures. At those of the model
  /// that the training started from they would pull every state, the populous ones most, towards that model.
  void refer_to_ensemble(std::uint64_t seed) {
    torch::NoGradGuard no_grad;
    auto sample = particles::shuffled_order(training_, seed, 0, 1);
    sample.resize(std::min(sample.size(), kEnsemble));
    const std::vector<std::int64_t> rows(sample.begin(), sample.end());
    const auto drawn = propose_(rows, 1, seed);
    const auto x = training::decode_latents(model_, drawn.latent);
    auto topology = topology_;
    set_mean_distances(topology.edges, x, rows.size());
    restraints_ = structure::RestraintEvaluator(std::move(topology));
    // Which edges are let go is known from the start.
    training::restraint_energy(torch::tensor(x).view({static_cast<std::int64_t>(rows.size()), -1, 3}),
                               restraints_, schedule_of(edge_weight_));
  }

  /// One latent (B, d) of every particle's posterior under the decoder as it is.
  torch::Tensor posterior_draw(const particles::Batch& batch, std::uint64_t seed,
                               torch::Generator& generator) {
    const auto w = weighted_draws(model_, propose_, batch, kTrainingDraws, seed);
    const auto choice = torch::multinomial(torch::softmax(w.log_weight, 1), 1, false, generator);
    return w.latents.gather(1, choice.unsqueeze(2).expand({-1, -1, model_.latent_dim()})).squeeze(1);
  }

  /// Leaves the gradient of −ln p(x|z) + restraints in the decoder; returns the images' spectral sums.
  std::vector<model::SpectralSums> descend(const particles::Batch& batch, const torch::Tensor& latents,
                                           const training::RestraintSchedule& schedule) {
    const auto x = model_.decode(latents);
    auto scores = model_.score(x, batch, true);
    const auto loss = (training::restraint_energy(x, restraints_, schedule) - scores.log_likelihood).mean();
    if (!std::isfinite(loss.item<double>()))
      fail("joint training diverged: the run stays as it was; train it with a lower --learning-rate");
    loss.backward();
    return std::move(scores.sums);
  }

  double learning_rate(double step, double steps) const {
    const double ramp = std::min(1.0, (step + 1) / kRamp),
                 fall = 0.5 * (1 + std::cos(std::numbers::pi * step / steps));
    return run_.settings.training.learning_rate * ramp * (kLastRate + (kFirstRate - kLastRate) * fall);
  }

  training::RestraintSchedule schedule_of(double edge_weight) const {
    const auto& options = run_.settings.training;
    training::RestraintSchedule schedule;
    schedule.weights.bond = static_cast<float>(options.bond_weight);
    schedule.weights.edge = static_cast<float>(edge_weight);
    schedule.weights.clash = static_cast<float>(options.clash_weight);
    schedule.drop_fraction = static_cast<float>(options.edge_drop);
    return schedule;
  }

  State state() { return {state_of(model_), model_.spectral().state()}; }
  void restore(const State& state) {
    set_state(model_, state.model);
    model_.spectral().set_state(state.spectral);
  }

  training::Run& run_;
  model::HeterogeneityModel& model_;
  const Propose& propose_;
  JointOptions options_;
  structure::RestraintTopology topology_;  ///< the reference model's
  structure::RestraintEvaluator restraints_;
  particles::ParticleLoader loader_;
  std::vector<std::uint32_t> held_out_, training_;
  double edge_weight_ = 0;
};

}  // namespace

nlohmann::ordered_json to_json(const JointReport& report) {
  nlohmann::ordered_json rounds = nlohmann::ordered_json::array();
  for (const auto& r : report.rounds)
    rounds.push_back({{"edge_weight", r.edge_weight},
                      {"held_out_evidence", r.evidence},
                      {"gain", r.gain},
                      {"gain_error", r.error},
                      {"shift_A", r.shift},
                      {"effective_draws", r.effective_draws},
                      {"kept", r.kept}});
  return {{"held_out_particles", report.held_out_particles},
          {"held_out_evidence_before", report.evidence_before},
          {"edge_weight_before", report.edge_weight_before},
          {"changed", report.changed},
          {"rounds", rounds}};
}

void check_joint(const training::Run& run) { split(run); }

JointReport improve_decoder(training::Run& run, const Propose& propose, const JointOptions& options) {
  return JointTraining(run, propose, options).rounds();
}

Propose refined_proposal(training::Run& run, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  auto& prior = run.model->prior();
  const auto folder = run.folder.file("likelihood");
  const auto tensor_of = [](std::vector<float>& values, std::size_t dim) {
    const auto d = static_cast<std::int64_t>(dim);
    return torch::from_blob(values.data(), {static_cast<std::int64_t>(values.size()) / d, d});
  };
  if (prior.bits() > 0) {
    auto draws = read_scored_draws(folder);
    const auto energy = prior.energy(tensor_of(draws.latent, draws.dim)).to(torch::kFloat64).contiguous();
    return propose_from_draws(std::move(draws),
                              {energy.data_ptr<double>(), energy.data_ptr<double>() + energy.numel()});
  }
  auto modes = read_expansions(folder);
  const PriorExpander expander(prior, prior_draws(prior, kPriorSamples, seed));
  const auto points = tensor_of(modes.point, modes.dim);
  auto precision = tensor_of(modes.information, modes.dim * modes.dim);
  constexpr std::int64_t kRows = 4096;
  for (std::int64_t first = 0; first < points.size(0); first += kRows) {
    const auto rows = std::min(kRows, points.size(0) - first);
    precision.narrow(0, first, rows) +=
        expander.expand(points.narrow(0, first, rows)).stiffness.to(torch::kFloat32).flatten(1);
  }
  return propose_from_modes(std::move(modes));
}

}  // namespace cryoscape::inference
