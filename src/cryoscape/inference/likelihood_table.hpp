#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace cryoscape::model {
class HeterogeneityModel;
}
namespace cryoscape::training {
struct Dataset;
}

namespace cryoscape::inference {

/// Log likelihoods of particles at K given structures, exact: what single Gaussian factors are not where a
/// likelihood has several maxima.
struct LikelihoodTable {
  std::size_t nodes = 0;                ///< K
  std::vector<std::uint32_t> particle;  ///< (M) row in the particle set, ascending
  std::vector<float> value;             ///< (M, K) ln p(x|x_k) − ln p(x|no particle), nats
  std::vector<float> slope;  ///< (M, K) its derivative by the variable along the nodes; may be empty

  std::size_t size() const { return particle.size(); }
  std::span<const float> values_of(std::size_t row) const { return {value.data() + row * nodes, nodes}; }
  std::span<const float> slopes_of(std::size_t row) const { return {slope.data() + row * nodes, nodes}; }
};

/// Tabulates the log likelihoods of structures (K, N, 3), Å, centred, for the given particles of a data set,
/// under the model's noise spectrum and gain, contrast integrated out. `tangents` (K, N, 3), Å per unit of
/// the variable ξ along the nodes, gives the slopes as well; empty, none. Images are read once. Particles
/// whose images are unusable are left out. Parallel over particles; the result does not depend on the number
/// of threads. Throws Error for arrays that are not of the model's beads.
LikelihoodTable tabulate(model::HeterogeneityModel& model, const training::Dataset& data,
                         std::span<const float> structures, std::span<const float> tangents,
                         std::span<const std::uint32_t> particles);

/// A table along a path and where its nodes stand.
struct PathTable {
  std::vector<float> node;  ///< (K) positions along the path, ascending
  LikelihoodTable table;
};

/// Writes and reads a run's likelihood/path_nodes.npy, path_table.npy, path_slope.npy (only with slopes) and
/// path_particle.npy. Reading throws Error for missing files and for arrays that do not fit each other.
void write_path_table(const std::filesystem::path& folder, const PathTable& path);
PathTable read_path_table(const std::filesystem::path& folder);

}  // namespace cryoscape::inference
