#pragma once
#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "cryoscape/inference/likelihood_table.hpp"
#include "cryoscape/inference/test_populations.hpp"
#include "cryoscape/simulation/scene.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "cryoscape/simulation/truth.hpp"
#include "cryoscape/training/dataset.hpp"

/// Particles of adenylate kinase's smooth path with the exact model of their images, for tests and
/// benchmarks: what inference can reach when nothing has to be learned.
namespace cryoscape::inference {

struct Oracle {
  training::Dataset data;
  std::unique_ptr<model::HeterogeneityModel> model;
  std::unique_ptr<simulation::Scene> scene;
  simulation::Truth truth;

  std::vector<double> positions() const {
    std::vector<double> out;
    for (const double m : truth.model) out.push_back(scene->path().position_of_model(m));
    return out;
  }
};

/// Gain and noise of the images from their true structures, in three rounds.
inline void calibrate(Oracle& oracle) {
  torch::NoGradGuard no_grad;
  auto& model = *oracle.model;
  std::vector<std::uint32_t> all(std::min<std::size_t>(2000, oracle.data.particles.size()));
  std::iota(all.begin(), all.end(), 0u);
  const auto beads = static_cast<std::int64_t>(model.scene().beads());
  particles::ParticleLoader loader(oracle.data.particles, oracle.data.loader_options(100, false, true));
  for (const auto how : {model::Score::fixed_contrast, model::Score::training, model::Score::training}) {
    std::vector<model::SpectralSums> total(model.spectral().groups() * model.spectral().shells());
    loader.start(all);
    for (particles::Batch batch; loader.next(batch);) {
      std::vector<float> x;
      for (std::int64_t i = 0; i < batch.size(); ++i) {
        const auto own = oracle.scene->coordinates(oracle.truth.model[batch.indices[i].item<std::int64_t>()]);
        x.insert(x.end(), own.begin(), own.end());
      }
      const auto scores = model.score(torch::tensor(x).view({batch.size(), beads, 3}), batch, true, how);
      for (std::size_t s = 0; s < total.size(); ++s) total[s] += scores.sums[s];
    }
    model.spectral().forget();
    model.spectral().update(total, static_cast<double>(all.size()), static_cast<double>(all.size()));
  }
}

/// Simulates particles into a folder (box 64, 1.5 Å, white noise) with a profile of the shared data, or
/// uniformly with an empty name.
inline Oracle make_oracle(const std::filesystem::path& shared, const std::filesystem::path& folder,
                          const std::string& profile, int particles, double snr) {
  simulation::SimulationOptions options;
  options.particles = particles, options.snr = snr;
  if (!profile.empty()) options.profile = (shared / "adk" / profile).string();
  const auto models = shared / "adk/adk_path_smooth_ca.pdb";
  simulation::simulate({models}, folder, options, true);
  Oracle oracle;
  training::InputOptions input;
  input.particles = (folder / "particles.star").string(), input.model = models.string();
  oracle.data = training::open_dataset(input, std::nullopt);
  model::ModelOptions model;
  model.latent_dim = 1;
  oracle.model = std::make_unique<model::HeterogeneityModel>(model, oracle.data.scene(), 1);
  std::vector<std::string> names;
  const auto atoms = simulation::read_all_models({models}, names);
  oracle.scene = std::make_unique<simulation::Scene>(
      atoms, names, simulation::SceneOptions{"residue", options.box * options.pixel_size, false});
  oracle.truth = simulation::read_truth(folder / "truth.star");
  calibrate(oracle);
  return oracle;
}

/// Likelihoods and slopes at even nodes of the true path.
inline PathTable oracle_table(Oracle& oracle, std::size_t nodes) {
  PathTable out;
  out.node = even_nodes(nodes);
  std::vector<float> structures, tangents;
  for (const float s : out.node) {
    const auto x = oracle.scene->path().at(s), t = oracle.scene->path().tangent(s);
    structures.insert(structures.end(), x.begin(), x.end());
    tangents.insert(tangents.end(), t.begin(), t.end());
  }
  std::vector<std::uint32_t> all(oracle.data.particles.size());
  std::iota(all.begin(), all.end(), 0u);
  out.table = tabulate(*oracle.model, oracle.data, structures, tangents, all);
  return out;
}

/// 1.4826 · median |ŝ − s| / bound of maximum likelihood.
inline double oracle_error_over_bound(const Oracle& oracle, const PathTable& path) {
  const auto estimate = row_maxima(population_table(path.table, path.node));
  const auto truth = oracle.positions();
  std::vector<double> ratio;
  for (std::size_t i = 0; i < estimate.size(); ++i) {
    const auto row = path.table.particle[i];
    ratio.push_back(1.4826 * std::abs(estimate[i] - truth[row]) / oracle.truth.bound[row]);
  }
  std::nth_element(ratio.begin(), ratio.begin() + static_cast<std::ptrdiff_t>(ratio.size() / 2), ratio.end());
  return ratio[ratio.size() / 2];
}

}  // namespace cryoscape::inference
