#pragma once
#include <span>
#include <vector>

#include "cryoscape/model/image_likelihood.hpp"

namespace cryoscape::model {

/// ln p(x|no particle) of a batch's images, nats (size): the Gaussian likelihood of noise alone,
///   −½ Σ_f [ |X|²/S + ln 2πS ],
/// over the same coefficients as evaluate_likelihood, which it parts from by the evidence that the image
/// holds what was predicted.
void no_particle_likelihood(const SpectralModel& spectral, const BatchView& batch,
                            std::span<float> log_likelihood);

/// Mean |F|² (shells) of the molecule's Fourier transform, from predictions: their power, as SpectralSums has
/// it for each group and shell, over the power of their CTFs (groups × shells), summed over the same images.
std::vector<double> molecule_power(const SpectralModel& spectral, std::span<const SpectralSums> sums,
                                   std::span<const double> ctf_power);

/// Σ CTF² of a batch's images (groups × shells), added to `sums`, columns counted with their multiplicity.
void add_ctf_power(const SpectralModel& spectral, const BatchView& batch, std::span<double> sums);

/// ln p(x|another object) of a batch's images, nats (size): of an object about which nothing is known but
/// that its power is that of the molecule, a Gaussian of variance S + P with P = h² CTF² |F|², `power` as
/// molecule_power gives it.
void other_object_likelihood(const SpectralModel& spectral, const BatchView& batch,
                             std::span<const double> power, std::span<float> log_likelihood);

}  // namespace cryoscape::model
