#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/density/slice_maker.hpp"

namespace cryoscape::density {

/// What a pass hands on: slices that can be used, and the row of each in the particle set.
struct SliceChunk {
  std::vector<std::uint32_t> particles;
  std::vector<Slice*> slices;
};

/// Makes the slices of particles in parallel, some at a time, while the system reads on, and hands them to
/// `take` in order; the chunks are the same for any number of threads. Shows progress; each of the first
/// unusable particles is warned of. Returns how many these are. Throws Interrupted on a signal and Error if
/// images cannot be read.
std::size_t pass_slices(const particles::ParticleSet& set, io::StackReader& reader,
                        const particles::ImageGrid& grid, const std::vector<std::vector<double>>& noise_power,
                        std::span<const std::uint32_t> particles, const std::string& label,
                        const std::function<void(const SliceChunk& chunk)>& take);

/// Bytes that the slices of a pass take.
double slice_pass_bytes(int box);

}  // namespace cryoscape::density
