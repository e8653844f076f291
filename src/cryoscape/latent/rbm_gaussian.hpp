#pragma once
#include "cryoscape/latent/rbm.hpp"

namespace cryoscape::latent {

/// Bits that choose a basin and real latents that move within it: p(z, y) = p_RBM(z) Π N(y_k; μ_k(z),
/// σ_k(z)), μ(z) = m + zM and ln σ(z) = s + zS, with the reals' normal densities, so that log Z is the bits'.
/// The cross entropy is exact for a factorised posterior: E_q[(y − μ)²/σ²] under tilted probabilities of the
/// bits.
class RbmWithGaussians : public RestrictedBoltzmann {
 public:
  RbmWithGaussians(const PriorOptions& options, std::uint64_t seed);
  std::int64_t dim() const override { return bits() + reals_; }
  torch::Tensor energy(const torch::Tensor& z) const override;
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;

 protected:
  torch::Tensor expected_energy(const Posterior& posterior) const override;
  /// The reals' density is conditional on hard bits.
  std::optional<DenseUnits> pairwise() const override { return std::nullopt; }
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;

 private:
  /// μ(z) and ln σ(z) and what they depend on.
  struct Basins {
    torch::Tensor mean, log_std;                ///< (k)
    torch::Tensor mean_by_bit, log_std_by_bit;  ///< (bits, k)
    Basins detach() const {
      return {mean.detach(), log_std.detach(), mean_by_bit.detach(), log_std_by_bit.detach()};
    }
  };
  Basins preconditioned() const;
  static torch::Tensor expected_reals(const Basins& basins, const Posterior& posterior);

  std::int64_t reals_;
  Basins basins_;
};

}  // namespace cryoscape::latent
