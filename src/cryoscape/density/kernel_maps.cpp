#include "cryoscape/density/kernel_maps.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

using Spectrum = std::vector<std::complex<float>>;

constexpr double kFewest = 100;  ///< particles' worth of weight in the narrowest kernel
constexpr int kBandwidths = 7;
constexpr double kNarrowest = 0.1, kWidest = 1000;  ///< Å
constexpr double kNearlyAll = 0.9;
constexpr double kNegligible = 1e-3;  ///< of the largest weight: such particles are not read

std::vector<double> weights_of(const HalfSource& half, std::size_t target, double bandwidth) {
  std::vector<double> weights;
  for (const auto i : half.members) weights.push_back(half.proximity->weight(i, target, bandwidth));
  return weights;
}

/// Worth of a kernel in the half-set where it has less.
double worth(const std::array<HalfSource, 2>& halves, std::size_t target, double bandwidth) {
  return std::min(effective_number(weights_of(halves[0], target, bandwidth)),
                  effective_number(weights_of(halves[1], target, bandwidth)));
}

/// The bandwidth at which a growing function of it reaches a value.
template <class Function>
double bandwidth_of(const Function& function, double value) {
  double low = std::log(kNarrowest), high = std::log(kWidest);
  for (int turn = 0; turn < 30; ++turn) {
    const double middle = 0.5 * (low + high);
    (function(std::exp(middle)) < value ? low : high) = middle;
  }
  return std::exp(high);
}

Spectrum half_map_spectrum(const HalfSource& half, io::StackReader& reader, const particles::ImageGrid& grid,
                           std::size_t target, double bandwidth, const std::string& label) {
  const auto all = weights_of(half, target, bandwidth);
  const double most = *std::max_element(all.begin(), all.end());
  std::vector<std::uint32_t> members;
  std::vector<float> weights;
  for (std::size_t m = 0; m < all.size(); ++m)
    if (all[m] > kNegligible * most) {
      members.push_back(half.members[m]);
      weights.push_back(static_cast<float>(all[m] / most));
    }
  auto map = unfiltered_map(
      back_project_weighted(*half.set, reader, grid, half.noise_power, members, weights, label));
  clear_corners(grid.box, map);
  Spectrum spectrum(optics::half_size3(grid.box));
  optics::rfft3(grid.box, map.data(), spectrum.data());
  return spectrum;
}

/// Calls body(shell, index) for the coefficients of a half-complex cube up to the last shell.
template <class Body>
void for_shells(int box, Body&& body) {
  const int columns = box / 2 + 1, shells = optics::shell_count(box);
  std::size_t at = 0;
  for (int z = 0; z < box; ++z)
    for (int y = 0; y < box; ++y)
      for (int x = 0; x < columns; ++x, ++at) {
        const int kz = optics::row_frequency(z, box), ky = optics::row_frequency(y, box);
        const auto shell =
            static_cast<int>(std::lround(std::sqrt(static_cast<double>(x * x + ky * ky + kz * kz))));
        if (shell < shells) body(shell, at);
      }
}

}  // namespace

std::vector<double> kernel_bandwidths(const std::array<HalfSource, 2>& halves, std::size_t target) {
  const auto all = static_cast<double>(std::min(halves[0].members.size(), halves[1].members.size()));
  const auto by_worth = [&](double h) { return worth(halves, target, h); };
  const double wide = bandwidth_of(by_worth, kNearlyAll * all),
               narrow = std::min(wide, bandwidth_of(by_worth, std::min(kFewest, 0.5 * all)));
  std::vector<double> out;
  for (int i = 0; i < kBandwidths; ++i)
    out.push_back(narrow * std::pow(wide / narrow, static_cast<double>(i) / (kBandwidths - 1)));
  return out;
}

std::vector<int> choose_bandwidths(int box, std::span<const std::array<Spectrum, 2>> spectra) {
  const auto shells = static_cast<std::size_t>(optics::shell_count(box));
  std::vector<std::vector<double>> error(spectra.size(), std::vector<double>(shells, 0.0));
  parallel_for(spectra.size(), [&](std::size_t h) {
    for_shells(box, [&](int shell, std::size_t at) {
      error[h][shell] +=
          std::norm(spectra[h][0][at] - spectra[0][1][at]) + std::norm(spectra[h][1][at] - spectra[0][0][at]);
    });
  });
  std::vector<int> chosen(shells);
  for (std::size_t s = 0; s < shells; ++s) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t h = 0; h < spectra.size(); ++h) {
      double sum = error[h][s];
      if (s > 0) sum += error[h][s - 1];
      if (s + 1 < shells) sum += error[h][s + 1];
      if (sum < least) least = sum, chosen[s] = static_cast<int>(h);
    }
  }
  return chosen;
}

KernelMaps kernel_half_maps(const std::array<HalfSource, 2>& halves, io::StackReader& reader,
                            const particles::ImageGrid& grid, std::size_t target, const std::string& label) {
  KernelMaps out;
  out.bandwidths = kernel_bandwidths(halves, target);
  std::vector<std::array<Spectrum, 2>> spectra(out.bandwidths.size());
  for (std::size_t h = 0; h < spectra.size(); ++h)
    for (int half = 0; half < 2; ++half)
      spectra[h][half] = half_map_spectrum(halves[half], reader, grid, target, out.bandwidths[h], label);
  out.chosen = choose_bandwidths(grid.box, spectra);
  for (int half = 0; half < 2; ++half) {
    out.effective[half] = effective_number(weights_of(halves[half], target, out.bandwidths[0]));
    Spectrum mixed(spectra[0][half].size());
    for_shells(grid.box,
               [&](int shell, std::size_t at) { mixed[at] = spectra[out.chosen[shell]][half][at]; });
    out.halves[half].resize(static_cast<std::size_t>(grid.box) * grid.box * grid.box);
    optics::irfft3(grid.box, mixed.data(), out.halves[half].data());
  }
  return out;
}

double kernel_bytes(int box) {
  return 2.0 * kBandwidths * static_cast<double>(optics::half_size3(box)) * sizeof(std::complex<float>);
}

}  // namespace cryoscape::density
