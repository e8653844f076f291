#include "cryoscape/model/image_likelihood.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/model/contrast.hpp"
#include "cryoscape/model/likelihood_terms.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::model {
namespace {

using Complex = std::complex<float>;

/// Images whose spectral sums are added up together, whatever the number of threads.
constexpr std::size_t kChunk = 4;

/// Spectral sums of the images of one chunk and group.
struct ChunkSums {
  std::int64_t group;
  std::vector<SpectralSums> shells;
};

/// Adds images up coefficient by coefficient, and only then by shell: additions to shells one by one would
/// wait for each other.
class SumCollector {
 public:
  SumCollector(const Coefficients& coefficients, int max_shell)
      : coefficients_(coefficients), max_shell_(max_shell), values_(4 * coefficients.size()) {}

  void add(std::int64_t group, const Complex* data, const Complex* prediction, double contrast,
           double contrast_square, std::vector<ChunkSums>& out) {
    if (images_ > 0 && group != group_) flush(out);
    group_ = group;
    ++images_;
    const std::size_t n = coefficients_.size();
    float* v = values_.data();
    add_coefficients(n, data, prediction, static_cast<float>(contrast), static_cast<float>(contrast_square),
                     {v, v + n, v + 2 * n, v + 3 * n});
  }

  void flush(std::vector<ChunkSums>& out) {
    if (images_ == 0) return;
    ChunkSums sums{group_, std::vector<SpectralSums>(static_cast<std::size_t>(max_shell_) + 1)};
    const std::size_t n = coefficients_.size();
    const float* v = values_.data();
    for (std::size_t f = 0; f < n; ++f) {
      const int s = coefficients_.shell(f);
      if (s < 1 || s > max_shell_) continue;
      const double m = coefficients_.multiplicity(f);
      sums.shells[s] += {m * v[f], m * v[n + f], m * v[2 * n + f], m * v[3 * n + f]};
    }
    out.push_back(std::move(sums));
    std::fill(values_.begin(), values_.end(), 0.0f);
    images_ = 0;
  }

 private:
  const Coefficients& coefficients_;
  int max_shell_;
  std::vector<float> values_;  ///< data, cross, prediction, count
  std::int64_t group_ = 0;
  int images_ = 0;
};

/// Scores one particle after another with buffers of its own: one per thread.
class Worker {
 public:
  Worker(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
         const SpectralModel& spectral, const LikelihoodOptions& options, const Coefficients& coefficients)
      : projection_(projection),
        amplitudes_(amplitudes),
        spectral_(spectral),
        options_(options),
        coefficients_(coefficients),
        collector_(coefficients, spectral.max_shell()),
        image_(static_cast<std::size_t>(projection.box) * projection.box),
        spectrum_(coefficients.size()),
        maker_(projection.box) {}

  /// Spectral sums go to `sums` where that is given; flush() ends a chunk.
  void score(const BatchView& batch, const LikelihoodOutput& output, std::vector<ChunkSums>* sums, int i) {
    const std::size_t beads = amplitudes_.size();
    const std::size_t half = spectrum_.size();
    const float* coordinates = batch.coordinates + 3 * beads * i;
    const float* rotation = batch.rotations + 9 * static_cast<std::size_t>(i);
    const float* shift = batch.shifts + 2 * static_cast<std::size_t>(i);
    const int group = static_cast<int>(batch.groups[i]);
    const auto terms = coefficients_.terms(group);
    const ParticleCtf ctf(batch, projection_.box, i);
    projection::project_one(projection_, amplitudes_, coordinates, rotation, shift, image_.data());
    maker_.transform(ctf, image_.data(), spectrum_.data());
    if (!ctf.wide) multiply(half, ctf.narrow, spectrum_.data());

    const Complex* data = batch.spectra + half * i;
    const auto q = quadratic_form(half, data, spectrum_.data(), terms);
    const auto contrast = options_.correlation ? score_correlation(q.a, q.b, q.c)
                                               : score_gaussian(q.a, q.b, q.c, options_.contrast_sd,
                                                                spectral_.log_normaliser(group));
    if (output.log_likelihood) output.log_likelihood[i] = static_cast<float>(contrast.score);
    if (output.contrast) output.contrast[i] = static_cast<float>(contrast.mean);
    if (output.chi_square)
      output.chi_square[i] = static_cast<float>(
          (q.a - 2 * contrast.mean * q.b + contrast.mean * contrast.mean * q.c) / std::max(1.0, q.measured));
    if (sums)
      collector_.add(group, data, spectrum_.data(), contrast.mean,
                     contrast.mean * contrast.mean + contrast.variance, *sums);
    if (output.coordinate_gradient)
      gradient(data, ctf, terms, contrast, coordinates, rotation, shift,
               output.coordinate_gradient + 3 * beads * i);
  }

  void flush(std::vector<ChunkSums>& sums) { collector_.flush(sums); }

 private:
  /// ∂score/∂Q = h·w·(∂_b X + 2 ∂_c m), m = h·Q; the filtered image's gradient is its inverse FFT times D²
  /// (multiplicities are implied by the half-complex inverse), the coordinates' gradient follows by the
  /// adjoints of CTF and projector.
  void gradient(const Complex* data, const ParticleCtf& ctf, const SpectralTerms& terms,
                const Contrast<double>& contrast, const float* coordinates, const float* rotation,
                const float* shift, float* out) {
    const double scale = static_cast<double>(projection_.box) * projection_.box;
    spectral_gradient(spectrum_.size(), data, ctf.wide ? nullptr : ctf.narrow, terms,
                      static_cast<float>(scale * contrast.d_b), static_cast<float>(2 * scale * contrast.d_c),
                      spectrum_.data());
    maker_.transform_back(ctf, spectrum_.data(), image_.data());
    projection::project_one_backward(projection_, amplitudes_, coordinates, rotation, shift, image_.data(),
                                     out);
  }

  const projection::ProjectionSpec& projection_;
  std::span<const float> amplitudes_;
  const SpectralModel& spectral_;
  const LikelihoodOptions& options_;
  const Coefficients& coefficients_;
  SumCollector collector_;
  std::vector<float> image_;
  std::vector<Complex> spectrum_;
  SpectrumMaker maker_;
};

}  // namespace

void evaluate_likelihood(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
                         const SpectralModel& spectral, const LikelihoodOptions& options,
                         const BatchView& batch, const LikelihoodOutput& output) {
  const Coefficients coefficients(spectral, options, batch);
  const std::size_t size = batch.size, chunks = (size + kChunk - 1) / kChunk;
  std::vector<std::vector<ChunkSums>> sums(chunks);
  parallel_ranges(chunks, [&](std::size_t begin, std::size_t end) {
    Worker worker(projection, amplitudes, spectral, options, coefficients);
    for (std::size_t chunk = begin; chunk < end; ++chunk) {
      for (std::size_t i = chunk * kChunk; i < std::min(size, (chunk + 1) * kChunk); ++i)
        worker.score(batch, output, output.sums ? &sums[chunk] : nullptr, static_cast<int>(i));
      worker.flush(sums[chunk]);
    }
  });
  if (!output.sums) return;
  const std::size_t shells = spectral.shells();
  output.sums->assign(spectral.groups() * shells, {});
  for (const auto& chunk : sums)
    for (const auto& part : chunk)
      for (std::size_t s = 0; s < part.shells.size(); ++s)
        (*output.sums)[part.group * shells + s] += part.shells[s];
}

}  // namespace cryoscape::model
