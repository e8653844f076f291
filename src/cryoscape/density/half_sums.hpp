#pragma once
#include <array>
#include <string>
#include <vector>

#include "cryoscape/density/accumulator.hpp"
#include "cryoscape/density/slice_maker.hpp"

namespace cryoscape::density {

/// Every particle of a set back-projected, half-set by half-set.
struct HalfSums {
  std::array<Accumulator, 2> sums;         ///< completed
  std::array<std::size_t, 2> particles{};  ///< inserted
  std::size_t left_out = 0;                ///< unusable ones; each of the first is warned of
};

/// Inserts the particles of half-sets 1 and 2, each under every rotation of the point group `symmetry`. Shows
/// progress; throws Interrupted on a signal and Error if images cannot be read. The result does not depend on
/// the number of threads.
HalfSums back_project(const particles::ParticleSet& set, io::StackReader& reader,
                      const particles::ImageGrid& grid, const std::vector<std::vector<double>>& noise_power,
                      const std::string& symmetry);

/// Inserts the particles `members` of a set, each times its weight (one per member, above 0); the sums are
/// completed. Otherwise as back_project.
Accumulator back_project_weighted(const particles::ParticleSet& set, io::StackReader& reader,
                                  const particles::ImageGrid& grid,
                                  const std::vector<std::vector<double>>& noise_power,
                                  std::span<const std::uint32_t> members, std::span<const float> weights,
                                  const std::string& label);

/// Bytes that back_project and reconstruct take for a box.
double back_projection_bytes(int box);

}  // namespace cryoscape::density
