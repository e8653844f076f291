#include "cryoscape/inference/refine.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <numeric>

#include "cryoscape/inference/joint.hpp"
#include "cryoscape/inference/refined_run.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/refined_decoder.hpp"
#include "cryoscape/training/run_latents.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::inference {
namespace fs = std::filesystem;
namespace {

void check(const training::Run& run) {
  const auto& settings = run.settings;
  if (settings.model.likelihood == "correlation")
    fail("refine needs a likelihood in nats: the run was trained with --likelihood correlation");
  if (settings.training.energy_in_prior)
    fail("refine does not know restraints as part of the prior: the run was trained with --energy-in-prior");
}

nlohmann::ordered_json refine_posteriors(training::Run& run, const RefineOptions& options) {
  return run.model->prior().bits() > 0 ? refine_bits(run, options) : refine_reals(run, options);
}

/// Goes on with the decoder; posteriors are refined again under a decoder that was kept, and both written
/// last: an interrupted pass leaves the earlier ones.
void refine_jointly(training::Run& run, const RefineOptions& options, nlohmann::ordered_json& json) {
  const auto report =
      improve_decoder(run, refined_proposal(run, static_cast<std::uint64_t>(options.seed) + 1),
                      {options.joint_rounds, options.seed});
  if (report.changed) {
    json = refine_posteriors(run, options);
    training::write_refined_decoder(run.folder, *run.model);
  }
  json["joint"] = to_json(report);
}

std::string refit_line(const nlohmann::ordered_json& refit) {
  if (refit.contains("skipped"))
    return fmt::format("{:<28}skipped: {}\n", "refit", refit["skipped"].get<std::string>());
  const auto& gain = refit["held_out_gain"];
  return fmt::format("{:<28}{}, {:+.4f} +- {:.4f} nats per held-out particle{}\n", "refit",
                     refit["prior"].get<std::string>(), gain["value"].get<double>(),
                     gain["error"].get<double>(),
                     refit["changed"].get<bool>() ? "" : ": the prior stays as trained");
}

}  // namespace

void RefineOptions::declare(OptionSet& set) {
  auto& i = set.add("iterations", &iterations, "most steps of every ascent (bits: updates of the proposal)");
  i.minimum = 1, i.maximum = 1000;
  auto& s = set.add("starts", &starts, "most starts per particle that are ascended (real latents)");
  s.minimum = 1, s.maximum = 9;
  auto& d = set.add("draws", &draws, "scored draws per particle (latents with bits)");
  d.minimum = 64, d.maximum = 100000;
  set.add("joint", &joint,
          "go on with the decoder on refined posteriors, as long as held-out particles prefer it");
  auto& r = set.add("joint-rounds", &joint_rounds, "most passes over the particles with --joint");
  r.minimum = 1, r.maximum = 1000;
}

RefinedLatents::RefinedLatents(std::size_t particles, std::size_t dim)
    : particles(particles),
      dim(dim),
      mean(particles * dim, std::numeric_limits<float>::quiet_NaN()),
      covariance(particles * dim * dim, std::numeric_limits<float>::quiet_NaN()) {}

void RefinedLatents::set(std::size_t particle, const double* m, const double* c) {
  std::transform(m, m + dim, mean.begin() + static_cast<std::ptrdiff_t>(particle * dim),
                 [](double v) { return static_cast<float>(v); });
  std::transform(c, c + dim * dim, covariance.begin() + static_cast<std::ptrdiff_t>(particle * dim * dim),
                 [](double v) { return static_cast<float>(v); });
}

void RefinedLatents::write(const training::RunFolder& folder) const {
  if (fs::exists(folder.file("likelihood")))
    for (const auto& entry : fs::directory_iterator(folder.file("likelihood")))
      if (const auto name = entry.path().filename().string();
          name.starts_with("expansion_") || name.starts_with("draw_"))
        fs::remove(entry.path());
  io::write_npy(folder.file("refined_mean.npy"), {particles, dim}, mean);
  io::write_npy(folder.file("refined_cov.npy"), {particles, dim, dim}, covariance);
}

torch::Tensor encoder_latents(const training::Run& run, const std::string& name) {
  const auto matrix = training::read_latents(run, name);
  return torch::tensor(matrix.values)
      .view({static_cast<std::int64_t>(matrix.rows), static_cast<std::int64_t>(matrix.columns)});
}

void for_all_particles(training::Run& run, const std::string& label,
                       const std::function<void(const particles::Batch&)>& body) {
  std::vector<std::uint32_t> order(run.data.particles.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto options = run.data.loader_options(run.settings.training.batch, /*with_images*/ false,
                                               run.settings.model.ctf_box == "wide");
  particles::ParticleLoader loader(run.data.particles, options);
  loader.start(std::move(order));
  Progress progress(label, run.data.particles.size(), "particles");
  particles::Batch batch;
  while (loader.next(batch)) {
    throw_if_interrupted();
    if (batch.size() > 0) body(batch);
    progress.advance(static_cast<std::size_t>(batch.consumed));
  }
}

bool can_refine(const training::Run& run) {
  return run.settings.model.likelihood != "correlation" && !run.settings.training.energy_in_prior;
}

nlohmann::ordered_json refine_run(training::Run& run, const RefineOptions& options) {
  check(run);
  if (options.joint) check_joint(run);
  torch::NoGradGuard no_grad;
  const auto start = std::chrono::steady_clock::now();
  auto json = refine_posteriors(run, options);
  if (options.joint) refine_jointly(run, options, json);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  json["seconds"] = seconds;
  json["ms_per_particle"] = 1000 * seconds / static_cast<double>(run.data.particles.size());
  json["threads"] = thread_count();
  json["seed"] = options.seed;
  replace_text_file(run.folder.file("refine.json"), json.dump(2) + "\n");
  return json;
}

std::string refine_table(const nlohmann::ordered_json& summary) {
  std::string text;
  const auto line = [&](const char* label, const char* key, double factor, const char* unit) {
    if (!summary.contains(key) || summary[key].is_null()) return;
    text += fmt::format("{:<28}{:>10.4g} {}\n", label, factor * summary[key].get<double>(), unit);
  };
  line("particles", "usable", 1, "");
  line("gain over the encoder", "gain_over_encoder", 1, "nats per particle");
  line("with several modes", "share_with_several_modes", 100, "%");
  line("predicted error", "predicted_error_A", 1, "A, along the largest motion");
  line("effective draws", "median_effective_draws", 1, "per particle, median");
  line("time", "seconds", 1, "s");
  if (summary.contains("refit")) text += refit_line(summary["refit"]);
  return text;
}

}  // namespace cryoscape::inference
