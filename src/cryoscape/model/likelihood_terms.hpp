#pragma once
#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cryoscape/model/image_likelihood.hpp"
#include "cryoscape/model/spectral_kernel.hpp"
#include "cryoscape/model/wide_ctf.hpp"

/// What all scores of images against predictions share: weights by coefficient, and projections as spectra.
namespace cryoscape::model {

/// Weight and gain of every coefficient, by optics group; groups that a batch lacks are left empty.
class Coefficients {
 public:
  Coefficients(const SpectralModel& spectral, const LikelihoodOptions& options, const BatchView& batch);

  SpectralTerms terms(int group) const {
    return {groups_[group].weight.data(), groups_[group].gain.data(), multiplicity_.data()};
  }
  std::size_t size() const { return shell_.size(); }
  int shell(std::size_t f) const { return shell_[f]; }
  float multiplicity(std::size_t f) const { return multiplicity_[f]; }

 private:
  struct Group {
    std::vector<float> weight, gain;
  };
  void fill(const SpectralModel& spectral, const LikelihoodOptions& options, int group);

  std::vector<std::int32_t> shell_;
  std::vector<float> multiplicity_;
  std::vector<Group> groups_;
};

/// The CTF of one particle: on the image's grid, and where predictions are filtered in a wider box, there.
struct ParticleCtf {
  const float* narrow;
  const float* wide;  ///< null: the CTF acts on the image's grid

  ParticleCtf(const BatchView& batch, int box, std::size_t particle);
};

/// From projections to spectra, with buffers of its own: one per thread.
class SpectrumMaker {
 public:
  explicit SpectrumMaker(int box) : box_(box), wide_(box) {}

  /// spectrum (D, D/2+1) ← FFT of the image (D, D), which a wide CTF filters in place; a narrow one is left
  /// to whoever reads the spectrum.
  void transform(const ParticleCtf& ctf, float* image, std::complex<float>* spectrum);
  /// The adjoint, but for the narrow CTF and a factor of D²: image ← spectrum, which is overwritten.
  void transform_back(const ParticleCtf& ctf, std::complex<float>* spectrum, float* image);

 private:
  int box_;
  WideCtf wide_;
};

}  // namespace cryoscape::model
