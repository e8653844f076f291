#pragma once
#include <optional>
#include <span>
#include <vector>

#include "cryoscape/inference/population_table.hpp"
#include "cryoscape/report/run_record.hpp"
#include "cryoscape/report/truth_data.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::report {

/// What the likelihoods along a path say, against the truth; nothing before `landscape` has tabulated them
/// along the simulated models, or where the truth has a single model. F and positions are compared as they
/// stand: the path must be that of the same models.
struct PathScores {
  std::optional<double> ml_error_over_bound;           ///< ml_error_over_bound()
  std::optional<double> posterior_error_over_optimal;  ///< medians of |ŝ − s|, of up to 2,000 particles
  std::optional<double> free_energy_rms;  ///< kT, over points where p_true exceeds 1 % of its maximum
  std::optional<double> barrier_error;    ///< kT, barrier_error()
};

/// Scores a run's likelihood/path_*.npy and the free energy in its landscape.json. The best attainable
/// posterior mean is that under the true density with likelihoods of the true structures, scored with the
/// run's noise and gain. Throws Error for damaged files.
PathScores score_path(training::Run& run, const RunRecord& record, const TruthData& truth,
                      const ParticleTruth& particles);

/// 1.4826 · median |ŝ − s| / bound, 1 for normal errors at the bound; nothing without bounds. Meant for
/// particles uniform along the path: in narrow states a bound says little.
std::optional<double> ml_error_over_bound(std::span<const double> estimate, std::span<const double> truth,
                                          std::span<const double> bound);

/// Largest error of a barrier, its top above the lowest point of F, between neighbouring states of the truth:
/// F is highest there between the states' median positions, which `states` gives for each. Barriers at which
/// the truth has fewer than five particles within 0.05 do not count: their own height is not known. Nothing
/// where none is left.
std::optional<double> barrier_error(std::span<const double> density, std::span<const double> truth,
                                    const inference::PopulationGrid::Axis& axis,
                                    std::span<const double> positions, std::span<const int> states);

}  // namespace cryoscape::report
