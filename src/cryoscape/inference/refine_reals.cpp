#include <algorithm>
#include <cmath>

#include "cryoscape/inference/gauss_newton.hpp"
#include "cryoscape/inference/image_expansion.hpp"
#include "cryoscape/inference/modes.hpp"
#include "cryoscape/inference/predicted_error.hpp"
#include "cryoscape/inference/prior_draws.hpp"
#include "cryoscape/inference/prior_expansion.hpp"
#include "cryoscape/inference/refined_run.hpp"
#include "cryoscape/inference/starts.hpp"

namespace cryoscape::inference {
namespace {

constexpr std::int64_t kPriorSamples = 2000;
constexpr double kShare = 0.01;  ///< of the posterior, from which on a second mode is one to speak of

/// The pass over a run's particles.
class Pass {
 public:
  Pass(training::Run& run, const RefineOptions& options)
      : model_(*run.model),
        options_(options),
        means_(encoder_latents(run, "latents.npy")),
        samples_(
            prior_draws(run.model->prior(), kPriorSamples, static_cast<std::uint64_t>(options.seed) + 1)),
        prior_(model_.prior(), samples_),
        pool_(means_, samples_, static_cast<std::uint64_t>(options.seed) + 2),
        anchor_structures_(model_.decode(pool_.anchors()).flatten(1)),
        latents_(run.data.particles.size(), static_cast<std::size_t>(model_.latent_dim())) {
    expansions_.dim = latents_.dim;
  }

  void refine(const particles::Batch& batch) {
    const auto candidates = candidates_of(batch);
    const auto chosen = choose_starts(candidates.values, candidates.structures, options_.starts);
    const auto of_candidate = chosen.particle * candidates.values.size(1) + chosen.candidate;
    const auto starts = candidates.points.flatten(0, 1).index_select(0, of_candidate);
    const auto ascent = ascend(
        [&](const torch::Tensor& rows, const torch::Tensor& points) {
          return expand(batch, chosen.particle.index_select(0, rows), points);
        },
        starts, {options_.iterations});
    evaluations_ += ascent.evaluations;
    ascents_ += starts.size(0), converged_ += ascent.converged.sum().item<std::int64_t>();
    keep_modes(batch, chosen.particle, ascent, candidates.values.select(1, 0).contiguous());
  }

  void write(const training::RunFolder& folder) const {
    latents_.write(folder);
    write_expansions(folder.file("likelihood"), expansions_);
  }

  nlohmann::ordered_json summary() const {
    const auto usable = static_cast<double>(std::max<std::int64_t>(1, usable_));
    nlohmann::ordered_json json{
        {"method", "gauss-newton"},
        {"particles", latents_.particles},
        {"usable", usable_},
        {"gain_over_encoder", gain_ / usable},
        {"share_with_several_modes", static_cast<double>(several_) / usable},
        {"ascents_per_particle", static_cast<double>(ascents_) / usable},
        {"evaluations_per_particle", static_cast<double>(evaluations_) / usable},
        {"share_converged",
         static_cast<double>(converged_) / static_cast<double>(std::max<std::int64_t>(1, ascents_))},
        {"predicted_error_A", nullptr}};
    if (usable_ > 1) json["predicted_error_A"] = predicted_error(model_, prior_, expansions_);
    return json;
  }

 private:
  struct Candidates {
    torch::Tensor points;      ///< (B, C, d), the encoder's mean first
    torch::Tensor structures;  ///< (B, C, 3N)
    torch::Tensor values;      ///< (B, C) log joint
  };

