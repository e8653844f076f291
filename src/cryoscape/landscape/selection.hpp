#pragma once
#include <string>
#include <vector>

#include "cryoscape/landscape/mixture.hpp"

namespace cryoscape::landscape {

/// What a number of Gaussians scored: BIC (lower is better) or mean held-out log-likelihood per particle
/// (higher is better).
struct Score {
  std::size_t components = 0;
  double score = 0;
};

struct Selection {
  Mixture mixture;
  std::vector<Score>
      scores;  ///< of the numbers that were tried: 1, 2, … up to the third in a row without improvement
};

/// The mixture with the best number of Gaussians up to `most`, by "bic" or by "cross-validation" in 5 folds.
Selection select_mixture(const Points& points, const std::string& criterion, std::size_t most,
                         std::uint64_t seed);

/// The best mixture of exactly K Gaussians, grown one by one.
Mixture exact_mixture(const Points& points, std::size_t components, std::uint64_t seed);

}  // namespace cryoscape::landscape
