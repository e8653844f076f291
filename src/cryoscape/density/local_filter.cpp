#include "cryoscape/density/local_filter.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "cryoscape/density/radial_filter.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace {

constexpr double kResolved = 0.5, kNothing = 0.143;
constexpr int kBands = 20;  ///< up to Nyquist

using Spectrum = std::vector<std::complex<float>>;

Spectrum transform(int box, std::span<const float> map) {
  Spectrum spectrum(optics::half_size3(box));
  optics::rfft3(box, map.data(), spectrum.data());
  return spectrum;
}

/// Band number b of a map: 1 at shell b · width, falling to 0 at its neighbours' middles. The last one goes
/// on.
std::vector<float> band_of(int box, const Spectrum& spectrum, int band, double width, bool last) {
  Spectrum part = spectrum;
  scale_spectrum(
      box,
      [&](double shell) {
        const double at = shell / width - band;
        return last && at > 0 ? 1.0 : std::max(0.0, 1 - std::abs(at));
      },
      part);
  std::vector<float> map(static_cast<std::size_t>(box) * box * box);
  optics::irfft3(box, part.data(), map.data());
  return map;
}

/// Means of the product of two bands under the window around each voxel.
std::vector<float> local_mean(int box, const std::vector<float>& a, const std::vector<float>& b,
                              double sigma) {
  std::vector<float> product(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) product[i] = a[i] * b[i];
  const double step = 2 * std::numbers::pi * sigma / box;
  apply_radial(
      box, [&](double shell) { return std::exp(-0.5 * std::pow(step * shell, 2)); }, product);
  return product;
}

/// Local correlation of two bands.
std::vector<float> local_correlation(int box, const std::vector<float>& a, const std::vector<float>& b,
                                     double sigma) {
  auto h = local_mean(box, a, b, sigma);
  const auto aa = local_mean(box, a, a, sigma), bb = local_mean(box, b, b, sigma);
  // Far from everything rounding of the transforms is all there is.
  const float least =
      1e-6f * std::max(*std::max_element(aa.begin(), aa.end()), *std::max_element(bb.begin(), bb.end()));
  for (std::size_t i = 0; i < h.size(); ++i)
    h[i] = aa[i] > least && bb[i] > least ? std::clamp(h[i] / std::sqrt(aa[i] * bb[i]), -1.0f, 1.0f) : 0.0f;
  return h;
}

}  // namespace

LocalFilter filter_locally(int box, double pixel_size, std::span<const float> half1,
                           std::span<const float> half2, std::span<const float> map, double window) {
  const double width = std::max(2.0, 0.5 * box / kBands), extent = box * pixel_size,
               sigma = window / pixel_size;
  const int bands = static_cast<int>(std::floor(0.5 * box / width)) + 1;
  const auto first = transform(box, half1), second = transform(box, half2), whole = transform(box, map);
  LocalFilter out{std::vector<float>(map.size()), std::vector<float>(map.size())};
  std::vector<float> before(map.size(), 1);  // correlation in the last band; below kNothing for good
  for (int band = 0; band < bands; ++band) {
    throw_if_interrupted();
    const bool last = band == bands - 1;
    const auto part = band_of(box, whole, band, width, last);
    // The mean and what varies slower than the window correlate with the window itself: taken as given.
    const auto h = band == 0 ? std::vector<float>(map.size(), 1)
                             : local_correlation(box, band_of(box, first, band, width, last),
                                                 band_of(box, second, band, width, last), sigma);
    parallel_for(map.size(), [&](std::size_t i) {
      if (out.resolution[i] == 0 && (h[i] < kResolved || last)) {
        // Between the middles of the last band and this one.
        const double share = h[i] < kResolved ? (before[i] - kResolved) / (before[i] - h[i]) : 1;
        out.resolution[i] = static_cast<float>(extent / (width * std::max(1.0, band - 1 + share)));
      }
      if (before[i] < kNothing || h[i] < kNothing) {
        before[i] = 0;
        return;
      }
      before[i] = h[i];
      out.map[i] += 2 * h[i] / (1 + h[i]) * part[i];
    });
  }
  return out;
}

std::array<double, 3> resolution_range(std::span<const float> resolution, std::span<const float> mask) {
  std::vector<float> inside;
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i] > 0.5f) inside.push_back(resolution[i]);
  std::array<double, 3> range{};
  if (inside.empty()) return range;
  std::sort(inside.begin(), inside.end());
  const double shares[] = {0.1, 0.5, 0.9};
  for (int k = 0; k < 3; ++k)
    range[k] = inside[static_cast<std::size_t>(shares[k] * static_cast<double>(inside.size() - 1))];
  return range;
}

}  // namespace cryoscape::density
