#pragma once
#include "cryoscape/latent/bit_groups.hpp"

namespace cryoscape::latent {

/// q(z|x) of a batch. The first `bits` latents are bits, the others real numbers. All are independent, but
/// for bits in groups: then the logits are the encoder's until `given` makes them those of a draw.
struct Posterior {
  std::int64_t bits = 0;
  torch::Tensor mean;                            ///< (B, d): the bits' logits, then the real latents' means
  torch::Tensor log_std;                         ///< (B, d − bits); undefined where all latents are bits
  std::shared_ptr<const BitGroups> groups = {};  ///< null: independent bits
  /// Of a draw from bits in groups, (B, bits): the probabilities of its bits, given the smoothed ones that
  /// later groups saw.
  torch::Tensor believed = {};

  torch::Tensor logits() const { return mean.narrow(1, 0, bits); }
  torch::Tensor means() const { return mean.narrow(1, bits, mean.size(1) - bits); }
  bool has_reals() const { return mean.size(1) > bits; }
};

/// A draw from q: what the energy is evaluated at and what the decoder gets.
struct Sample {
  torch::Tensor hard;    ///< (B, d): z, with bits in {0, 1}
  torch::Tensor smooth;  ///< (B, d): the same, with smoothed bits in [0, 1], differentiable in the posterior
  /// Of bits in groups, (B, bits): the logits that they were drawn with, and what Posterior calls `believed`.
  torch::Tensor logits = {}, believed = {};
};

/// The posterior whose bits have the logits that a draw from it made for each group, and are independent
/// given those: its entropy and log density are those of the draw. The posterior itself for independent bits.
Posterior given(const Posterior& posterior, const Sample& sample);

/// Which rows of a larger batch a posterior holds: [first, first + rows) of `whole`. Noise is drawn for the
/// whole batch, so that what a row gets does not depend on how the batch is shared out.
struct BatchPart {
  std::int64_t first = 0;
  std::int64_t whole = -1;  ///< -1: the posterior's own number of rows
};

/// Entropy (B) in nats: that of bits plus the differential entropy of real latents.
torch::Tensor entropy(const Posterior& posterior);

/// ln q(z|x) (B) of latents (B, d) with hard bits: a density in the real latents. Differentiable in both.
torch::Tensor log_density(const Posterior& posterior, const torch::Tensor& z);

/// Posterior means (B, d): probabilities of bits, means of real latents. Of bits in groups: of each group
/// given the probabilities of those before.
torch::Tensor expectation(const Posterior& posterior);

/// Posterior standard deviations (B, d).
torch::Tensor deviation(const Posterior& posterior);

/// Standard uniform or normal noise of a shape (B, d) from a generator of its own: the part's rows of the
/// noise of the whole batch.
torch::Tensor uniform_like(const torch::Tensor& shape, torch::Generator& generator,
                           const BatchPart& part = {});
torch::Tensor normal_like(const torch::Tensor& shape, torch::Generator& generator,
                          const BatchPart& part = {});

}  // namespace cryoscape::latent
