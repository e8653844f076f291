#pragma once
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/report/held_out.hpp"
#include "cryoscape/report/path_scores.hpp"
#include "cryoscape/report/run_record.hpp"
#include "cryoscape/report/sample_quality.hpp"
#include "cryoscape/report/state_match.hpp"
#include "cryoscape/report/truth_data.hpp"

namespace cryoscape::report {

/// How a run compares with the truth. Distances in Å after superposition, over up to 20,000 evenly chosen
/// particles that are usable and no junk; nothing where the truth has no states, or where it has a single
/// model.
struct TruthScores {
  std::size_t particles = 0;  ///< that structures were compared for
  std::optional<double> median_rmsd, mean_rmsd;
  /// Of the best single structure for all particles; of the best structure for each true state.
  std::optional<double> median_rmsd_one_structure, median_rmsd_structure_per_state;
  std::optional<double> path_error;  ///< median |ŝ − s|, s ∈ [0, 1]
  std::optional<double> path_correlation_within_state;
  PathScores path;                         ///< of the likelihoods along the path
  std::optional<double> population_error;  ///< percentage points; nothing before `landscape`
  std::optional<double> state_ari;  ///< of usable particles that are no junk; nothing before `landscape`
  /// Of junk among all particles, by the evidence ratio; of the prior's energy before `landscape`. The same
  /// of either kind of junk among molecules. Nothing where there is none.
  std::optional<double> outlier_auc, outlier_auc_noise, outlier_auc_wrong_molecule;
  std::optional<double> outlier_auc_energy;  ///< by the prior's energy
  std::vector<StateScore> states;            ///< true states; empty before `landscape`
};

/// What is known of a run.
struct RunScores {
  std::filesystem::path run;  ///< as given
  std::string prior;
  std::optional<double> held_out_bound;                ///< nats per particle
  std::optional<std::array<double, 2>> log_partition;  ///< lower, upper
  std::optional<double> images_per_second;
  std::optional<LatentRecord> latents;
  HeldOut held_out;
  std::optional<SampleQuality> samples;  ///< of structures drawn from the prior; only with truth
  std::optional<std::vector<FoundState>>
      found;  ///< matched to the true states where there are any; nothing before `landscape`
  std::optional<TruthScores> truth;
};

/// Reads a run's records and, with truth, decodes its particles in batches and compares them; without,
/// particles and model are not opened. Throws Error for a folder that is no run, one whose training has not
/// finished (with truth), truth of other particles or of another number of beads.
RunScores score_run(const std::filesystem::path& run, const std::optional<TruthData>& truth);

}  // namespace cryoscape::report
