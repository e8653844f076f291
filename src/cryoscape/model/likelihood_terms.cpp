#include "cryoscape/model/likelihood_terms.hpp"

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"

namespace cryoscape::model {

Coefficients::Coefficients(const SpectralModel& spectral, const LikelihoodOptions& options,
                           const BatchView& batch)
    : shell_(optics::shell_table(spectral.box())), groups_(spectral.groups()) {
  const int columns = spectral.box() / 2 + 1;
  for (std::size_t f = 0; f < shell_.size(); ++f)
    multiplicity_.push_back(
        static_cast<float>(optics::multiplicity(static_cast<int>(f) % columns, spectral.box())));
  for (int i = 0; i < batch.size; ++i) fill(spectral, options, static_cast<int>(batch.groups[i]));
}

void Coefficients::fill(const SpectralModel& spectral, const LikelihoodOptions& options, int group) {
  auto& g = groups_[group];
  if (!g.weight.empty()) return;
  g.weight.assign(shell_.size(), 0), g.gain.assign(shell_.size(), 0);
  const auto power = spectral.power(group), gain = spectral.gain(group);
  for (std::size_t f = 0; f < shell_.size(); ++f) {
    const int s = shell_[f];
    if (s < 1 || s > spectral.max_shell()) continue;
    g.weight[f] = options.correlation ? 1.0f : 1.0f / power[s];
    g.gain[f] = gain[s];
  }
}

ParticleCtf::ParticleCtf(const BatchView& batch, int box, std::size_t particle)
    : narrow(batch.ctf + optics::half_size(box) * particle),
      wide(batch.wide_ctf ? batch.wide_ctf + optics::half_size(2 * box) * particle : nullptr) {}

void SpectrumMaker::transform(const ParticleCtf& ctf, float* image, std::complex<float>* spectrum) {
  if (ctf.wide) wide_.apply(ctf.wide, image);
  optics::rfft2(box_, image, spectrum);
}

void SpectrumMaker::transform_back(const ParticleCtf& ctf, std::complex<float>* spectrum, float* image) {
  optics::irfft2(box_, spectrum, image);
  if (ctf.wide) wide_.apply(ctf.wide, image);
}

}  // namespace cryoscape::model
