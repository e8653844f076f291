#include "cryoscape/density/half_sums.hpp"

#include <algorithm>

#include "cryoscape/geometry/symmetry.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/particles/left_out.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::density {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{32} << 20;

std::size_t slice_bytes(int box) { return optics::half_size(box) * sizeof(Sample); }

/// Slices prepared at a time: the same for any number of threads.
std::size_t chunk_size(int box) { return std::clamp<std::size_t>(kChunkBytes / slice_bytes(box), 16, 512); }

std::vector<std::array<float, 9>> turns_of(const std::string& symmetry) {
  std::vector<std::array<float, 9>> turns;
  for (const auto& r : geometry::point_group(symmetry)) {
    auto& turn = turns.emplace_back();
    std::transform(r.begin(), r.end(), turn.begin(), [](double x) { return static_cast<float>(x); });
  }
  return turns;
}

/// Particles of either half-set, in the set's order.
std::vector<std::uint32_t> members(const particles::ParticleSet& set) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < set.size(); ++i)
    if (set.particles[i].half != 0) order.push_back(i);
  return order;
}

/// Asks the system to read images ahead.
void announce(const particles::ParticleSet& set, io::StackReader& reader,
              std::span<const std::uint32_t> next) {
  for (const auto i : next) reader.will_need(set.stacks[set.particles[i].stack], set.particles[i].slice);
}

/// Slices of some particles; one without samples is unusable.
void make_slices(std::span<const std::uint32_t> particles, io::StackReader& reader, const SliceMaker& maker,
                 std::vector<Slice>& slices) {
  parallel_ranges(particles.size(), [&](std::size_t begin, std::size_t end) {
    auto mine = maker;
    for (std::size_t k = begin; k < end; ++k)
      if (!mine.make(reader, particles[k], slices[k])) slices[k].box = 0;
  });
}

}  // namespace

HalfSums back_project(const particles::ParticleSet& set, io::StackReader& reader,
                      const particles::ImageGrid& grid, const std::vector<std::vector<double>>& noise_power,
                      const std::string& symmetry) {
  HalfSums halves{{Accumulator(grid.box), Accumulator(grid.box)}};
  const auto turns = turns_of(symmetry);
  const auto order = members(set);
  const std::size_t chunk = std::min(chunk_size(grid.box), std::max<std::size_t>(1, order.size()));
  const SliceMaker maker(set, grid, noise_power);
  std::vector<Slice> slices(chunk);
  Progress progress("back-projecting", order.size(), "particles");
  const auto part = [&](std::size_t begin) {
    begin = std::min(begin, order.size());
    return std::span(order).subspan(begin, std::min(chunk, order.size() - begin));
  };
  for (std::size_t begin = 0; begin < order.size(); begin += chunk) {
    throw_if_interrupted();
    const auto now = part(begin);
    announce(set, reader, part(begin + chunk));
    make_slices(now, reader, maker, slices);
    std::array<std::vector<const Slice*>, 2> usable;
    for (std::size_t k = 0; k < now.size(); ++k) {
      if (slices[k].box == 0)
        particles::warn_left_out(set, now[k], ++halves.left_out);
      else
        usable[set.particles[now[k]].half - 1].push_back(&slices[k]);
    }
    for (int h = 0; h < 2; ++h) {
      insert_slices(halves.sums[h], usable[h], turns);
      halves.particles[h] += usable[h].size();
    }
    progress.advance(now.size());
  }
  for (auto& sums : halves.sums) complete(sums);
  return halves;
}

double back_projection_bytes(int box) {
  const double side = 2.0 * box + 3, map = 4.0 * box * box * box;
  return 2 * sizeof(Sample) * side * side * (box + 2) +
         static_cast<double>(chunk_size(box) * slice_bytes(box)) +
         16 * map;  // maps, bands, their spectra and a mask, while they are compared and filtered
}

}  // namespace cryoscape::density
