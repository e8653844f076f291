#pragma once
#include <memory>
#include <nlohmann/json.hpp>

#include "cryoscape/latent/options.hpp"
#include "cryoscape/latent/posterior.hpp"
#include "cryoscape/latent/smoothing.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// log Z with bounds that hold (exactly, or in expectation for annealed importance sampling).
struct LogPartition {
  double value = 0, lower = 0, upper = 0;
  bool exact = true;
  double effective_samples = 0;  ///< of the importance weights; 0 where none are used

  /// Whether a likelihood is worth reporting with it: the bracket is at most half a nat wide.
  bool known() const { return upper - lower <= 0.5; }
};

/// Writes log Z into a prior's diagnostics.
void record_partition(const LogPartition& partition, nlohmann::json& diagnostics);
/// The log Z that a prior's diagnostics record; unbounded where it was not finite.
LogPartition partition_of(const nlohmann::json& diagnostics);

/// p(z) = e^{−E(z)}/Z on latents of which the first bits() are bits. The encoder sees cross_entropy (no
/// gradient reaches the prior's own parameters there); the prior is moved by its own contrast, with samples
/// detached. All state is in parameters and buffers, so saving the module saves chains and flags too.
class Prior : public torch::nn::Module {
 public:
  ~Prior() override = default;
  /// Length of z.
  virtual std::int64_t dim() const = 0;
  /// How many latents, the first ones, are bits; the others are real numbers.
  virtual std::int64_t bits() const { return 0; }

  /// A differentiable draw, smoothed for bits; and one with hard bits, for bounds. The posterior may be a
  /// part of a batch.
  Sample draw(const Posterior& posterior, torch::Generator& generator, const BatchPart& part = {}) const {
    return drawn(posterior, generator, part, false);
  }
  Sample draw_hard(const Posterior& posterior, torch::Generator& generator,
                   const BatchPart& part = {}) const {
    return drawn(posterior, generator, part, true);
  }
  /// Whether its bits may have a posterior in groups: `given` a draw, the cross entropy is right then too.
  virtual bool takes_bit_groups() const { return false; }

  /// E_q[E(z)] (B): exact where a formula exists, else at the sample.
  virtual torch::Tensor cross_entropy(const Posterior& posterior, const Sample& sample) const;
  /// −E(ζ) − ln q(ζ|x) (B) at a differentiable draw: what importance-weighted bounds average. Like the cross
  /// entropy it sends no gradient to the prior. Only where draws have a density.
  virtual torch::Tensor log_weight(const Posterior& posterior, const Sample& sample) const;
  /// Whether differentiable draws have a density: real latents do, bits only by some ways of smoothing.
  virtual bool draws_have_density() const { return bits() == 0; }
  /// The prior's own loss, positive minus negative phase, differentiable in its parameters; undefined while
  /// it does not learn.
  virtual torch::Tensor contrast(const Posterior& posterior, const Sample& sample,
                                 torch::Generator& generator) = 0;
  /// Energies (B) of latents (B, d), differentiable in z and in the prior's parameters.
  virtual torch::Tensor energy(const torch::Tensor& z) const = 0;
  /// n draws (n, d).
  virtual torch::Tensor sample(std::int64_t n, torch::Generator& generator) = 0;
  virtual LogPartition log_partition() = 0;

  /// The optimiser for the contrast; null for a prior without parameters.
  virtual std::unique_ptr<torch::optim::Optimizer> make_optimiser() { return nullptr; }
  /// Called once, when the KL weight has reached its value, with posterior means and standard deviations (M,
  /// d) of many particles: priors that need it start here from the aggregate posterior. Rows that are not
  /// finite are left out. Given how much each latent takes part in concerted motions of the molecule,
  /// softest first (d, K ≤ motions()), the first couplings come from those.
  void after_warm_up(const torch::Tensor& means, const torch::Tensor& deviations, torch::Generator& generator,
                     const torch::Tensor& participation = {});
  /// From how many concerted motions the couplings can start; 0: there are no couplings.
  virtual std::int64_t motions() const { return 0; }
  /// What to record at epoch ends.
  virtual nlohmann::json diagnostics();

 protected:
  /// With how bits are smoothed.
  explicit Prior(Smoothing smoothing = {}) : smoothing_(std::move(smoothing)) {}
  const Smoothing& smoothing() const { return smoothing_; }

  /// The energy with the prior's parameters held fixed: gradients reach z only.
  torch::Tensor fixed_energy(const torch::Tensor& z) const;

  /// Smoothed bits (B, bits) from uniform noise ρ, differentiable in the logits.
  virtual torch::Tensor smooth(const torch::Tensor& logits, const torch::Tensor& rho) const {
    return smooth_bits(smoothing_, logits, rho);
  }

  /// The start from the aggregate posterior: at least one row, all finite.
  virtual void start_from(const torch::Tensor&, const torch::Tensor&, torch::Generator&) {}
  /// The same with first couplings along motions; only for priors that have some.
  virtual void start_along(const torch::Tensor&, const torch::Tensor& means, const torch::Tensor& deviations,
                           torch::Generator& generator) {
    start_from(means, deviations, generator);
  }

 private:
  Sample drawn(const Posterior& posterior, torch::Generator& generator, const BatchPart& part,
               bool hard) const;
  Sample bits_from(const Posterior& posterior, const torch::Tensor& rho, bool hard) const;

  Smoothing smoothing_;
};

/// Of a standard normal: E_q[½‖z‖²] (B), and log Z in d dimensions.
torch::Tensor standard_normal_cross_entropy(const Posterior& posterior);
LogPartition standard_normal_log_partition(std::int64_t dim);

/// A tensor's values, for records.
std::vector<double> values_of(const torch::Tensor& tensor);

/// All values of --prior.
std::vector<std::string> prior_kinds();

/// The prior that the options name. Throws Error for an unknown kind, UsageError for a sampler that does not
/// go with it.
std::shared_ptr<Prior> make_prior(const PriorOptions& options, std::uint64_t seed);

}  // namespace cryoscape::latent
