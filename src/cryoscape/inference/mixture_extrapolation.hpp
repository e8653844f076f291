#pragma once
#include "cryoscape/inference/gaussian_mixture.hpp"

namespace cryoscape::inference {

/// Where two steps of expectation maximisation, start → first → second, lead to: the squared extrapolation of
/// Varadhan and Roland (Scand. J. Statist. 2008, scheme S3) of ln weights, means and ln covariances, so that
/// weights stay positive and sum to 1, and covariances stay positive definite.
GaussianMixture extrapolated(const GaussianMixture& start, const GaussianMixture& first,
                             const GaussianMixture& second);

}  // namespace cryoscape::inference
