#pragma once
#include <optional>

#include "cryoscape/inference/prior_refit.hpp"

namespace cryoscape::inference {

/// Writes what was fitted to a run: refitted_prior.pt (the prior's kind and module, and the reference),
/// refitted_prior_samples.npy (1000 draws, d) and refitted_prior.json (the report). The checkpoint stays as
/// it is.
void write_refitted_prior(const training::Run& run, const RefittedPrior& refitted);

/// Removes these files, as a refit that is not done must leave none behind.
void remove_refitted_prior(const training::RunFolder& folder);

/// What of it later commands need, all but the report, and the log says so. Nothing where the run's folder
/// has none, or one that is older than the checkpoint. Throws Error for a file that is damaged or of another
/// model.
std::optional<RefittedPrior> open_refitted_prior(const training::Run& run);

/// The file of 1000 draws that belongs to the density that later commands take: refitted_prior_samples.npy
/// or, without a refit, prior_samples.npy.
std::string density_samples(const training::Run& run);

/// Refits a run's density on the likelihoods that refine_run left in its folder, writes it, and adds "refit"
/// to refine.json and to `summary`, which is what refine_run returned. Where there is nothing to refit, says
/// why in one line and in "refit": {"skipped": why}. Throws Interrupted.
void refit_refined(training::Run& run, const RefitOptions& options, nlohmann::ordered_json& summary);

}  // namespace cryoscape::inference
