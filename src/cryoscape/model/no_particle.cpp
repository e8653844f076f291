#include "cryoscape/model/no_particle.hpp"

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::model {

void no_particle_likelihood(const SpectralModel& spectral, const BatchView& batch,
                            std::span<float> log_likelihood) {
  const int box = spectral.box(), columns = box / 2 + 1;
  const auto shell = optics::shell_table(box);
  parallel_for(static_cast<std::size_t>(batch.size), [&](std::size_t i) {
    const int group = static_cast<int>(batch.groups[i]);
    const auto power = spectral.power(group);
    const auto* data = batch.spectra + optics::half_size(box) * i;
    double sum = 0;
    for (std::size_t f = 0; f < shell.size(); ++f) {
      if (shell[f] < 1 || shell[f] > spectral.max_shell()) continue;
      const double weight = optics::multiplicity(static_cast<int>(f) % columns, box) / power[shell[f]];
      sum += weight * std::norm(data[f]);
    }
    log_likelihood[i] = static_cast<float>(spectral.log_normaliser(group) - 0.5 * sum);
  });
}

}  // namespace cryoscape::model
