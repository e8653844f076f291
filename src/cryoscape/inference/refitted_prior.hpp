#pragma once
#include "cryoscape/inference/prior_refit.hpp"

namespace cryoscape::inference {

/// Writes a run's refitted prior: refitted_prior.pt (the prior's module), refitted_prior_samples.npy (1000
/// draws, d) and refitted_prior.json (the report). The checkpoint stays as it is.
void write_refitted_prior(training::Run& run, const RefitReport& report);

/// Puts the refitted prior of a run's folder into its model, if there is one that is not older than the
/// checkpoint; returns whether. Throws Error for a file that is damaged or of another model.
bool open_refitted_prior(training::Run& run);

}  // namespace cryoscape::inference
