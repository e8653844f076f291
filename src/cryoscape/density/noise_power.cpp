#include "cryoscape/density/noise_power.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

constexpr std::size_t kBlock = 32;  ///< images whose powers are summed before the sums are
constexpr int kNeighbours = 3;      ///< shells to either side that the window mixes anyway

/// 0 inside the circle, 1 a tenth of the radius outside it, in between the square of a sine.
std::vector<float> background_window(const particles::ImageGrid& grid) {
  const int box = grid.box;
  const double radius = std::min(grid.diameter / grid.pixel_size / 2, 0.5 * box - 1), edge = 0.1 * radius;
  std::vector<float> window;
  for (int y = 0; y < box; ++y)
    for (int x = 0; x < box; ++x) {
      const double out = (std::hypot(x - box / 2, y - box / 2) - radius) / edge;
      const double s = std::sin(0.5 * std::numbers::pi * std::clamp(out, 0.0, 1.0));
      window.push_back(static_cast<float>(s * s));
    }
  return window;
}

/// Up to `sample` particles of every group, at even distances in the file.
std::vector<std::uint32_t> spread_sample(const particles::ParticleSet& set, std::size_t sample) {
  std::vector<std::vector<std::uint32_t>> members(set.optics_groups.size());
  for (std::uint32_t i = 0; i < set.size(); ++i) members[set.particles[i].optics_group].push_back(i);
  std::vector<std::uint32_t> chosen;
  for (const auto& all : members) {
    const std::size_t count = std::min(sample, all.size());
    for (std::size_t k = 0; k < count; ++k) chosen.push_back(all[k * all.size() / count]);
  }
  return chosen;
}

std::vector<double> smoothed(const std::vector<double>& power) {
  const int shells = static_cast<int>(power.size());
  std::vector<double> out(power.size());
  for (int s = 0; s < shells; ++s) {
    double sum = 0, weight = 0;
    const int reach =
        std::min({kNeighbours, s, shells - 1 - s});  // as far to both sides: slopes leave no trace
    for (int t = s - reach; t <= s + reach; ++t)
      sum += t * power[t] + 1e-3 * power[t], weight += t + 1e-3;  // a shell has about s coefficients
    out[s] = sum / weight;
  }
  return out;
}

/// Sums of one block of images, by group.
struct BlockSums {
  std::vector<std::vector<double>> power;
  std::vector<double> images;
};

}  // namespace

std::vector<std::vector<double>> measure_noise_power(const particles::ParticleSet& set,
                                                     io::StackReader& reader,
                                                     const particles::ImageGrid& grid, std::size_t sample) {
  const auto window = background_window(grid);
  double square = 0;
  for (const float w : window) square += double{w} * w / static_cast<double>(window.size());
  const auto chosen = spread_sample(set, sample);
  const std::size_t shells = optics::shell_count(grid.box), groups = set.optics_groups.size(),
                    blocks = (chosen.size() + kBlock - 1) / kBlock;
  const particles::Preprocessor shared(set, grid);
  std::vector<BlockSums> sums(
      blocks, {std::vector(groups, std::vector<double>(shells)), std::vector<double>(groups)});
  parallel_ranges(blocks, [&](std::size_t begin, std::size_t end) {
    auto preprocessor = shared;
    std::vector<std::complex<float>> spectrum(optics::half_size(grid.box));
    std::vector<float> image(window.size());
    for (std::size_t b = begin; b < end; ++b) {
      throw_if_interrupted();
      for (std::size_t k = b * kBlock; k < std::min(chosen.size(), (b + 1) * kBlock); ++k) {
        const auto i = chosen[k];
        if (!preprocessor.load(reader, i, spectrum.data(), nullptr, image.data())) continue;
        for (std::size_t p = 0; p < image.size(); ++p) image[p] *= window[p];
        optics::rfft2(grid.box, image.data(), spectrum.data());
        const auto power = optics::radial_power(grid.box, spectrum);
        const auto group = set.particles[i].optics_group;
        for (std::size_t s = 0; s < shells; ++s) sums[b].power[group][s] += power[s];
        sums[b].images[group] += 1;
      }
    }
  });
  std::vector<std::vector<double>> power(groups, std::vector<double>(shells));
  for (std::size_t g = 0; g < groups; ++g) {
    double images = 0;
    for (const auto& block : sums) {
      images += block.images[g];
      for (std::size_t s = 0; s < shells; ++s) power[g][s] += block.power[g][s];
    }
    for (auto& p : power[g]) p = images > 0 ? p / (images * square) : std::pow(grid.box, 2);
    power[g] = smoothed(power[g]);
  }
  return power;
}

}  // namespace cryoscape::density
