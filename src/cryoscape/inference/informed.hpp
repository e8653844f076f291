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

/// Orthonormal directions W (r, d), r ≥ 1, outside of which likelihoods say nothing, as informed_part leaves
/// them: each depends on W z only.
Eigen::MatrixXd informed_directions(const Expansions& expansions);

/// Such likelihoods as ones of y = W z (r): fits to these are the same and take less time.
Expansions along(const Expansions& expansions, const Eigen::MatrixXd& directions);

}  // namespace cryoscape::inference
