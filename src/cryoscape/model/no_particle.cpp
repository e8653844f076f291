#include "cryoscape/model/no_particle.hpp"

#include <cmath>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::model {
namespace {

/// Calls visit(f, shell, multiplicity) for every half-complex coefficient that takes part in likelihoods.
template <class Visit>
void for_coefficients(const SpectralModel& spectral, std::span<const std::int32_t> shell, Visit&& visit) {
  const int columns = spectral.box() / 2 + 1;
  for (std::size_t f = 0; f < shell.size(); ++f)
    if (shell[f] >= 1 && shell[f] <= spectral.max_shell())
      visit(f, shell[f], optics::multiplicity(static_cast<int>(f) % columns, spectral.box()));
}

/// ln p of Gaussian noise with the variance that variance(f, shell) gives, of image i.
template <class Variance>
float gaussian_likelihood(const SpectralModel& spectral, std::span<const std::int32_t> shell,
                          const BatchView& batch, std::size_t i, Variance&& variance) {
  const int group = static_cast<int>(batch.groups[i]);
  const auto power = spectral.power(group);
  const auto* data = batch.spectra + optics::half_size(spectral.box()) * i;
  double sum = 0;
  for_coefficients(spectral, shell, [&](std::size_t f, int s, int multiplicity) {
    if (data[f] == std::complex<float>()) return;  // never measured
    const double v = variance(f, s), noise = power[s];
    sum += multiplicity * (std::norm(data[f]) / v + (v == noise ? 0 : std::log(v / noise)));
  });
  return static_cast<float>(spectral.log_normaliser(group) - 0.5 * sum);
}

}  // namespace

void no_particle_likelihood(const SpectralModel& spectral, const BatchView& batch,
                            std::span<float> log_likelihood) {
  const auto shell = optics::shell_table(spectral.box());
  parallel_for(static_cast<std::size_t>(batch.size), [&](std::size_t i) {
    const auto noise = spectral.power(static_cast<int>(batch.groups[i]));
    log_likelihood[i] =
        gaussian_likelihood(spectral, shell, batch, i, [&](std::size_t, int s) { return double{noise[s]}; });
  });
}

void add_ctf_power(const SpectralModel& spectral, const BatchView& batch, std::span<double> sums) {
  const auto shell = optics::shell_table(spectral.box());
  for (int i = 0; i < batch.size; ++i) {
    const auto* ctf = batch.ctf + optics::half_size(spectral.box()) * static_cast<std::size_t>(i);
    const auto first = static_cast<std::size_t>(batch.groups[i] * spectral.shells());
    for_coefficients(spectral, shell, [&](std::size_t f, int s, int multiplicity) {
      sums[first + static_cast<std::size_t>(s)] += multiplicity * double{ctf[f]} * ctf[f];
    });
  }
}

std::vector<double> molecule_power(const SpectralModel& spectral, std::span<const SpectralSums> sums,
                                   std::span<const double> ctf_power) {
  const auto shells = static_cast<std::size_t>(spectral.shells());
  std::vector<double> power(shells, 0.0), ctf(shells, 0.0);
  for (std::size_t k = 0; k < sums.size(); ++k)
    power[k % shells] += sums[k].prediction_power, ctf[k % shells] += ctf_power[k];
  for (std::size_t s = 0; s < shells; ++s) power[s] = ctf[s] > 0 ? power[s] / ctf[s] : 0;
  return power;
}

void other_object_likelihood(const SpectralModel& spectral, const BatchView& batch,
                             std::span<const double> power, std::span<float> log_likelihood) {
  const auto shell = optics::shell_table(spectral.box());
  parallel_for(static_cast<std::size_t>(batch.size), [&](std::size_t i) {
    const int group = static_cast<int>(batch.groups[i]);
    const auto noise = spectral.power(group), gain = spectral.gain(group);
    const auto* ctf = batch.ctf + optics::half_size(spectral.box()) * i;
    log_likelihood[i] = gaussian_likelihood(spectral, shell, batch, i, [&](std::size_t f, int s) {
      const double amplitude = double{gain[s]} * ctf[f];
      return noise[s] + amplitude * amplitude * power[static_cast<std::size_t>(s)];
    });
  });
}

}  // namespace cryoscape::model
