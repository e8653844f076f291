#include "cryoscape/model/image_likelihood.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/model/wide_ctf.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::model {
namespace {

using Complex = std::complex<float>;

/// The coefficients that take part, in storage order, so that inner loops touch nothing else.
struct Coefficients {
  std::vector<std::int32_t> index;  ///< into the (D, D/2+1) array
  std::vector<std::int32_t> shell;
  std::vector<float> multiplicity;
};

Coefficients active_coefficients(int box, int max_shell) {
  Coefficients list;
  const int columns = box / 2 + 1;
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx < columns; ++kx) {
      const int shell = optics::shell_index(kx, row < box / 2 ? row : row - box);
      if (shell < 1 || shell > max_shell) continue;
      list.index.push_back(row * columns + kx);
      list.shell.push_back(shell);
      list.multiplicity.push_back(kx == 0 || kx == box / 2 ? 1.0f : 2.0f);
    }
  return list;
}

/// Sums over one image of the quadratic form a − 2αb + α²c = Σ |X − α m|²/S, m = h·CTF·P.
struct Quadratic {
  double a = 0, b = 0, c = 0;
  double unmeasured = 0;  ///< coefficients that take no part
};

/// Padding, not data: beyond the Nyquist frequency of images coarser than the grid, and on the Nyquist lines
/// of cropped spectra. Taken for data, they would say that prediction and noise are zero there.
bool unmeasured(const Complex& data) { return data == Complex(0); }

/// Posterior of the contrast given the image: mean and variance; and the score with its derivatives by b and
/// c.
struct Contrast {
  double mean = 1, variance = 0, score = 0, d_b = 0, d_c = 0;
};

Contrast score_gaussian(const Quadratic& q, double contrast_sd, double log_normaliser) {
  Contrast out;
  if (contrast_sd <= 0) {
    out.score = log_normaliser - 0.5 * (q.a - 2 * q.b + q.c);
  } else {
    const double precision = 1 / (contrast_sd * contrast_sd);
    out.variance = 1 / (q.c + precision);
    out.mean = (q.b + precision) * out.variance;
    out.score = log_normaliser - 0.5 * (q.a + precision - (q.b + precision) * out.mean) -
                0.5 * std::log1p(q.c / precision);
  }
  out.d_b = out.mean;
  out.d_c = -0.5 * (out.mean * out.mean + out.variance);
  return out;
}

Contrast score_correlation(const Quadratic& q) {
  Contrast out;
  const double norm = std::sqrt(std::max(q.a * q.c, 1e-30));
  out.score = q.b / norm;
  out.mean = q.b / std::max(q.c, 1e-30);
  out.d_b = 1 / norm;
  out.d_c = -0.5 * out.score / std::max(q.c, 1e-30);
  return out;
}

/// Scores one particle after another with buffers of its own: one per thread.
class Worker {
 public:
  Worker(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
         const SpectralModel& spectral, const LikelihoodOptions& options, const Coefficients& coefficients)
      : projection_(projection),
        amplitudes_(amplitudes),
        spectral_(spectral),
        options_(options),
        list_(coefficients),
        image_(static_cast<std::size_t>(projection.box) * projection.box),
        spectrum_(static_cast<std::size_t>(projection.box) * (projection.box / 2 + 1)),
        weight_(spectral.shells()),
        wide_(projection.box) {}

  void score(const BatchView& batch, const LikelihoodOutput& output, SpectralSums* sums, int i) {
    const std::size_t beads = amplitudes_.size();
    const std::size_t half = spectrum_.size();
    const float* coordinates = batch.coordinates + 3 * beads * i;
    const float* rotation = batch.rotations + 9 * static_cast<std::size_t>(i);
    const float* shift = batch.shifts + 2 * static_cast<std::size_t>(i);
    const int group = static_cast<int>(batch.groups[i]);
    set_weights(group);
    const Ctf ctf{batch.ctf + half * i,
                  batch.wide_ctf ? batch.wide_ctf + optics::half_size(2 * projection_.box) * i : nullptr};
    projection::project_one(projection_, amplitudes_, coordinates, rotation, shift, image_.data());
    predict(ctf);

    const Complex* data = batch.spectra + half * i;
    const auto gain = spectral_.gain(group);
    const Quadratic q = quadratic(data, gain);
    const Contrast contrast = options_.correlation
                                  ? score_correlation(q)
                                  : score_gaussian(q, options_.contrast_sd, spectral_.log_normaliser(group));
    if (output.log_likelihood) output.log_likelihood[i] = static_cast<float>(contrast.score);
    if (output.contrast) output.contrast[i] = static_cast<float>(contrast.mean);
    if (output.chi_square)
      output.chi_square[i] =
          static_cast<float>((q.a - 2 * contrast.mean * q.b + contrast.mean * contrast.mean * q.c) /
                             std::max(1.0, spectral_.degrees_of_freedom() - q.unmeasured));
    if (sums) add_sums(data, contrast, sums);
    if (output.coordinate_gradient)
      gradient(data, ctf, gain, contrast, coordinates, rotation, shift,
               output.coordinate_gradient + 3 * beads * i);
  }

