#pragma once
#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/gaussian_mixture.hpp"

namespace cryoscape::inference {

/// The likelihoods with what they say along idle directions of latent space left out: those in which the mean
/// information of an entry is below a tenth of the inverse variance of `density`. There all particles share
/// tiny slopes, which a fit without a prior would follow many standard deviations away, to where the
/// expansions hold no more and the decoder was never trained. Score and information vanish along them; a
/// density that is fitted keeps what it started with.
Expansions informed_part(Expansions expansions, const GaussianComponent& density);

}  // namespace cryoscape::inference
