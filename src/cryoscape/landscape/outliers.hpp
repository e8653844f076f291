#pragma once
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <vector>

#include "cryoscape/landscape/conformations.hpp"

namespace cryoscape::landscape {

/// By what particles that hold no molecule, or another one, stand out; each (particles), NaN where unusable.
struct OutlierScores {
  std::vector<float> evidence_ratio;      ///< max_z ln p(x|z) − ln p(x|no particle), nats: low for outliers
  std::vector<float> contrast;            ///< fitted at the posterior mean
  std::vector<float> energy;              ///< −ln p(z) of the prior at the posterior mean, up to a constant
  std::vector<float> chi_square;          ///< per coefficient, at the posterior mean
  std::vector<float> neighbour_distance;  ///< mean distance to the nearest particles, Å

  std::vector<float> object_evidence;  ///< ln p(x|another object) − ln p(x|noise alone), nats

  std::size_t size() const { return evidence_ratio.size(); }
};

/// Columns of outliers.npy, (particles, 6), as landscape.json names them. The first is the default score.
inline constexpr std::array<const char*, 6> kOutlierColumns{
    "evidence_ratio", "contrast", "energy", "chi_square", "neighbour_distance", "object_evidence"};

/// Scores all particles with one pass over their images, at their latents; where the run has likelihoods
/// (likelihood/, from refine), the evidence is the largest of those and this one. `distance` (usable
/// particles) is each one's mean distance to its nearest. With --likelihood correlation the evidence ratio is
/// the correlation. Throws Interrupted.
OutlierScores score_outliers(training::Run& run, const Conformations& conformations,
                             std::span<const float> distance);

/// Where outliers part from the others.
struct OutlierSplit {
  double threshold = 0;  ///< evidence ratio below which a particle is more likely an outlier than not
  double share = 0;      ///< of outliers, by the weight of their Gaussian
};

/// From two Gaussians fitted to evidence ratios: nothing where two do not describe them better than one
/// (BIC), or where the two have no dip between them (less than 2 of their mean standard deviations apart).
std::optional<OutlierSplit> split_outliers(std::span<const float> evidence_ratio, std::uint64_t seed);

/// Writes outliers.npy.
void write_outliers(const training::RunFolder& folder, const OutlierScores& scores);

/// {"columns", "default", "threshold", "share"}; threshold null where nothing parts.
nlohmann::json outliers_json(const std::optional<OutlierSplit>& split);

}  // namespace cryoscape::landscape
