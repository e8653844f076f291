#include "cryoscape/density/slice_maker.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"

namespace cryoscape::density {
namespace {

std::vector<float> inverse_power(int box, const std::vector<double>& power) {
  const auto shells = optics::shell_table(box);
  std::vector<float> weights(shells.size());
  for (std::size_t f = 0; f < weights.size(); ++f) {
    const auto shell = std::min<std::size_t>(static_cast<std::size_t>(shells[f]), power.size() - 1);
    weights[f] = static_cast<float>(static_cast<double>(box) * box / power[shell]);
  }
  return weights;
}

/// exp(−2πi (shift/D − ½) k) of k = 0 … D/2, or of all rows in FFT order: moves the centre, pixel D/2 less
/// the shift (pixels), to the origin.
std::vector<std::complex<float>> phases(int box, double shift, int count) {
  std::vector<std::complex<float>> out(count);
  for (int i = 0; i < count; ++i) {
    const int k = i <= box / 2 ? i : i - box;
    const double angle = -2 * std::numbers::pi * k * shift / box;
    out[i] = std::complex<float>(std::polar(k % 2 ? -1.0 : 1.0, angle));
  }
  return out;
}

}  // namespace

SliceMaker::SliceMaker(const particles::ParticleSet& set, const particles::ImageGrid& grid,
                       const std::vector<std::vector<double>>& noise_power)
    : set_(&set), grid_(grid), preprocessor_(set, grid) {
  std::vector<std::vector<float>> weights;
  for (const auto& power : noise_power) weights.push_back(inverse_power(grid.box, power));
  weights_ = std::make_shared<const std::vector<std::vector<float>>>(std::move(weights));
  spectrum_.resize(optics::half_size(grid.box));
  ctf_.resize(spectrum_.size());
}

bool SliceMaker::make(io::StackReader& reader, std::size_t particle, Slice& slice) {
  if (!preprocessor_.load(reader, particle, spectrum_.data(), ctf_.data())) return false;
  const auto& p = set_->particles[particle];
  const auto& placement = preprocessor_.placement(p.optics_group);
  const auto rotation = placement.rotation(p.rotation);
  const auto shift = placement.shift(p.shift);
  const int box = grid_.box, columns = box / 2 + 1;
  slice.box = box;
  std::copy_n(rotation.begin(), 6, slice.axes.begin());
  slice.rows = sphere_rows(box, slice.axes);
  slice.samples.resize(spectrum_.size());
  const auto across = phases(box, shift[0] / grid_.pixel_size, columns),
             down = phases(box, shift[1] / grid_.pixel_size, box);
  const auto& weights = (*weights_)[p.optics_group];
  for (int row = 0; row < box; ++row) {
    const std::size_t first = static_cast<std::size_t>(row) * columns;
    for (int kx = slice.rows[row].begin; kx < slice.rows[row].end; ++kx) {
      const std::size_t f = first + kx;
      const float ar = across[kx].real(), ai = across[kx].imag(), dr = down[row].real(),
                  di = down[row].imag();
      const float pr = ar * dr - ai * di, pi = ar * di + ai * dr;
      const float xr = spectrum_[f].real(), xi = spectrum_[f].imag(), factor = ctf_[f] * weights[f];
      slice.samples[f] = {factor * (xr * pr - xi * pi), factor * (xr * pi + xi * pr), factor * ctf_[f], 0};
    }
  }
  return true;
}

}  // namespace cryoscape::density
