#include "cryoscape/landscape/particle_analyses.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "cryoscape/landscape/half_agreement.hpp"
#include "cryoscape/landscape/landscape.hpp"
#include "cryoscape/landscape/test_run.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

nlohmann::json landscape_of(const training::Run& run) {
  return nlohmann::json::parse(read_text_file(run.folder.file("landscape.json")));
}

TEST(ParticleAnalyses, StandInTheRunsFolder) {
  auto run = open_test_run();
  write_landscape(run, {});
  const auto layout = io::read_npy_matrix(run.folder.file("embedding.npy"));
  const auto outliers = io::read_npy_matrix(run.folder.file("outliers.npy"));
  ASSERT_EQ(layout.rows, static_cast<std::size_t>(kTestParticles));
  EXPECT_EQ(layout.columns, 2u);
  EXPECT_EQ(outliers.columns, kOutlierColumns.size());
  for (std::size_t i = 0; i < layout.rows; ++i) {
    EXPECT_EQ(std::isnan(layout.values[2 * i + 1]), i == kUnusable);
    EXPECT_EQ(std::isnan(outliers.values[kOutlierColumns.size() * i + 4]), i == kUnusable);
  }
  const auto json = landscape_of(run);
  EXPECT_EQ(json.at("embedding").at("method"), "umap");
  EXPECT_GT(json.at("embedding").at("trustworthiness"), 0.8);
  EXPECT_EQ(json.at("outliers").at("columns")[0], "evidence_ratio");
  EXPECT_TRUE(json.at("pose_information").at("nats").is_number());
  EXPECT_TRUE(json.at("half_sets").is_null());
}

TEST(ParticleAnalyses, AnotherLayoutOrNone) {
  auto run = open_test_run();
  LandscapeOptions options;
  options.embedding = "pca";
  write_landscape(run, options);
  const auto layout = io::read_npy_matrix(run.folder.file("embedding.npy")),
             components = io::read_npy_matrix(run.folder.file("components.npy"));
  EXPECT_EQ(layout.values[0], components.values[0]);
  options.embedding = "none";
  write_landscape(run, options);
  EXPECT_FALSE(fs::exists(run.folder.file("embedding.npy")));
  EXPECT_TRUE(landscape_of(run).at("embedding").at("trustworthiness").is_null());
}

TEST(HalfRun, LeavesTheStatesThatBothHaveAndSaysSo) {
  auto run = open_test_run();
  LandscapeOptions options;
  write_landscape(run, options);
  // The other half's run: the same, but that it has the first state only.
  const auto other = run.folder.path().string() + "_other";
  fs::remove_all(other);
  fs::copy(run.folder.path(), other, fs::copy_options::recursive);
  auto states = nlohmann::json::parse(read_text_file(fs::path(other) / "states.json"));
  states["states"].erase(1);
  states["states"][0]["population"] = 0.9;
  replace_text_file(fs::path(other) / "states.json", states.dump());
  options.half_run = other;
  EXPECT_NE(error_of([&] { write_landscape(run, options); }).find("trained on the same particles"),
            std::string::npos);
  run.settings.input.half = 1;
  const auto summary = write_landscape(run, options);
  ASSERT_EQ(summary.states.size(), 1u);
  const auto json = landscape_of(run).at("half_sets");
  EXPECT_EQ(json.at("kept"), 1);
  EXPECT_EQ(json.at("states"), nlohmann::json({2, 1}));
  EXPECT_NEAR(json.at("agreement"), 0.7, 0.03);
  EXPECT_FALSE(fs::exists(run.folder.file("structures/states/state_02.cif")));
  options.half_run = run.folder.path().string() + "_none";
  EXPECT_NE(error_of([&] { write_landscape(run, options); }).find("_none"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
