#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cryoscape/latent/dense.hpp"
#include "cryoscape/latent/ising_sampler.hpp"

namespace cryoscape::latent {

/// Where the negative phase of a Boltzmann machine comes from: chains of its own, or an Ising sampler, which
/// gets the machine as it is at every training step. Samples of optimisers and annealers are corrected by
/// Gibbs sweeps at the machine's own temperature: cold ones would make it learn couplings that are too weak.
class NegativeSampler {
 public:
  /// "gibbs": persistent chains; else a name of ising_sampler_names() or external:COMMAND. Throws UsageError
  /// for another one.
  explicit NegativeSampler(const std::string& sampler);
  /// Whether samples come from an Ising sampler.
  bool given() const { return sampler_ != nullptr; }
  /// n states (n, units). Throws Error as draw_samples.
  torch::Tensor draw(const DenseUnits& machine, std::int64_t n, torch::Generator& generator);
  /// Writes the inverse temperature that the last samples fit, raw and corrected, and the sweeps it took.
  void record(nlohmann::json& record) const;

 private:
  std::shared_ptr<const IsingSampler> sampler_;
  nlohmann::json last_;
};

/// Energies of bits as a problem of spins s = 2z − 1, up to a constant.
IsingProblem ising_problem(const DenseUnits& machine);

}  // namespace cryoscape::latent
