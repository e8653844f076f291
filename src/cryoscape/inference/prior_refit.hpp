#pragma once
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/gaussian_mixture.hpp"
#include "cryoscape/latent/prior.hpp"
#include "cryoscape/training/run.hpp"
#include "cryoscape/util/options.hpp"

namespace cryoscape::inference {

/// How priors are refitted on stored likelihoods.
struct RefitOptions {
  int rounds = 20, steps = 200, draws = 64;
  double held_out = 0.1;
  int seed = 0;                       ///< no option: the run's
  std::vector<std::uint32_t> groups;  ///< no option: particle of each row of the set; empty: rows differ

  void declare(OptionSet& set);
};

/// A mean over held-out particles with its standard error, in nats.
struct HeldOutMean {
  double value = 0, error = 0;
};

/// What a refit found. Evidence is ln ∫ p(x|z) p(z) dz − ln p(x|no particle), per particle.
struct RefitReport {
  std::size_t particles = 0, held_out_particles = 0;
  int rounds = 0;              ///< of the steps kept; 0: the prior stayed as it was, or was fitted exactly
  bool changed = false;        ///< whether the prior was
  HeldOutMean before, after;   ///< evidence of held-out particles
  HeldOutMean gain;            ///< their paired difference
  double training = 0;         ///< mean evidence of the other particles, after
  double effective_draws = 0;  ///< mean effective share of a particle's draws under the prior, after
  latent::LogPartition partition;
  /// Only on expansions: components of the mixture that is fitted exactly, the reference for all priors, and
  /// how much more evidence the refitted prior has than it.
  std::optional<std::size_t> reference_components;
  std::optional<HeldOutMean> over_reference;
};
nlohmann::json to_json(const RefitReport& report);

/// Fits a prior over real latents to the population: maximises Σ_i ln ∫ p(x_i|z) p(z) dz, so that the noise
/// of single particles is taken out. A Gaussian mixture is fitted exactly first (`grow_mixture`, on the
/// particles that are not held out); a `mixture` prior takes it over. Others start anew from posterior draws
/// under it and follow their own contrast on posterior draws under themselves, reweighted every round, until
/// the held-out evidence rises no more (Monte Carlo expectation maximisation); the best round stays. A prior
/// without parameters is only assessed. Throws Error for a prior with bits and for likelihoods that are not
/// finite.
RefitReport refit_prior(latent::Prior& prior, const Expansions& expansions, const RefitOptions& options);

/// The same for any prior on stored draws: maximises Σ_i ln Σ_k p(x_i|z_ik) p(z_ik)/q(z_ik|x_i), going on
/// from the prior as it is.
RefitReport refit_prior(latent::Prior& prior, const ScoredDraws& draws, const RefitOptions& options);

/// A density of a run's latents, apart from the prior that it was trained with.
struct RefittedPrior {
  latent::PriorOptions options;
  std::shared_ptr<latent::Prior> prior;
  GaussianMixture reference;  ///< what was fitted exactly, to real latents; empty for those with bits
  RefitReport report;
};

/// The same for the population of a run; particles that share an image are held out together. The prior of
/// the run stays as it is. On expansions a new prior of the run's kind is fitted, or, where that is
/// `gaussian`, which has nothing to fit, a mixture; it is the run's own again where the held-out evidence is
/// lower or its log Z not known. Throws Error for a run whose restraints belong to its prior.
RefittedPrior refit_prior(training::Run& run, const Expansions& expansions, const RefitOptions& options);
RefittedPrior refit_prior(training::Run& run, const ScoredDraws& draws, const RefitOptions& options);

/// Whether the prior is the reference itself, not a prior of another kind or the run's own.
bool is_reference(const RefittedPrior& refitted);

/// A density that is broader than one fitted, which posteriors under any prior fitted beside it can be drawn
/// by.
GaussianMixture proposal_of(const GaussianMixture& reference);

/// A run's stored expansions, with what they say of idle directions left out (informed_part): what its prior
/// is to be refitted on. Throws Error where there are none.
Expansions informed_expansions(training::Run& run);

/// The first particle with the same image, of every particle: symmetry expansion repeats images.
std::vector<std::uint32_t> image_groups(const particles::ParticleSet& set);

}  // namespace cryoscape::inference
