#include "cryoscape/density/slice_pass.hpp"

#include <algorithm>

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

/// Asks the system to read images ahead.
void announce(const particles::ParticleSet& set, io::StackReader& reader,
              std::span<const std::uint32_t> next) {
  for (const auto i : next) reader.will_need(set.stacks[set.particles[i].stack], set.particles[i].slice);
}

/// Slices of some particles; one of box 0 is unusable.
void make_slices(std::span<const std::uint32_t> particles, io::StackReader& reader, const SliceMaker& maker,
                 std::vector<Slice>& slices) {
  parallel_ranges(particles.size(), [&](std::size_t begin, std::size_t end) {
    auto mine = maker;
    for (std::size_t k = begin; k < end; ++k)
      if (!mine.make(reader, particles[k], slices[k])) slices[k].box = 0;
  });
}

}  // namespace

std::size_t pass_slices(const particles::ParticleSet& set, io::StackReader& reader,
                        const particles::ImageGrid& grid, const std::vector<std::vector<double>>& noise_power,
                        std::span<const std::uint32_t> particles, const std::string& label,
                        const std::function<void(const SliceChunk& chunk)>& take) {
  const std::size_t chunk = std::min(chunk_size(grid.box), std::max<std::size_t>(1, particles.size()));
  const SliceMaker maker(set, grid, noise_power);
  std::vector<Slice> slices(chunk);
  std::size_t left_out = 0;
  Progress progress(label, particles.size(), "particles");
  const auto part = [&](std::size_t begin) {
    begin = std::min(begin, particles.size());
    return particles.subspan(begin, std::min(chunk, particles.size() - begin));
  };
  for (std::size_t begin = 0; begin < particles.size(); begin += chunk) {
    throw_if_interrupted();
    const auto now = part(begin);
    announce(set, reader, part(begin + chunk));
    make_slices(now, reader, maker, slices);
    SliceChunk usable;
    for (std::size_t k = 0; k < now.size(); ++k) {
      if (slices[k].box == 0) {
        particles::warn_left_out(set, now[k], ++left_out);
        continue;
      }
      usable.particles.push_back(now[k]);
      usable.slices.push_back(&slices[k]);
    }
    take(usable);
    progress.advance(now.size());
  }
  return left_out;
}

double slice_pass_bytes(int box) { return static_cast<double>(chunk_size(box) * slice_bytes(box)); }

}  // namespace cryoscape::density
