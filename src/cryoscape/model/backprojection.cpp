#include "cryoscape/model/backprojection.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::model {
namespace {

/// Lattice cells of side `spacing` whose centre is within `margin` of a bead, found by marking around every
/// bead.
std::vector<float> lattice_points(std::span<const float> coordinates, double margin, double spacing) {
  double low[3] = {1e30, 1e30, 1e30}, high[3] = {-1e30, -1e30, -1e30};
  for (std::size_t i = 0; i < coordinates.size(); ++i) {
    low[i % 3] = std::min<double>(low[i % 3], coordinates[i] - margin);
    high[i % 3] = std::max<double>(high[i % 3], coordinates[i] + margin);
  }
  int first[3], count[3];
  for (int k = 0; k < 3; ++k) {
    first[k] = static_cast<int>(std::ceil(low[k] / spacing));
    count[k] = static_cast<int>(std::floor(high[k] / spacing)) - first[k] + 1;
    if (count[k] <= 0) return {};
  }
  std::vector<char> marked(static_cast<std::size_t>(count[0]) * count[1] * count[2]);
  for (std::size_t n = 0; n + 2 < coordinates.size(); n += 3) {
    int from[3], to[3];
    for (int k = 0; k < 3; ++k) {
      from[k] = std::max(0, static_cast<int>(std::ceil((coordinates[n + k] - margin) / spacing)) - first[k]);
      to[k] = std::min(count[k] - 1,
                       static_cast<int>(std::floor((coordinates[n + k] + margin) / spacing)) - first[k]);
    }
    for (int z = from[2]; z <= to[2]; ++z)
      for (int y = from[1]; y <= to[1]; ++y)
        for (int x = from[0]; x <= to[0]; ++x) {
          const double dx = (x + first[0]) * spacing - coordinates[n],
                       dy = (y + first[1]) * spacing - coordinates[n + 1],
                       dz = (z + first[2]) * spacing - coordinates[n + 2];
          if (dx * dx + dy * dy + dz * dz <= margin * margin)
            marked[(static_cast<std::size_t>(z) * count[1] + y) * count[0] + x] = 1;
        }
  }
  std::vector<float> points;
  for (std::size_t i = 0; i < marked.size(); ++i)
    if (marked[i])
      for (const std::size_t cell : {i % count[0], i / count[0] % count[1], i / count[0] / count[1]}) {
        const std::size_t axis = points.size() % 3;
        points.push_back(static_cast<float>((static_cast<double>(cell) + first[axis]) * spacing));
      }
  return points;
}

/// h/S per shell, 0 where none takes part.
std::vector<float> shell_filter(const SpectralModel& spectral, int group) {
  const auto gain = spectral.gain(group), power = spectral.power(group);
  std::vector<float> filter(spectral.shells());
  for (int s = 1; s <= spectral.max_shell(); ++s) filter[s] = gain[s] / power[s];
  return filter;
}

/// The coefficients that take part, with their shells and the Fourier transform G of a bead of width sigma
/// (Å).
struct BeadFilter {
  std::vector<std::int32_t> shell;  ///< (D, D/2+1); 0 where a coefficient takes no part
  std::vector<float> transform;     ///< (D, D/2+1)
};

BeadFilter bead_filter(int box, int max_shell, double sigma, double pixel_size) {
  BeadFilter filter;
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx <= box / 2; ++kx) {
      const double ky = optics::row_frequency(row, box),
                   f2 = (kx * kx + ky * ky) / (box * pixel_size * box * pixel_size);
      const int shell = optics::shell_index(kx, static_cast<int>(ky));
      filter.shell.push_back(shell <= max_shell ? shell : 0);
      filter.transform.push_back(
          static_cast<float>(std::exp(-2 * std::numbers::pi * std::numbers::pi * sigma * sigma * f2)));
    }
  return filter;
}

float bilinear(const float* image, int box, float x, float y) {
  if (!(x >= 0 && y >= 0 && x < box - 1 && y < box - 1)) return 0;
  const int ix = static_cast<int>(x), iy = static_cast<int>(y);
  const float fx = x - ix, fy = y - iy;
  const float* p = image + static_cast<std::size_t>(iy) * box + ix;
  return (1 - fy) * ((1 - fx) * p[0] + fx * p[1]) + fy * ((1 - fx) * p[box] + fx * p[box + 1]);
}

}  // namespace

FeatureLattice make_feature_lattice(std::span<const float> coordinates, double margin, double min_spacing,
                                    int max_points) {
  FeatureLattice lattice;
  lattice.spacing = static_cast<float>(min_spacing);
  if (coordinates.size() < 3 || max_points < 1) return lattice;
  for (double spacing = min_spacing;; spacing *= 1.1) {
    lattice.points = lattice_points(coordinates, margin, spacing);
    lattice.spacing = static_cast<float>(spacing);
    if (lattice.size() <= static_cast<std::size_t>(max_points)) return lattice;
  }
}

void backproject_features(const FeatureLattice& lattice, const projection::ProjectionSpec& projection,
                          const SpectralModel& spectral, const BatchView& batch, std::span<float> features) {
  const int box = projection.box, columns = box / 2 + 1;
  const double sigma = std::max<double>(projection.sigma, 0.5 * lattice.spacing);
  std::vector<std::vector<float>> filters;
  for (int g = 0; g < spectral.groups(); ++g) filters.push_back(shell_filter(spectral, g));
  const auto [shell, transform] = bead_filter(box, spectral.max_shell(), sigma, projection.pixel_size);
  parallel_ranges(
      batch.size, [&, &shell = shell, &transform = transform](std::size_t begin, std::size_t end) {
        std::vector<std::complex<float>> spectrum(shell.size());
        std::vector<float> image(static_cast<std::size_t>(box) * box);
        for (std::size_t i = begin; i < end; ++i) {
          const auto group = static_cast<int>(batch.groups[i]);
          const auto& filter = filters[group];
          const auto power = spectral.power(group);
          const auto* data = batch.spectra + shell.size() * i;
          const float* ctf = batch.ctf + shell.size() * i;
          double variance = 0;
          for (std::size_t f = 0; f < shell.size(); ++f) {
            const int s = shell[f];
            const float factor = filter[s] * transform[f] * ctf[f];
            spectrum[f] = factor * data[f];
            if (data[f] == std::complex<float>(0)) continue;  // padding has no noise
            variance += optics::multiplicity(static_cast<int>(f % columns), box) * factor * factor * power[s];
          }
          optics::irfft2(box, spectrum.data(), image.data());
          const double pixels = static_cast<double>(box) * box;
          const auto scale = static_cast<float>(pixels / std::sqrt(std::max(variance, 1e-30)));
          const float* r = batch.rotations + 9 * i;
          const float* shift = batch.shifts + 2 * i;
          const float inverse = 1.0f / projection.pixel_size, centre = 0.5f * box;
          float* out = features.data() + i * lattice.size();
          for (std::size_t v = 0; v < lattice.size(); ++v) {
            const float* p = lattice.points.data() + 3 * v;
            const float x = (r[0] * p[0] + r[1] * p[1] + r[2] * p[2] - shift[0]) * inverse + centre;
            const float y = (r[3] * p[0] + r[4] * p[1] + r[5] * p[2] - shift[1]) * inverse + centre;
            out[v] = scale * bilinear(image.data(), box, x, y);
          }
        }
      });
}

}  // namespace cryoscape::model
