#include "cryoscape/density/half_sums.hpp"

#include <algorithm>

#include "cryoscape/density/half_sets.hpp"
#include "cryoscape/density/slice_pass.hpp"
#include "cryoscape/geometry/symmetry.hpp"

namespace cryoscape::density {
namespace {

std::vector<std::array<float, 9>> turns_of(const std::string& symmetry) {
  std::vector<std::array<float, 9>> turns;
  for (const auto& r : geometry::point_group(symmetry)) {
    auto& turn = turns.emplace_back();
    std::transform(r.begin(), r.end(), turn.begin(), [](double x) { return static_cast<float>(x); });
  }
  return turns;
}

void weigh(Slice& slice, float weight) {
  for (auto& s : slice.samples) s.real *= weight, s.imaginary *= weight, s.weight *= weight;
}

}  // namespace

HalfSums back_project(const particles::ParticleSet& set, io::StackReader& reader,
                      const particles::ImageGrid& grid, const std::vector<std::vector<double>>& noise_power,
                      const std::string& symmetry) {
  HalfSums halves{{Accumulator(grid.box), Accumulator(grid.box)}};
  const auto turns = turns_of(symmetry);
  const auto order = members(set);
  halves.left_out =
      pass_slices(set, reader, grid, noise_power, order, "back-projecting", [&](const SliceChunk& chunk) {
        std::array<std::vector<const Slice*>, 2> slices;
        for (std::size_t k = 0; k < chunk.slices.size(); ++k)
          slices[set.particles[chunk.particles[k]].half - 1].push_back(chunk.slices[k]);
        for (int h = 0; h < 2; ++h) {
          insert_slices(halves.sums[h], slices[h], turns);
          halves.particles[h] += slices[h].size();
        }
      });
  for (auto& sums : halves.sums) complete(sums);
  return halves;
}

Accumulator back_project_weighted(const particles::ParticleSet& set, io::StackReader& reader,
                                  const particles::ImageGrid& grid,
                                  const std::vector<std::vector<double>>& noise_power,
                                  std::span<const std::uint32_t> members, std::span<const float> weights,
                                  const std::string& label) {
  Accumulator sums(grid.box);
  const auto turns = turns_of("C1");
  std::size_t next = 0;  // chunks come in the members' order
  pass_slices(set, reader, grid, noise_power, members, label, [&](const SliceChunk& chunk) {
    std::vector<const Slice*> slices;
    for (std::size_t k = 0; k < chunk.slices.size(); ++k) {
      while (members[next] != chunk.particles[k]) ++next;
      weigh(*chunk.slices[k], weights[next]);
      slices.push_back(chunk.slices[k]);
    }
    insert_slices(sums, slices, turns);
  });
  complete(sums);
  return sums;
}

double back_projection_bytes(int box) {
  const double side = 2.0 * box + 3, map = 4.0 * box * box * box;
  return 2 * sizeof(Sample) * side * side * (box + 2) + slice_pass_bytes(box) +
         16 * map;  // maps, bands, their spectra and a mask, while they are compared and filtered
}

}  // namespace cryoscape::density
