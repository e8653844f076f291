#pragma once
#include "cryoscape/latent/gbrbm_density.hpp"
#include "cryoscape/latent/mixture_density.hpp"
#include "cryoscape/latent/negative_sampler.hpp"
#include "cryoscape/latent/prior.hpp"

/// The concrete priors behind make_prior.
namespace cryoscape::latent {

/// ½‖z‖².
class GaussianPrior : public Prior {
 public:
  explicit GaussianPrior(const PriorOptions& options) : dim_(options.dim) {}
  std::int64_t dim() const override { return dim_; }
  torch::Tensor cross_entropy(const Posterior& posterior, const Sample& sample) const override;
  torch::Tensor contrast(const Posterior&, const Sample&, torch::Generator&) override { return {}; }
  torch::Tensor energy(const torch::Tensor& z) const override { return 0.5 * z.pow(2).sum(1); }
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  LogPartition log_partition() override;

 private:
  std::int64_t dim_;
};

/// −log Σ_k π_k N(z; μ_k, Σ_k), covariances through the Cholesky factor of the precision, conditional
/// standard deviations bounded below by a quarter of the median posterior's. A standard normal until
/// after_warm_up, which starts it from k-means.
class MixturePrior : public Prior {
 public:
  /// What the components' covariances are: any, or diagonal.
  enum class Covariance { kFull, kDiagonal };
  explicit MixturePrior(const PriorOptions& options)
      : MixturePrior(options.dim, options.components, Covariance::kFull) {}
  MixturePrior(std::int64_t dim, std::int64_t components, Covariance covariance);
  std::int64_t dim() const override { return dim_; }
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor energy(const torch::Tensor& z) const override;
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  LogPartition log_partition() override { return {}; }
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;
  nlohmann::json diagnostics() override;

  MixtureParameters density() const;
  std::int64_t components() const { return components_; }
  /// Takes a density fitted elsewhere, of at most components() components; those beyond it get no weight.
  /// Only with full covariances.
  void set_density(const MixtureParameters& density);

 private:
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;
  bool active() const { return active_.item<float>() != 0; }

  std::int64_t dim_, components_;
  torch::Tensor logits_, means_, log_scale_, lower_, floor_, active_;  // no lower: diagonal
};

/// Gaussian–Bernoulli RBM with hidden bits summed out: E(z) = ½‖(z−b)/σ‖² − Σ_j softplus(c_j + (Wᵀ(z/σ))_j),
/// a mixture of 2^m Gaussians with shared structure, held as GbrbmParameters.
/// Contrast and log Z are exact up to 20 hidden bits; above, persistent block Gibbs and annealed importance
/// sampling. With an Ising sampler the hidden bits of the negative phase are its samples. A standard normal
/// until after_warm_up.
class GaussianBernoulliRbm : public Prior {
 public:
  GaussianBernoulliRbm(const PriorOptions& options, std::uint64_t seed);
  std::int64_t dim() const override { return dim_; }
  torch::Tensor cross_entropy(const Posterior& posterior, const Sample& sample) const override;
  torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                         torch::Generator& generator) override;
  torch::Tensor energy(const torch::Tensor& z) const override;
  torch::Tensor sample(std::int64_t n, torch::Generator& generator) override;
  LogPartition log_partition() override;
  std::unique_ptr<torch::optim::Optimizer> make_optimiser() override;
  nlohmann::json diagnostics() override;
  std::int64_t motions() const override { return hidden_; }

  GbrbmParameters density() const { return {b_, log_sigma_, fields_, w_}; }
  /// Block Gibbs sweeps z → h → z of z (n, d).
  torch::Tensor gibbs(torch::Tensor z, int sweeps, torch::Generator& generator) const;
  /// log Z by annealing, for any number of hidden bits, from samples (n, d) in equilibrium.
  LogPartition annealed_bracket(const torch::Tensor& equilibrated, int temperatures,
                                torch::Generator& generator) const;

 private:
  void start_from(const torch::Tensor& means, const torch::Tensor& deviations,
                  torch::Generator& generator) override;
  /// Every hidden bit moves the latents one standard deviation along a motion.
  void start_along(const torch::Tensor& participation, const torch::Tensor& means,
                   const torch::Tensor& deviations, torch::Generator& generator) override;
  void activate(const torch::Tensor& points, torch::Generator& generator);
  bool active() const { return active_.item<float>() != 0; }
  bool exact() const { return hidden_ <= kGbrbmExactBits; }
  torch::Tensor sampler_draws(torch::Generator& generator);

  std::int64_t dim_, hidden_;
  int sweeps_;
  NegativeSampler sampler_;
  std::int64_t draws_;  ///< of the sampler, per step
  torch::Tensor b_, log_sigma_, fields_, w_, active_;
  // Above 20 bits only: Markov chains (n, d), running energy of data, steps of the optimiser.
  torch::Tensor chains_, positive_, steps_;
};

}  // namespace cryoscape::latent