  Candidates candidates_of(const particles::Batch& batch) {
    const auto own = means_.index_select(0, batch.indices).unsqueeze(1);
    const auto near = torch::cat({own, pool_.neighbours(own.squeeze(1))}, 1);
    const auto b = near.size(0), decoded = near.size(1), d = near.size(2);
    const auto structures = model_.decode(near.reshape({-1, d})).view({b, decoded, -1});
    const auto shared = [&](const torch::Tensor& anchors) {
      return anchors.unsqueeze(0).expand({b, -1, -1});
    };
    Candidates out{torch::cat({near, shared(pool_.anchors())}, 1),
                   torch::cat({structures, shared(anchor_structures_)}, 1),
                   {}};
    const auto c = out.points.size(1);
    const auto particles = torch::arange(b, torch::kInt64).repeat_interleave(c);
    const auto ratios = image_log_ratios(model_, batch, particles, out.structures.reshape({b * c, -1, 3}));
    out.values = (ratios - prior_.energy(out.points.reshape({-1, d}))).view({b, c});
    return out;
  }

  JointExpansion expand(const particles::Batch& batch, const torch::Tensor& particles,
                        const torch::Tensor& points) {
    const auto image = expand_images(model_, batch, particles, points);
    const auto prior = prior_.expand(points);
    return {image.log_ratio, image.score, image.information, prior.energy, prior.slope, prior.stiffness};
  }

  void keep_modes(const particles::Batch& batch, const torch::Tensor& particle, const Ascent& ascent,
                  const torch::Tensor& encoder_values) {
    const auto& e = ascent.expansion;
    const auto values = e.value().contiguous(), points = ascent.points.contiguous(),
               precisions = e.precision().contiguous();
    const auto* owner = particle.data_ptr<std::int64_t>();
    const auto rows = static_cast<std::size_t>(particle.size(0)), d = latents_.dim;
    for (std::size_t begin = 0, end = 0; begin < rows; begin = end) {
      while (end < rows && owner[end] == owner[begin]) ++end;
      const auto count = end - begin;
      const auto modes = posterior_modes({d,
                                          {values.data_ptr<double>() + begin, count},
                                          {points.data_ptr<double>() + begin * d, count * d},
                                          {precisions.data_ptr<double>() + begin * d * d, count * d * d}});
      const auto index = static_cast<std::size_t>(batch.indices.data_ptr<std::int64_t>()[owner[begin]]);
      latents_.set(index, modes.mean.data(), modes.covariance.data());
      double best = values.data_ptr<double>()[begin + modes.summit.front()];
      for (std::size_t m = 0; m < modes.summit.size(); ++m) {
        const auto row = static_cast<std::int64_t>(begin + modes.summit[m]);
        best = std::max(best, values.data_ptr<double>()[row]);
        append(index, row, ascent, modes.mass[m]);
      }
      ++usable_;
      gain_ += best - encoder_values.data_ptr<double>()[owner[begin]];
      several_ += modes.mass.size() > 1 && modes.mass[1] > kShare;
    }
  }

  void append(std::size_t particle, std::int64_t row, const Ascent& ascent, double mass) {
    const auto add = [&](std::vector<float>& to, const torch::Tensor& from) {
      const auto values = from[row].to(torch::kFloat32).contiguous();
      to.insert(to.end(), values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
    };
    expansions_.particle.push_back(static_cast<std::uint32_t>(particle));
    add(expansions_.point, ascent.points);
    add(expansions_.score, ascent.expansion.score);
    add(expansions_.information, ascent.expansion.information);
    add(expansions_.log_ratio, ascent.expansion.log_ratio);
    expansions_.mass.push_back(static_cast<float>(mass));
  }

  model::HeterogeneityModel& model_;
  RefineOptions options_;
  torch::Tensor means_, samples_;
  PriorExpander prior_;
  StartPool pool_;
  torch::Tensor anchor_structures_;
  RefinedLatents latents_;
  Expansions expansions_;
  std::int64_t usable_ = 0, several_ = 0, ascents_ = 0, converged_ = 0, evaluations_ = 0;
  double gain_ = 0;
};

}  // namespace

nlohmann::ordered_json refine_reals(training::Run& run, const RefineOptions& options) {
  Pass pass(run, options);
  for_all_particles(run, "refine", [&](const particles::Batch& batch) { pass.refine(batch); });
  pass.write(run.folder);
  return pass.summary();
}

}  // namespace cryoscape::inference
