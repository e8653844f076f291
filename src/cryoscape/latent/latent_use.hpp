#pragma once
#include <span>
#include <vector>

#include "cryoscape/latent/posterior.hpp"

namespace cryoscape::latent {

/// How much of its latents a model uses, from the posteriors of many particles.
class LatentUse {
 public:
  LatentUse(std::int64_t bits, std::int64_t dim);

  void add(const Posterior& posterior);
  /// Latents that tell particles apart: bits whose probability varies over particles by more than 0.05, real
  /// latents whose means make up more than 1 % of their variance (Burda, Grosse, Salakhutdinov 2016).
  int active() const;
  std::int64_t dim() const { return dim_; }

  /// Sums over particles, which add up over processes.
  std::span<double> sums() { return sums_; }

 private:
  std::int64_t bits_, dim_;
  std::vector<double> sums_;  ///< count; then of every latent: mean, its square, variance
};

}  // namespace cryoscape::latent
