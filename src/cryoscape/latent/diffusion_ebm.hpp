#pragma once
#include <vector>

#include "cryoscape/latent/langevin.hpp"
#include "cryoscape/latent/network.hpp"
#include "cryoscape/latent/prior.hpp"
#include "cryoscape/latent/whitening.hpp"

namespace cryoscape::latent {

/// Energies along a diffusion of whitened latents u_0 = u towards noise, u_{t+1} = a_t u_t + √(1 − a_t²) ξ:
/// E_t(u) = ½‖u‖² − f(u, t), t < T, with f(·, T) = 0, and conditionals p(u_t | u_{t+1}) ∝ e^{f(u_t, t)}
/// N(u_t; a_t u_{t+1}, 1 − a_t²), an energy with a Gaussian pull (recovery likelihood: Gao et al. 2021; in
/// latent space, LSD-EBM 2024). Energies of neighbouring levels agree where e^{f(u, t+1)} is the mean of
/// e^{f(·, t)} under the pull, so f(·, t+1) serves as the learned log normaliser of the conditionals below
/// it: −ln p(u_t | u_{t+1}) ≤ −f(u_t, t) + f(u_{t+1}, t+1) + e^{−f(u_{t+1}, t+1)} ⟨e^{f(·, t)}⟩ − 1. The sum
/// over levels is E_0 but for these last terms, which vanish where the levels agree. The energy of a latent
/// is E_0. A standard normal until after_warm_up.
class DiffusionEbmPrior : public Prior {
 public:
  DiffusionEbmPrior(const PriorOptions& options, std::uint64_t seed);
  std::int64_t dim() const override { return dim_; }
  torch::Tensor cross_entropy(const Posterior& posterior, const Sample& sample) const override;
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor energy(const torch::Tensor& z) const override;
  /// From noise, level by level, by Langevin steps of the conditionals.
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  /// By annealed importance sampling along the levels.
  LogPartition log_partition() override;
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;
  nlohmann::json diagnostics() override;

 private:
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;
  bool active() const { return active_.item<float>() != 0; }
  std::int64_t levels() const { return static_cast<std::int64_t>(signal_.size()) - 1; }
  /// a_t.
  double kept(std::int64_t level) const;
  /// f (B) of points (B, d) at levels (B) int64.
  torch::Tensor potential(const torch::Tensor& u, const torch::Tensor& levels) const;
  /// E_t of one level.
  EnergyFunction level_energy(std::int64_t level) const;
  /// Draws of p(u_t | u_{t+1}).
  torch::Tensor denoise(const torch::Tensor& noisier, std::int64_t level, torch::Generator& generator) const;
  torch::Tensor unit_sample(std::int64_t n, torch::Generator& generator) const;

  std::int64_t dim_;
  std::vector<double> signal_;  ///< u_t = signal u_0 + noise
  std::shared_ptr<Network> network_;
  std::shared_ptr<Whitening> whitening_;
  torch::Tensor active_, steps_;
  torch::Tensor means_;  ///< running means of energy and disagreement
};

}  // namespace cryoscape::latent
