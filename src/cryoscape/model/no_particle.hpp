#pragma once
#include <span>

#include "cryoscape/model/image_likelihood.hpp"

namespace cryoscape::model {

/// ln p(x|no particle) of a batch's images, nats (size): the Gaussian likelihood of noise alone,
///   −½ Σ_f [ |X|²/S + ln 2πS ],
/// over the same coefficients as evaluate_likelihood, which it parts from by the evidence that the image
/// holds what was predicted.
void no_particle_likelihood(const SpectralModel& spectral, const BatchView& batch,
                            std::span<float> log_likelihood);

}  // namespace cryoscape::model