 private:
  /// Of one particle: on the image's grid, and where the prediction is filtered in a wider box, there.
  struct Ctf {
    const float* narrow;
    const float* wide;
  };

  /// Q in spectrum_ from the projection in image_.
  void predict(const Ctf& ctf) {
    if (ctf.wide) wide_.apply(ctf.wide, image_.data());
    optics::rfft2(projection_.box, image_.data(), spectrum_.data());
    if (!ctf.wide)
      for (std::size_t f = 0; f < spectrum_.size(); ++f) spectrum_[f] *= ctf.narrow[f];
  }

  void set_weights(int group) {
    const auto power = spectral_.power(group);
    for (int s = 0; s < spectral_.shells(); ++s) weight_[s] = options_.correlation ? 1.0f : 1.0f / power[s];
  }

  Quadratic quadratic(const Complex* data, std::span<const float> gain) const {
    Quadratic q;
    for (std::size_t k = 0; k < list_.index.size(); ++k) {
      const int f = list_.index[k], s = list_.shell[k];
      if (unmeasured(data[f])) {
        q.unmeasured += list_.multiplicity[k];
        continue;
      }
      const float w = weight_[s] * list_.multiplicity[k], factor = gain[s];
      const float mr = factor * spectrum_[f].real(), mi = factor * spectrum_[f].imag();
      const float xr = data[f].real(), xi = data[f].imag();
      q.a += w * (xr * xr + xi * xi);
      q.b += w * (xr * mr + xi * mi);
      q.c += w * (mr * mr + mi * mi);
    }
    return q;
  }

  void add_sums(const Complex* data, const Contrast& contrast, SpectralSums* sums) const {
    const double square = contrast.mean * contrast.mean + contrast.variance;
    for (std::size_t k = 0; k < list_.index.size(); ++k) {
      const int f = list_.index[k];
      if (unmeasured(data[f])) continue;
      auto& t = sums[list_.shell[k]];
      const float m = list_.multiplicity[k];
      const float qr = spectrum_[f].real(), qi = spectrum_[f].imag();
      t.data_power += m * std::norm(data[f]);
      t.cross += contrast.mean * m * (data[f].real() * qr + data[f].imag() * qi);
      t.prediction_power += square * m * (qr * qr + qi * qi);
      t.count += m;
    }
  }

  /// ∂score/∂Q = h·w·(∂_b X + 2 ∂_c m), m = h·Q; the filtered image's gradient is its inverse FFT times D²
  /// (multiplicities are implied by the half-complex inverse), the coordinates' gradient follows by the
  /// adjoints of CTF and projector.
  void gradient(const Complex* data, const Ctf& ctf, std::span<const float> gain, const Contrast& contrast,
                const float* coordinates, const float* rotation, const float* shift, float* out) {
    const auto d_b = static_cast<float>(contrast.d_b), d_c2 = static_cast<float>(2 * contrast.d_c);
    const float scale = static_cast<float>(projection_.box) * projection_.box;
    std::size_t k = 0;
    for (std::size_t f = 0; f < spectrum_.size(); ++f) {
      if (k == list_.index.size() || static_cast<std::size_t>(list_.index[k]) != f) {
        spectrum_[f] = 0;
        continue;
      }
      const int s = list_.shell[k++];
      if (unmeasured(data[f])) {
        spectrum_[f] = 0;
        continue;
      }
      const float w = weight_[s] * gain[s] * scale * (ctf.wide ? 1.0f : ctf.narrow[f]);
      spectrum_[f] = w * (d_b * data[f] + d_c2 * gain[s] * spectrum_[f]);
    }
    optics::irfft2(projection_.box, spectrum_.data(), image_.data());
    if (ctf.wide) wide_.apply(ctf.wide, image_.data());
    projection::project_one_backward(projection_, amplitudes_, coordinates, rotation, shift, image_.data(),
                                     out);
  }

  const projection::ProjectionSpec& projection_;
  std::span<const float> amplitudes_;
  const SpectralModel& spectral_;
  const LikelihoodOptions& options_;
  const Coefficients& list_;
  std::vector<float> image_;
  std::vector<Complex> spectrum_;
  std::vector<float> weight_;
  WideCtf wide_;
};

}  // namespace

void evaluate_likelihood(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
                         const SpectralModel& spectral, const LikelihoodOptions& options,
                         const BatchView& batch, const LikelihoodOutput& output) {
  const Coefficients coefficients = active_coefficients(projection.box, spectral.max_shell());
  const std::size_t shells = spectral.shells(), size = batch.size;
  std::vector<SpectralSums> particle_sums(output.sums ? size * shells : 0);
  parallel_ranges(size, [&](std::size_t begin, std::size_t end) {
    Worker worker(projection, amplitudes, spectral, options, coefficients);
    for (std::size_t i = begin; i < end; ++i)
      worker.score(batch, output, output.sums ? particle_sums.data() + i * shells : nullptr,
                   static_cast<int>(i));
  });
  if (!output.sums) return;
  output.sums->assign(spectral.groups() * shells, {});
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t s = 0; s < shells; ++s)
      (*output.sums)[batch.groups[i] * shells + s] += particle_sums[i * shells + s];
}

}  // namespace cryoscape::model
