#include "cryoscape/density/fsc.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::density {
namespace {

using Complex = std::complex<float>;

constexpr double kRandomFrom = 0.8;  ///< of the unmasked FSC, as RELION's postprocessing has it
constexpr int kMixedShells = 2;      ///< behind the first random shell, where the mask mixes both kinds
constexpr double kLargestRandom = 0.999;
constexpr std::uint64_t kPhaseStream = 0xF5C0;

int shell_of(int kx, int ky, int kz) {
  return static_cast<int>(std::sqrt(static_cast<double>(kx * kx + ky * ky + kz * kz)) + 0.5);
}

/// Sums over the coefficients of each shell: body(index, multiplicity, sums of its shell) for every
/// coefficient. Sums are taken by plane first, so that they do not depend on threads.
template <std::size_t N, class Body>
std::vector<std::array<double, N>> shell_sums(int box, Body&& body) {
  const std::size_t shells = optics::shell_count(box);
  std::vector<std::vector<std::array<double, N>>> planes(box, std::vector<std::array<double, N>>(shells));
  parallel_for(static_cast<std::size_t>(box), [&](std::size_t z) {
    std::size_t at = z * box * (box / 2 + 1);
    for (int y = 0; y < box; ++y)
      for (int kx = 0; kx <= box / 2; ++kx, ++at) {
        const int shell =
            shell_of(kx, optics::row_frequency(y, box), optics::row_frequency(static_cast<int>(z), box));
        if (shell < static_cast<int>(shells)) body(at, optics::multiplicity(kx, box), planes[z][shell]);
      }
  });
  std::vector<std::array<double, N>> sums(shells);
  for (const auto& plane : planes)
    for (std::size_t s = 0; s < shells; ++s)
      for (std::size_t n = 0; n < N; ++n) sums[s][n] += plane[s][n];
  return sums;
}

std::vector<Complex> masked_spectrum(int box, std::span<const float> map, std::span<const float> mask) {
  std::vector<Complex> spectrum(optics::half_size3(box));
  if (mask.empty()) {
    optics::rfft3(box, map.data(), spectrum.data());
    return spectrum;
  }
  std::vector<float> masked(map.begin(), map.end());
  for (std::size_t i = 0; i < masked.size(); ++i) masked[i] *= mask[i];
  optics::rfft3(box, masked.data(), spectrum.data());
  return spectrum;
}

/// A map whose phases are random from a shell on.
std::vector<float> randomised(int box, std::span<const float> map, int first, std::uint64_t seed) {
  auto spectrum = masked_spectrum(box, map, {});
  randomise_phases(box, first, seed, spectrum);
  std::vector<float> out(map.size());
  optics::irfft3(box, spectrum.data(), out.data());
  return out;
}

}  // namespace

std::vector<double> shell_correlation(int box, std::span<const Complex> a, std::span<const Complex> b) {
  const auto sums = shell_sums<3>(box, [&](std::size_t i, int m, std::array<double, 3>& s) {
    s[0] += m * (double{a[i].real()} * b[i].real() + double{a[i].imag()} * b[i].imag());
    s[1] += m * static_cast<double>(std::norm(a[i])), s[2] += m * static_cast<double>(std::norm(b[i]));
  });
  std::vector<double> fsc;
  for (const auto& s : sums) fsc.push_back(s[1] > 0 && s[2] > 0 ? s[0] / std::sqrt(s[1] * s[2]) : 0);
  return fsc;
}

std::vector<double> map_correlation(int box, std::span<const float> a, std::span<const float> b,
                                    std::span<const float> mask) {
  return shell_correlation(box, masked_spectrum(box, a, mask), masked_spectrum(box, b, mask));
}

std::vector<double> shell_amplitudes(int box, std::span<const Complex> spectrum) {
  const auto sums = shell_sums<2>(box, [&](std::size_t i, int m, std::array<double, 2>& s) {
    s[0] += m * static_cast<double>(std::abs(spectrum[i])), s[1] += m;
  });
  std::vector<double> mean;
  for (const auto& s : sums) mean.push_back(s[0] / s[1]);
  return mean;
}

void randomise_phases(int box, int first, std::uint64_t seed, std::span<Complex> spectrum) {
  const auto d = static_cast<std::size_t>(box), columns = d / 2 + 1;
  const auto index = [&](std::size_t z, std::size_t y, std::size_t x) { return (z * d + y) * columns + x; };
  parallel_for(d, [&](std::size_t z) {
    for (std::size_t y = 0; y < d; ++y)
      for (std::size_t x = 0; x < columns; ++x) {
        const int shell = shell_of(static_cast<int>(x), optics::row_frequency(static_cast<int>(y), box),
                                   optics::row_frequency(static_cast<int>(z), box));
        if (shell < first) continue;
        const auto at = index(z, y, x);
        // On the planes kx = 0 and D/2 both of a pair k, −k are stored: the second is the conjugate of the
        // first.
        const auto mate = x == 0 || x == d / 2 ? index((d - z) % d, (d - y) % d, x) : at + 1;
        if (mate == at) continue;  // real, its own conjugate
        const auto word = Philox::generate(seed, kPhaseStream, std::min(at, mate))[0];
        const double angle = 2 * std::numbers::pi * word / 4294967296.0;
        spectrum[at] = std::polar(std::abs(spectrum[at]), static_cast<float>(at < mate ? angle : -angle));
      }
  });
}

FscCurves measure_fsc(int box, std::span<const float> half1, std::span<const float> half2,
                      std::span<const float> mask) {
  FscCurves curves;
  curves.unmasked = map_correlation(box, half1, half2);
  curves.masked = map_correlation(box, half1, half2, mask);
  int from = 1;
  while (from < box / 2 && curves.unmasked[from] >= kRandomFrom) ++from;
  curves.randomised_from = from;
  curves.randomised =
      map_correlation(box, randomised(box, half1, from, 1), randomised(box, half2, from, 2), mask);
  curves.corrected = curves.masked;
  for (std::size_t s = from + kMixedShells; s < curves.corrected.size(); ++s) {
    const double random = std::min(curves.randomised[s], kLargestRandom);
    curves.corrected[s] = (curves.masked[s] - random) / (1 - random);
  }
  return curves;
}

double crossing(std::span<const double> curve, double threshold) {
  for (std::size_t s = 1; s < curve.size(); ++s) {
    if (curve[s] >= threshold) continue;
    if (s == 1) return 0;
    return static_cast<double>(s - 1) + (curve[s - 1] - threshold) / (curve[s - 1] - curve[s]);
  }
  return static_cast<double>(curve.size() - 1);
}

}  // namespace cryoscape::density
