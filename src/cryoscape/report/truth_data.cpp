#include "cryoscape/report/truth_data.hpp"

#include "cryoscape/util/error.hpp"

namespace cryoscape::report {
namespace {

/// Larger than any molecule: truth has no box that models could reach out of.
constexpr double kNoBox = 1e6;

}  // namespace

TruthData read_truth_data(const std::filesystem::path& truth,
                          const std::vector<std::filesystem::path>& models, bool superpose) {
  std::vector<std::string> names;
  const auto atoms = simulation::read_all_models(models, names);
  TruthData data{truth,
                 simulation::read_truth(truth),
                 simulation::Scene(atoms, names, {"residue", kNoBox, superpose}),
                 {}};
  const auto& particles = data.particles;
  const int last = data.scene.models();
  for (std::size_t i = 0; i < particles.size(); ++i) {
    if (!particles.junk[i] && !(particles.model[i] >= 1 && particles.model[i] <= last))
      fail(
          "{}, row {}: the particle lies at model {:g}, but --models have {}: give the models that were "
          "simulated",
          truth.string(), i + 1, particles.model[i], last);
    data.row_of.emplace(particles.image_name[i], i);
  }
  return data;
}

ParticleTruth truth_of(const particles::ParticleSet& set, const TruthData& truth) {
  ParticleTruth out;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto name = particles::image_name(set, i);
    const auto found = truth.row_of.find(name);
    if (found == truth.row_of.end())
      fail("{}: image {} (row {}) is not in {}: give the truth.star of these particles", set.source.string(),
           name, set.rows[i] + 1, truth.source.string());
    const auto row = found->second;
    out.model.push_back(truth.particles.model[row]);
    out.state.push_back(truth.particles.state[row]);
    out.junk.push_back(truth.particles.junk[row]);
    out.bound.push_back(truth.particles.bound[row]);
    out.wrong_molecule.push_back(truth.particles.wrong_molecule[row]);
  }
  return out;
}

}  // namespace cryoscape::report
