#include "cryoscape/landscape/samples.hpp"

#include <fmt/format.h>

#include <span>

#include "cryoscape/inference/refitted_prior.hpp"
#include "cryoscape/landscape/model_files.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

/// Draws of a prior, decoded.
struct Draws {
  std::size_t dim = 0;
  std::vector<float> latents, structures;  ///< (M, d), (M, 3N)
  std::vector<double> energy;              ///< (M)
  std::vector<structure::Violations> violations;
};

Draws draw(training::Run& run, const SampleRequest& request) {
  torch::NoGradGuard no_grad;
  auto& model = *run.model;
  const auto refitted = inference::open_refitted_prior(run);
  auto& prior = refitted ? *refitted->prior : model.prior();
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(request.seed));
  const auto z = prior.sample(request.count, generator).to(torch::kFloat32).contiguous();
  Draws out;
  out.dim = static_cast<std::size_t>(z.size(1));
  out.latents.assign(z.data_ptr<float>(), z.data_ptr<float>() + z.numel());
  out.energy = latent::values_of(prior.energy(z));
  out.structures = training::decode_latents(model, out.latents);
  return out;
}

void find_violations(const training::Run& run, Draws& draws) {
  const auto topology = training::restraints_of(run.data, run.settings.training);
  const auto length = 3 * topology.beads;
  draws.violations.resize(draws.energy.size());
  parallel_for(draws.violations.size(), [&](std::size_t m) {
    draws.violations[m] =
        structure::count_violations(topology, std::span(draws.structures).subspan(m * length, length));
  });
}

void write_models(const training::Run& run, const SampleRequest& request, const Draws& draws) {
  const auto length = draws.structures.size() / draws.energy.size();
  io::ModelSeries series{&run.data.beads.records, {}, {}};
  for (auto at = draws.structures.begin(); at != draws.structures.end();
       at += static_cast<std::ptrdiff_t>(length))
    series.positions.push_back(placed({at, at + static_cast<std::ptrdiff_t>(length)}, run.data.grid.centre));
  ModelFiles(run.folder.path(), request.format).write("structures/samples", series);
}

void write_table(const training::Run& run, const Draws& draws) {
  std::string text = "index,energy";
  for (std::size_t k = 0; k < draws.dim; ++k) text += fmt::format(",z{}", k + 1);
  text += ",broken_bonds,clashes\n";
  for (std::size_t m = 0; m < draws.energy.size(); ++m) {
    text += fmt::format("{},{:.6g}", m + 1, draws.energy[m]);
    for (std::size_t k = 0; k < draws.dim; ++k)
      text += fmt::format(",{:.6g}", draws.latents[m * draws.dim + k]);
    text += fmt::format(",{},{}\n", draws.violations[m].broken_bonds, draws.violations[m].clashes);
  }
  replace_text_file(run.folder.file("structures/samples.csv"), text);
}

}  // namespace

SampleSummary write_samples(training::Run& run, const SampleRequest& request) {
  if (run.settings.training.energy_in_prior)
    fail(
        "{} was trained with --energy-in-prior, and its prior alone draws other conformations: decode the "
        "1,000 "
        "of prior_samples.npy instead (cryoscape decode --latents)",
        run.folder.path().string());
  auto draws = draw(run, request);
  find_violations(run, draws);
  write_models(run, request, draws);
  write_table(run, draws);
  SampleSummary summary;
  summary.count = draws.violations.size();
  for (const auto& v : draws.violations) {
    summary.broken += v.broken_bonds > 0, summary.clashing += v.clashes > 0;
    summary.intact += v.broken_bonds == 0 && v.clashes == 0;
  }
  return summary;
}

}  // namespace cryoscape::landscape
