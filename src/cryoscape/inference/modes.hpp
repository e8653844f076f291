#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace cryoscape::inference {

/// Points that ascents of one particle's log posterior ended at.
struct Summits {
  std::size_t dim = 0;
  std::span<const double> values;      ///< (K) ln p(x|z) + ln p(z)
  std::span<const double> points;      ///< (K, d)
  std::span<const double> precisions;  ///< (K, d, d) F + Λ, positive definite

  std::size_t size() const { return values.size(); }
};

/// A posterior as the Gaussians of its modes (Laplace's approximation).
struct PosteriorModes {
  std::vector<std::size_t> summit;  ///< of each mode, the heaviest first
  std::vector<double> mass;         ///< shares of the posterior: e^value (2π)^{d/2} |F + Λ|^−½, sum 1
  std::vector<double> mean;         ///< (d) of the mixture
  std::vector<double> covariance;   ///< (d, d), that between the modes included
};

/// Merges the summits that are one mode and weighs the rest by posterior mass. Two are one where they lie
/// within two standard deviations of each other by either's precision: two equal Gaussians so near have one
/// maximum; the higher one stays. Summits without a finite value are left out; throws std::logic_error if
/// there are no others.
PosteriorModes posterior_modes(const Summits& summits);

}  // namespace cryoscape::inference
