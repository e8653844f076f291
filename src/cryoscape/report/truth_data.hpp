#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/simulation/scene.hpp"
#include "cryoscape/simulation/truth.hpp"

namespace cryoscape::report {

/// What a simulation knows: its particles, and the molecule along its models, one bead per residue.
struct TruthData {
  std::filesystem::path source;
  simulation::Truth particles;
  simulation::Scene scene;
  std::unordered_map<std::string, std::size_t> row_of;  ///< by image name

  std::size_t beads() const { return scene.amplitudes().size(); }
};

/// Reads truth.star and the models it was simulated from (PDB or mmCIF files, concatenated). `superpose`
/// moves every model onto the first, as `simulate --superpose` does. Throws Error when a particle lies beyond
/// the models.
TruthData read_truth_data(const std::filesystem::path& truth,
                          const std::vector<std::filesystem::path>& models, bool superpose);

/// Truth of particles, one row each.
struct ParticleTruth {
  std::vector<double> model;  ///< 1-based, fractional between models; 0 for junk
  std::vector<int> state;     ///< 1-based, 0 for junk and where there are no states
  std::vector<bool> junk;
  std::vector<double> bound;  ///< Cramér–Rao standard deviation of the position; NaN where there is none
  std::vector<bool> wrong_molecule;  ///< junk that is another molecule, not noise

  std::size_t size() const { return model.size(); }
};

/// Truth of a run's particles, found by their image names, in the set's order. Throws Error, naming the first
/// particle that has none.
ParticleTruth truth_of(const particles::ParticleSet& set, const TruthData& truth);

}  // namespace cryoscape::report
