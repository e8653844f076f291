#pragma once
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace cryoscape::latent {

/// A quantity of several chains, recorded sweep by sweep.
class ChainTrace {
 public:
  /// The values (chains) after one more sweep.
  void add(const std::vector<double>& values) { sweeps_.push_back(values); }
  /// Writes NAME_split_r_hat and NAME_autocorrelation_time, in sweeps; a split-R̂ that is not finite is 1e6.
  void report(const std::string& name, nlohmann::json& record) const;

 private:
  std::vector<std::vector<double>> sweeps_;
};

/// The inverse temperature at which bits fit their fields best: maximises Σ ln σ(β o) over β, with o a unit's
/// log odds of being as it is (Besag's pseudo-likelihood). Kept within ± 1000.
double pseudo_likelihood_beta(std::span<const double> log_odds);

}  // namespace cryoscape::latent
