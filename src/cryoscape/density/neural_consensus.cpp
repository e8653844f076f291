#include "cryoscape/density/neural_consensus.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/radial_filter.hpp"
#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::density {
namespace {

constexpr double kLeastPower = 0.01;       ///< of a map's power counts as signal at least
constexpr double kLeastCorrelation = 0.3;  ///< of a shell of the map

using Maps = std::array<std::vector<float>, 2>;

/// Back-projections of every other member.
Maps half_maps(const particles::ParticleSet& set, io::StackReader& reader, const particles::ImageGrid& grid,
               const std::vector<std::vector<double>>& noise_power, std::span<const std::uint32_t> members) {
  auto halves = set;
  for (auto& p : halves.particles) p.half = 0;
  for (std::size_t i = 0; i < members.size(); ++i)
    halves.particles[members[i]].half = static_cast<std::int8_t>(1 + i % 2);
  const auto sums = back_project(halves, reader, grid, noise_power, "C1");
  if (sums.particles[0] == 0 || sums.particles[1] == 0)
    fail("too few of {} particles can be used for a density", members.size());
  return {unfiltered_map(sums.sums[0]), unfiltered_map(sums.sums[1])};
}

std::vector<double> amplitudes_of(int box, const std::vector<float>& map) {
  std::vector<std::complex<float>> spectrum(optics::half_size3(box));
  optics::rfft3(box, map.data(), spectrum.data());
  return shell_amplitudes(box, spectrum);
}

std::vector<double> signal_amplitudes(const std::vector<double>& correlation, const std::vector<double>& a,
                                      const std::vector<double>& b) {
  const int shells = static_cast<int>(correlation.size());
  std::vector<double> signal;
  for (int s = 0; s < shells; ++s) {
    double cross = 0, all = 0;
    const int first = std::max(0, s - 1), last = std::min(s + 1, shells - 1);
    for (int t = first; t <= last; ++t) cross += correlation[t] * a[t] * b[t], all += a[t] * b[t];
    signal.push_back(std::sqrt(std::max(cross, kLeastPower * all) / (last - first + 1)));
  }
  return signal;
}

/// The mean of both maps, filtered.
std::vector<float> filtered_mean(int box, const Maps& maps, const std::vector<double>& correlation) {
  auto gains = noise_to_signal(correlation);
  for (double& g : gains) {
    const double whole = 1 / (1 + g);
    g = whole < kLeastCorrelation ? 0 : whole;
  }
  std::vector<float> mean(maps[0].size());
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = 0.5f * (maps[0][i] + maps[1][i]);
  scale_shells(box, gains, mean);
  return mean;
}

}  // namespace

Consensus measure_consensus(const particles::ParticleSet& set, io::StackReader& reader,
                            const particles::ImageGrid& grid,
                            const std::vector<std::vector<double>>& noise_power,
                            std::span<const std::uint32_t> members) {
  const auto maps = half_maps(set, reader, grid, noise_power, members);
  const auto correlation = map_correlation(grid.box, maps[0], maps[1]);
  return {signal_amplitudes(correlation, amplitudes_of(grid.box, maps[0]), amplitudes_of(grid.box, maps[1])),
          filtered_mean(grid.box, maps, correlation)};
}

}  // namespace cryoscape::density
