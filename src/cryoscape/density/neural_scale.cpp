#include "cryoscape/density/neural_scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::density {
namespace {

using Spectrum = std::vector<std::complex<float>>;

constexpr double kLeast = 0.01;  ///< of a map's power counts as signal at least

/// Spectra of the back-projections of every other member.
std::array<Spectrum, 2> half_spectra(const particles::ParticleSet& set, io::StackReader& reader,
                                     const particles::ImageGrid& grid,
                                     const std::vector<std::vector<double>>& noise_power,
                                     std::span<const std::uint32_t> members) {
  auto halves = set;
  for (auto& p : halves.particles) p.half = 0;
  for (std::size_t i = 0; i < members.size(); ++i)
    halves.particles[members[i]].half = static_cast<std::int8_t>(1 + i % 2);
  const auto sums = back_project(halves, reader, grid, noise_power, "C1");
  if (sums.particles[0] == 0 || sums.particles[1] == 0)
    fail("too few of {} particles can be used for a density", members.size());
  const std::vector<double> unfiltered(optics::shell_count(grid.box), 0.0);
  std::array<Spectrum, 2> spectra;
  for (int h = 0; h < 2; ++h) {
    const Accumulator* part[] = {&sums.sums[h]};
    const auto map = reconstruct(part, unfiltered);
    spectra[h].resize(optics::half_size3(grid.box));
    optics::rfft3(grid.box, map.data(), spectra[h].data());
  }
  return spectra;
}

}  // namespace

std::vector<double> signal_scale(const particles::ParticleSet& set, io::StackReader& reader,
                                 const particles::ImageGrid& grid,
                                 const std::vector<std::vector<double>>& noise_power,
                                 std::span<const std::uint32_t> members) {
  const auto spectra = half_spectra(set, reader, grid, noise_power, members);
  const auto correlation = shell_correlation(grid.box, spectra[0], spectra[1]);
  const auto first = shell_amplitudes(grid.box, spectra[0]), second = shell_amplitudes(grid.box, spectra[1]);
  const int shells = static_cast<int>(correlation.size());
  std::vector<double> scale;
  for (int s = 0; s < shells; ++s) {
    double cross = 0, all = 0;
    for (int t = std::max(0, s - 1); t <= std::min(s + 1, shells - 1); ++t) {
      const double power = first[t] * second[t];
      cross += correlation[t] * power, all += power;
    }
    const int count = std::min(s + 1, shells - 1) - std::max(0, s - 1) + 1;
    scale.push_back(std::sqrt(std::max(cross, kLeast * all) / count));
  }
  return scale;
}

}  // namespace cryoscape::density
