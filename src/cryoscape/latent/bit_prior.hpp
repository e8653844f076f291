#pragma once
#include <optional>

#include "cryoscape/latent/dense.hpp"
#include "cryoscape/latent/prior.hpp"

namespace cryoscape::latent {

/// What priors with latent bits share: how bits are relaxed, densities of relaxed bits, and what the
/// posterior's bits do.
class BitPrior : public Prior {
 public:
  std::int64_t dim() const override { return bits_; }
  std::int64_t bits() const override { return bits_; }

  /// Differentiable draws have a density under a power or Gaussian-integral smoothing, and the prior one of
  /// them when its bits have pair couplings only.
  bool draws_have_density() const override { return smoothing().has_density() && pairwise(); }
  /// Where bits have pair couplings only, and smoothed ones can be told.
  bool takes_bit_groups() const override { return tells_bits(smoothing()) && pairwise(); }
  torch::Tensor log_weight(const Posterior& posterior, const Sample& sample) const override;
  /// With Gaussian-integral smoothing, whose noise differs between prior and posterior, the one-sample
  /// estimate −log_weight + entropy; otherwise that of the bits themselves, which smoothing leaves as it is.
  torch::Tensor cross_entropy(const Posterior& posterior, const Sample& sample) const override;
  /// Besides log Z: active bits, what the kind of prior adds, and under "warning", where there is one, a line
  /// that says what to change.
  nlohmann::json diagnostics() override;

 protected:
  explicit BitPrior(const PriorOptions& options);

  /// E_q[E(z)] (B) of the posterior, or an upper bound on it; without gradient to the prior's parameters.
  virtual torch::Tensor expected_energy(const Posterior& posterior) const = 0;
  /// The bits as a machine with pair couplings, if they are one, detached.
  virtual std::optional<DenseUnits> pairwise() const { return std::nullopt; }
  /// Units that mean-field sweeps update together.
  virtual std::int64_t first_block() const { return bits_ / 2; }

  /// To be called by contrasts: keeps moving averages of what the posterior's bits do.
  void observe(const Posterior& posterior, const Sample& sample);
  /// The bits' part (B, bits) of the positive phase: their probabilities, exact for independent bits; where
  /// draws have a density, which importance weights choose among, the chosen bits; of bits in groups the
  /// drawn ones.
  torch::Tensor positive_bits(const Posterior& posterior, const Sample& sample) const;
  /// Bits whose probability varies between particles, Var_x q_i > 0.05.
  std::int64_t active_bits() const;
  /// What the bits tell about particles, each by itself: Σ Var_x q_i / (2 q̄_i (1 − q̄_i)), nats, the mutual
  /// information to second order. Of noisy images many bits together may tell what none does alone.
  double information() const;
  /// Adds what a kind of prior has to record.
  virtual void describe(nlohmann::json&) {}
  /// Lines that say what to change where, by the record, training has gone wrong.
  virtual std::vector<std::string> warnings(const nlohmann::json& record) const;

  torch::Tensor smooth(const torch::Tensor& logits, const torch::Tensor& rho) const override;

 private:
  bool gaussian() const { return smoothing().kind == "gaussian-integral"; }

  std::int64_t bits_;
  torch::Tensor seen_;          ///< (2, bits): moving averages of q and q²
  torch::Tensor observations_;  ///< how many steps they hold
  torch::Tensor shift_;         ///< δ (bits) of Gaussian-integral noise: the mean of ζ − z
};

/// Biases (n) of probabilities (n), bounded so that no bit starts dead.
torch::Tensor starting_logits(const torch::Tensor& probabilities);

}  // namespace cryoscape::latent
