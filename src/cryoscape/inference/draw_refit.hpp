#pragma once
#include <vector>

#include "cryoscape/inference/prior_refit.hpp"
#include "cryoscape/inference/refit_draws.hpp"

namespace cryoscape::inference {

/// Energies (M) of draws under a prior.
std::vector<double> energies_of(const latent::Prior& prior, const RefitDraws& draws);

/// Evidence of every particle under a prior, and with it what the prior's log Z is.
struct Evidence {
  std::vector<double> particles;
  std::vector<double> energies;  ///< (M) of the draws
  latent::LogPartition partition;
};
Evidence evidence_of(latent::Prior& prior, const RefitDraws& draws);

/// Mean with standard error of the values that are held out; of all, where none are.
HeldOutMean held_out_mean(const std::vector<double>& values, const std::vector<char>& out);

/// Moves a prior by its own contrast on draws, those of particles that are not held `out`, in rounds: shares
/// of the draws under the prior as it is, then steps on draws picked by them. Leaves the prior as it was in
/// the round with most held-out evidence; returns that round, 0 being the start.
int move_on_draws(latent::Prior& prior, const RefitDraws& draws, const std::vector<char>& out,
                  const RefitOptions& options);

/// Fills all but the reference from the evidence before and after.
void assess(RefitReport& report, const RefitDraws& draws, const std::vector<char>& out,
            const Evidence& before, const Evidence& after);

}  // namespace cryoscape::inference
