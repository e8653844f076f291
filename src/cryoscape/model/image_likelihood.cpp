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

/// The coefficients that take part, shell by shell: what depends on the shell stays in registers, and sums
/// over shells need no scattered additions.
struct Coefficients {
  std::vector<std::int32_t> start;  ///< (shells + 1) into `index`
  std::vector<std::int32_t> index;  ///< into the (D, D/2+1) array
  std::vector<float> multiplicity;
  std::vector<std::int32_t> left_out;  ///< the others
};

Coefficients active_coefficients(int box, int max_shell) {
  Coefficients list;
  const int columns = box / 2 + 1;
  std::vector<std::vector<std::int32_t>> shells(columns);
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx < columns; ++kx) {
      const int shell = optics::shell_index(kx, row < box / 2 ? row : row - box);
      const bool active = shell >= 1 && shell <= max_shell;
      (active ? shells[shell] : list.left_out).push_back(row * columns + kx);
    }
  list.start.push_back(0);
  for (const auto& shell : shells) {
    for (const auto f : shell) {
      list.index.push_back(f);
      list.multiplicity.push_back(static_cast<float>(optics::multiplicity(f % columns, box)));
    }
    list.start.push_back(static_cast<std::int32_t>(list.index.size()));
  }
  return list;
}

/// Sums over one image of the quadratic form a − 2αb + α²c = Σ |X − α m|²/S, m = h·CTF·P.
struct Quadratic {
  double a = 0, b = 0, c = 0;
  double measured = 0;  ///< coefficients that take part
};

/// Sums of one image over a shell's measured coefficients. The others are padding, not data: beyond the
/// Nyquist frequency of images coarser than the grid, and on the Nyquist lines of cropped spectra. Taken for
/// data, they would say that prediction and noise are zero there.
struct ShellSums {
  double data = 0, cross = 0, prediction = 0, count = 0;  ///< |X|², Re(X* Q), |Q|², coefficients
};

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
        shells_(spectral.shells()),
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
    sum_shells(data);
    const Quadratic q = quadratic(gain);
    const Contrast contrast = options_.correlation
                                  ? score_correlation(q)
                                  : score_gaussian(q, options_.contrast_sd, spectral_.log_normaliser(group));
    if (output.log_likelihood) output.log_likelihood[i] = static_cast<float>(contrast.score);
    if (output.contrast) output.contrast[i] = static_cast<float>(contrast.mean);
    if (output.chi_square)
      output.chi_square[i] = static_cast<float>(
          (q.a - 2 * contrast.mean * q.b + contrast.mean * contrast.mean * q.c) / std::max(1.0, q.measured));
    if (sums) add_sums(contrast, sums);
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

  void sum_shells(const Complex* data) {
    for (int s = 0; s < spectral_.shells(); ++s) {
      ShellSums t;
      for (auto k = list_.start[s]; k < list_.start[s + 1]; ++k) {
        const Complex x = data[list_.index[k]], q = spectrum_[list_.index[k]];
        const float m = unmeasured(x) ? 0.0f : list_.multiplicity[k];
        t.data += m * (x.real() * x.real() + x.imag() * x.imag());
        t.cross += m * (x.real() * q.real() + x.imag() * q.imag());
        t.prediction += m * (q.real() * q.real() + q.imag() * q.imag());
        t.count += m;
      }
      shells_[s] = t;
    }
  }

  Quadratic quadratic(std::span<const float> gain) const {
    Quadratic q;
    for (std::size_t s = 0; s < shells_.size(); ++s) {
      const auto& t = shells_[s];
      const double w = weight_[s], h = gain[s];
      q.a += w * t.data;
      q.b += w * h * t.cross;
      q.c += w * h * h * t.prediction;
      q.measured += t.count;
    }
    return q;
  }

  void add_sums(const Contrast& contrast, SpectralSums* sums) const {
    const double square = contrast.mean * contrast.mean + contrast.variance;
    for (std::size_t s = 0; s < shells_.size(); ++s) {
      const auto& t = shells_[s];
      sums[s] += {t.data, contrast.mean * t.cross, square * t.prediction, t.count};
    }
  }

  /// ∂score/∂Q = h·w·(∂_b X + 2 ∂_c m), m = h·Q; the filtered image's gradient is its inverse FFT times D²
  /// (multiplicities are implied by the half-complex inverse), the coordinates' gradient follows by the
  /// adjoints of CTF and projector.
  void gradient(const Complex* data, const Ctf& ctf, std::span<const float> gain, const Contrast& contrast,
                const float* coordinates, const float* rotation, const float* shift, float* out) {
    const auto d_b = static_cast<float>(contrast.d_b), d_c2 = static_cast<float>(2 * contrast.d_c);
    const float scale = static_cast<float>(projection_.box) * projection_.box;
    for (const auto f : list_.left_out) spectrum_[f] = 0;
    for (int s = 0; s < spectral_.shells(); ++s) {
      const float weight = weight_[s] * gain[s] * scale, of_data = weight * d_b,
                  of_prediction = weight * d_c2 * gain[s];
      for (auto k = list_.start[s]; k < list_.start[s + 1]; ++k) {
        const auto f = list_.index[k];
        const Complex x = data[f], q = spectrum_[f];
        const float ctf_here = unmeasured(x) ? 0.0f : ctf.wide ? 1.0f : ctf.narrow[f];
        spectrum_[f] = {ctf_here * (of_data * x.real() + of_prediction * q.real()),
                        ctf_here * (of_data * x.imag() + of_prediction * q.imag())};
      }
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
  std::vector<ShellSums> shells_;
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
