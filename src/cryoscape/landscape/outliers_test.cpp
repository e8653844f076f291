#include "cryoscape/landscape/outliers.hpp"

#include <gtest/gtest.h>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/landscape/test_run.hpp"
#include "cryoscape/simulation/truth.hpp"

namespace cryoscape::landscape {
namespace {

std::vector<float> values_of(const Points& points) {
  std::vector<float> out;
  for (const double x : points.reshaped()) out.push_back(static_cast<float>(x));
  return out;
}

TEST(SplitOutliers, LiesBetweenTwoKindsOfParticles) {
  auto values = values_of(gaussians({0.1, 0.9}, {{-50}, {80}}, {10, 20}, 4000, 5));
  values.push_back(std::numeric_limits<float>::quiet_NaN());
  const auto split = split_outliers(values, 1);
  ASSERT_TRUE(split);
  // Equally likely where ln(0.1/10) − (t + 50)²/200 = ln(0.9/20) − (t − 80)²/800.
  EXPECT_NEAR(split->threshold, -9.0, 3);
  EXPECT_NEAR(split->share, 0.1, 0.015);
  const auto json = outliers_json(split);
  EXPECT_EQ(json.at("columns").size(), kOutlierColumns.size());
  EXPECT_EQ(json.at("default"), "evidence_ratio");
  EXPECT_EQ(json.at("threshold"), split->threshold);
}

TEST(SplitOutliers, FindsNoneAmongParticlesOfOneKind) {
  const auto split = split_outliers(values_of(gaussians({1}, {{70}}, {25}, 4000, 6)), 1);
  EXPECT_FALSE(split);
  EXPECT_TRUE(outliers_json(split).at("threshold").is_null());
  EXPECT_FALSE(split_outliers(std::vector<float>(5, 1.0f), 1));
}

TEST(ScoreOutliers, ScoresEveryUsableParticle) {
  auto run = open_test_run();
  const auto conformations = open_conformations(run);
  const std::vector<float> distance(conformations.usable().size(), 0.5f);
  const auto scores = score_outliers(run, conformations, distance);
  ASSERT_EQ(scores.size(), static_cast<std::size_t>(kTestParticles));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool unusable = i == kUnusable;
    for (const auto* column : {&scores.evidence_ratio, &scores.contrast, &scores.energy, &scores.chi_square,
                               &scores.neighbour_distance, &scores.object_evidence})
      EXPECT_EQ(std::isnan((*column)[i]), unusable) << i;
    if (unusable) continue;
    const auto z = conformations.latent(i);
    EXPECT_NEAR(scores.energy[i], 0.5 * (z[0] * z[0] + z[1] * z[1]), 1e-4);  // standard normal prior
    EXPECT_NEAR(scores.chi_square[i], 1, 0.3);
    EXPECT_EQ(scores.neighbour_distance[i], 0.5f);
  }
  write_outliers(run.folder, scores);
  const auto table = io::read_npy_matrix(run.folder.file("outliers.npy"));
  EXPECT_EQ(table.columns, kOutlierColumns.size());
  EXPECT_EQ(table.values[kOutlierColumns.size() * 3 + 1], scores.contrast[3]);
}

/// Share of pairs of a molecule and a marked particle in which the molecule has more evidence.
double auc(const std::vector<float>& evidence, const std::vector<bool>& junk,
           const std::vector<bool>& marked) {
  double above = 0, pairs = 0;
  for (std::size_t i = 0; i < evidence.size(); ++i)
    for (std::size_t j = 0; j < evidence.size(); ++j)
      if (!junk[i] && marked[j]) above += evidence[i] > evidence[j], pairs += 1;
  return above / pairs;
}

TEST(ScoreOutliers, PartsNoiseAndWrongMoleculesFromTheMolecule) {
  auto run = training::open_run(trained_run());
  const auto data = trained_run().parent_path() / "junk";
  simulation::SimulationOptions options;
  options.particles = 200, options.box = 48, options.pixel_size = 4, options.junk = 0.5, options.seed = 9;
  simulation::simulate({trained_run().parent_path() / "path.pdb"}, data, options, true);
  const auto truth = simulation::read_truth(data / "truth.star");
  run.data.particles = particles::read_particles(data / "particles.star", {});
  const Conformations conformations(*run.model, {200, 2, std::vector<float>(400, 0.0f)}, "zeros");
  const auto scores = score_outliers(run, conformations, std::vector<float>(200, 1.0f));
  auto noise = truth.junk;
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = truth.junk[i] && !truth.wrong_molecule[i];
  EXPECT_GT(auc(scores.evidence_ratio, truth.junk, noise), 0.98);
  EXPECT_GT(auc(scores.evidence_ratio, truth.junk, truth.wrong_molecule), 0.98);
}

TEST(ScoreOutliers, TakesTheLargestEvidenceThatRefineFound) {
  auto run = open_test_run();
  const auto conformations = open_conformations(run);
  const std::vector<float> distance(conformations.usable().size(), 0.5f);
  const auto before = score_outliers(run, conformations, distance);
  inference::Expansions found;
  found.dim = 2, found.particle = {3, 3, 5};
  found.point = found.score = std::vector<float>(6, 0.0f);
  found.information = std::vector<float>(12, 0.0f), found.mass = {0.5f, 0.5f, 1};
  found.log_ratio = {1e5f, 2e5f, -1e6f};
  inference::write_expansions(run.folder.file("likelihood"), found);
  const auto after = score_outliers(run, conformations, distance);
  EXPECT_EQ(after.evidence_ratio[3], 2e5f - std::max(0.0f, after.object_evidence[3]));
  EXPECT_EQ(after.evidence_ratio[5], before.evidence_ratio[5]);
  found.particle = {3, 3, kTestParticles};
  inference::write_expansions(run.folder.file("likelihood"), found);
  EXPECT_NE(error_of([&] { score_outliers(run, conformations, distance); }).find("of other particles"),
            std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
