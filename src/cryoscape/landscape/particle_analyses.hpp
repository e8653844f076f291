#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "cryoscape/landscape/options.hpp"
#include "cryoscape/landscape/outliers.hpp"
#include "cryoscape/landscape/pose_information.hpp"
#include "cryoscape/landscape/state_models.hpp"

namespace cryoscape::landscape {

/// What a landscape says of its particles beside their states.
struct ParticleAnalyses {
  std::vector<float> layout;   ///< (M, 2) of the cloud's points in the plane; empty for --embedding none
  double trustworthiness = 0;  ///< of the layout
  OutlierScores scores;
  std::optional<OutlierSplit> outliers;
  PoseInformation pose;
};

/// Lays the cloud out in the plane, scores outliers in one pass over the images, and measures what poses tell
/// of conformations. Warns of outliers and of conformations that follow the pose. Throws Interrupted.
ParticleAnalyses analyse_particles(training::Run& run, const Conformations& conformations, const Cloud& cloud,
                                   const LandscapeOptions& options, std::uint64_t seed);

/// Writes embedding.npy (particles, 2), removed where there is none, and outliers.npy.
void write_analyses(const training::Run& run, const Cloud& cloud, const ParticleAnalyses& analyses);

/// Adds "embedding", "outliers" and "pose_information" to landscape.json.
void add_analyses(nlohmann::json& landscape, const LandscapeOptions& options,
                  const ParticleAnalyses& analyses);

}  // namespace cryoscape::landscape
