#include "cryoscape/landscape/particle_analyses.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <limits>

#include "cryoscape/landscape/embedding.hpp"
#include "cryoscape/landscape/neighbours.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kNeighbours = 15;
constexpr std::size_t kMostLaidOut = 100000;
constexpr std::size_t kMostTrusted = 1000;  ///< points that a layout is judged by
constexpr double kNoticedShare = 0.02;      ///< of outliers

/// How well a layout keeps neighbourhoods among some of its points.
double trust(const Points& points, const std::vector<float>& layout, std::uint64_t seed) {
  const auto chosen = random_subset(static_cast<std::size_t>(points.cols()), kMostTrusted, seed);
  if (chosen.size() <= 2 * kNeighbours) return 1;  // neighbourhoods are nearly all there is
  std::vector<float> plane;
  for (const auto i : chosen) plane.insert(plane.end(), {layout[2 * i], layout[2 * i + 1]});
  return trustworthiness(points(Eigen::all, chosen), plane, kNeighbours);
}

void warn(const ParticleAnalyses& found) {
  if (found.outliers && found.outliers->share > kNoticedShare)
    spdlog::warn(
        "warning: {:.1f} % of the particles look like no molecule, or another one: their evidence ratio is "
        "below {:.1f} nats (cryoscape export --outliers writes which to leave out)",
        100 * found.outliers->share, found.outliers->threshold);
  if (found.pose.parts.empty()) return;
  const auto& strongest = found.pose.strongest();
  const auto& i = strongest.information;
  if (i.significant())
    spdlog::warn(
        "warning: conformations follow the pose ({}): mutual information {:.3f} nats, {:.3f} +- {:.3f} where "
        "there is none; the latents may tell views apart, not states",
        strongest.name, i.nats, i.null, i.null_error);
}

}  // namespace

ParticleAnalyses analyse_particles(training::Run& run, const Conformations& conformations, const Cloud& cloud,
                                   const LandscapeOptions& options, std::uint64_t seed) {
  ParticleAnalyses out;
  const auto neighbourhood = neighbourhood_of(cloud.points, kNeighbours, kMostLaidOut, seed);
  if (options.embedding == "umap") out.layout = umap_layout(cloud.points, neighbourhood, seed);
  if (options.embedding == "pca") out.layout = first_two(cloud.points);
  if (!out.layout.empty()) out.trustworthiness = trust(cloud.points, out.layout, seed);
  out.pose = pose_information(run.data.particles, cloud.particles, cloud.points, seed);
  out.scores = score_outliers(run, conformations, mean_distances(neighbourhood));
  out.outliers = split_outliers(out.scores.evidence_ratio, seed);
  warn(out);
  return out;
}

void write_analyses(const training::Run& run, const Cloud& cloud, const ParticleAnalyses& analyses) {
  write_outliers(run.folder, analyses.scores);
  const auto path = run.folder.file("embedding.npy");
  if (analyses.layout.empty()) {
    std::filesystem::remove(path);
    return;
  }
  std::vector<float> table(2 * run.data.particles.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < cloud.particles.size(); ++i)
    std::copy_n(analyses.layout.begin() + static_cast<std::ptrdiff_t>(2 * i), 2,
                table.begin() + static_cast<std::ptrdiff_t>(2 * cloud.particles[i]));
  io::write_npy(path, {run.data.particles.size(), 2}, table);
}

void add_analyses(nlohmann::json& landscape, const LandscapeOptions& options,
                  const ParticleAnalyses& analyses) {
  landscape["embedding"] = {{"method", options.embedding}, {"trustworthiness", nullptr}};
  if (!analyses.layout.empty()) landscape["embedding"]["trustworthiness"] = analyses.trustworthiness;
  landscape["outliers"] = outliers_json(analyses.outliers);
  landscape["pose_information"] = pose_information_json(analyses.pose);
}

}  // namespace cryoscape::landscape
