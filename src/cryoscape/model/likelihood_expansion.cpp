#include "cryoscape/model/likelihood_expansion.hpp"

#include <cmath>
#include <vector>

#include "cryoscape/model/contrast.hpp"
#include "cryoscape/model/likelihood_terms.hpp"
#include "cryoscape/model/spectral_gram.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::model {
namespace {

using Complex = std::complex<float>;

/// Expands one structure after another with buffers of its own: one per thread.
class Expander {
 public:
  Expander(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
           const LikelihoodOptions& options, const Coefficients& coefficients, int directions)
      : projection_(projection),
        amplitudes_(amplitudes),
        options_(options),
        coefficients_(coefficients),
        directions_(directions),
        pixels_(static_cast<std::size_t>(projection.box) * projection.box),
        images_(static_cast<std::size_t>(directions + 1) * pixels_),
        spectra_(static_cast<std::size_t>(rows()) * coefficients.size()),
        of_data_(coefficients.size()),
        of_prediction_(coefficients.size()),
        gram_(static_cast<std::size_t>(rows()) * rows()),
        maker_(projection.box) {}

  void expand(const BatchView& batch, const ExpansionPoints& points, const ExpansionOutput& output, int i) {
    whiten(batch, points, i);
    gram(rows(), 2 * coefficients_.size(), reinterpret_cast<const float*>(spectra_.data()), gram_.data());
    // Without Σ|x|²/S and the normaliser the score is the ratio to a prediction of 0.
    const auto contrast = score_gaussian(0.0, product(kData, kPrediction), product(kPrediction, kPrediction),
                                         options_.contrast_sd, 0.0);
    if (output.log_ratio) output.log_ratio[i] = static_cast<float>(contrast.score);
    if (output.contrast) output.contrast[i] = static_cast<float>(contrast.mean);
    const auto d = static_cast<std::ptrdiff_t>(directions_);
    if (output.score) write_score(contrast, output.score + d * i);
    if (output.information) write_information(contrast, output.information + d * d * i);
  }

 private:
  static constexpr int kData = 0, kPrediction = 1, kTangent = 2;  ///< rows of spectra_ and gram_

  int rows() const { return directions_ + kTangent; }
  double product(int i, int j) const { return gram_[static_cast<std::size_t>(i) * rows() + j]; }
  Complex* spectrum(int row) { return spectra_.data() + coefficients_.size() * row; }

  /// Data, prediction and tangents in spectra_, so that their plain products are those over the noise.
  void whiten(const BatchView& batch, const ExpansionPoints& points, int i) {
    const std::size_t beads = amplitudes_.size(), half = coefficients_.size();
    const std::size_t particle = points.particle ? points.particle[i] : i;
    const float *rotation = batch.rotations + 9 * particle, *shift = batch.shifts + 2 * particle;
    const float* coordinates = points.coordinates + 3 * beads * i;
    const ParticleCtf ctf(batch, projection_.box, particle);
    const Complex* data = batch.spectra + half * particle;
    projection::project_one(projection_, amplitudes_, coordinates, rotation, shift, images_.data());
    if (directions_ > 0)
      projection::project_one_tangents(projection_, amplitudes_, coordinates, rotation, shift, directions_,
                                       points.displacements + 3 * beads * directions_ * i,
                                       images_.data() + pixels_);
    whitening_factors(half, data, ctf.wide ? nullptr : ctf.narrow,
                      coefficients_.terms(static_cast<int>(batch.groups[particle])), of_data_.data(),
                      of_prediction_.data());
    std::copy_n(data, half, spectrum(kData));
    multiply(half, of_data_.data(), spectrum(kData));
    for (int k = 0; k <= directions_; ++k) {
      auto* const to = spectrum(kPrediction + k);
      maker_.transform(ctf, images_.data() + pixels_ * k, to);
      multiply(half, of_prediction_.data(), to);
    }
  }

  void write_score(const Contrast<double>& contrast, float* score) const {
    const double square = contrast.mean * contrast.mean + contrast.variance;
    for (int k = 0; k < directions_; ++k)
      score[k] = static_cast<float>(contrast.mean * product(kData, kTangent + k) -
                                    square * product(kPrediction, kTangent + k));
  }

  void write_information(const Contrast<double>& contrast, float* information) const {
    const double c = product(kPrediction, kPrediction), shape = contrast.mean * contrast.mean;
    const double along = c > 0 ? (scale_information(c, contrast.variance) / c - shape) / c : 0;
    for (int i = 0; i < directions_; ++i)
      for (int j = 0; j < directions_; ++j)
        information[i * directions_ + j] = static_cast<float>(shape * product(kTangent + i, kTangent + j) +
                                                              along * product(kPrediction, kTangent + i) *
                                                                  product(kPrediction, kTangent + j));
  }

  /// Of a factor on the prediction, near 1: c where the contrast is known, τ + 2 where the image shows it.
  double scale_information(double c, double variance) const {
    if (options_.contrast_sd <= 0) return c;
    const double precision = 1 / (options_.contrast_sd * options_.contrast_sd);
    return c * variance * (precision + 2 * c * variance);
  }

  const projection::ProjectionSpec& projection_;
  std::span<const float> amplitudes_;
  const LikelihoodOptions& options_;
  const Coefficients& coefficients_;
  int directions_;
  std::size_t pixels_;
  std::vector<float> images_;  ///< (1 + d, D, D): projection and tangents
  std::vector<Complex> spectra_;
  std::vector<float> of_data_, of_prediction_;
  std::vector<double> gram_;
  SpectrumMaker maker_;
};

}  // namespace

void expand_likelihood(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
                       const SpectralModel& spectral, const LikelihoodOptions& options,
                       const BatchView& batch, const ExpansionPoints& points, const ExpansionOutput& output) {
  const Coefficients coefficients(spectral, options, batch);
  parallel_ranges(points.size, [&](std::size_t begin, std::size_t end) {
    Expander expander(projection, amplitudes, options, coefficients, points.directions);
    for (std::size_t i = begin; i < end; ++i) expander.expand(batch, points, output, static_cast<int>(i));
  });
}

}  // namespace cryoscape::model
