#include "cryoscape/landscape/exact_free_energy.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/landscape/free_energy.hpp"
#include "cryoscape/landscape/half_free_energy.hpp"
#include "cryoscape/landscape/test_run.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace {

/// The run's free energy along a variable.
nlohmann::json along(const std::string& text, training::Run& run, const LandscapeOptions& options) {
  const auto conformations = open_conformations(run);
  const auto space =
      fit_structure_space(conformations.decode(conformations.usable()), run.data.scene().coordinates);
  const auto variable = parse_collective_variable(text, {run.data.beads, space});
  return exact_free_energy(run, variable, conformations, values_of(variable, conformations), options, 1)
      .entry;
}

TEST(ExactFreeEnergy, TabulatesAsManyParticlesAsAsked) {
  auto run = open_test_run();
  LandscapeOptions options;
  options.table_particles = 40;
  const auto entry = along("pc1", run, options);
  EXPECT_EQ(entry["particles"], 40);
  EXPECT_EQ(entry["source"], "likelihood");
  const auto size = entry["grid"].size();
  for (const char* key : {"energy", "energy_error", "raw_histogram", "gaussian_factors"})
    EXPECT_EQ(entry[key].size(), size) << key;
  EXPECT_TRUE(std::isfinite(entry["evidence"].get<double>()));
  EXPECT_EQ(entry["bars"], kGivenDecoder);
  options.table_particles = 0;
  EXPECT_EQ(along("pc1", run, options)["particles"], kTestParticles - 1);
}

TEST(ExactFreeEnergy, OverTwoVariablesIsNullWhereNothingReaches) {
  auto run = open_test_run();
  const auto conformations = open_conformations(run);
  const auto space =
      fit_structure_space(conformations.decode(conformations.usable()), run.data.scene().coordinates);
  const auto variables = parse_collective_variables("pc1;pc2", {run.data.beads, space});
  std::vector<std::vector<double>> of_particles;
  for (const auto& v : variables) of_particles.push_back(values_of(v, conformations));
  const auto entry = exact_free_energy(run, std::array{variables[0], variables[1]}, conformations,
                                       of_particles, LandscapeOptions{}, 1)
                         .entry;
  EXPECT_EQ(entry["variable"], "pc1;pc2");
  EXPECT_EQ(entry["kind"], "pc;pc");
  EXPECT_EQ(entry["particles"], kTestParticles - 1);
  ASSERT_EQ(entry["grid"].size(), 2u);
  const std::size_t points = entry["grid"][0].size() * entry["grid"][1].size();
  for (const char* key : {"energy", "energy_error", "raw_histogram"})
    ASSERT_EQ(entry[key].size(), points) << key;
  std::size_t reached = 0;
  for (std::size_t k = 0; k < points; ++k) {
    reached += !entry["energy"][k].is_null();
    EXPECT_EQ(entry["energy"][k].is_null(), entry["energy_interval"][0][k].is_null());
  }
  EXPECT_GT(reached, 8u);
  EXPECT_LT(reached, points);
  for (const auto& basin : entry["basins"]) EXPECT_EQ(basin["position"].size(), 2u);
}

TEST(ExactFreeEnergy, OfModelsNeedsAPath) {
  auto run = open_test_run();
  LandscapeOptions options;
  options.nodes = "models";
  EXPECT_NE(error_of([&] { along("pc1", run, options); }).find("path:MODELS"), std::string::npos);
}

TEST(ExactFreeEnergy, TheOtherHalfSetsRunWidensItsBars) {
  auto run = open_test_run();
  LandscapeOptions options;
  const std::string variable = "distance:A:1-20,A:100-120";
  const auto alone = along(variable, run, options);
  ASSERT_EQ(alone["basins"].size(), 2u);
  // The other decoder has seen the smaller state twice as often.
  auto other = alone;
  for (auto& basin : other["basins"])
    if (basin["population"] < 0.5) basin["population"] = 2 * basin["population"].get<double>();
  const auto folder = run.folder.file("other");
  replace_text_file(folder / "landscape.json", nlohmann::json{{"free_energy", {other}}}.dump());
  options.half_run = folder.string();
  const auto both = along(variable, run, options);
  EXPECT_EQ(both["bars"], kWithHalfSets);
  EXPECT_EQ(both["energy"], alone["energy"]);
  EXPECT_EQ(both["energy_interval"], alone["energy_interval"]);
  for (std::size_t k = 0; k < 2; ++k) {
    const auto p = alone["basins"][k]["population"].get<double>();
    const auto s = alone["basins"][k]["population_error"].get<double>();
    const double decoders = p < 0.5 ? std::sqrt(std::max(0.0, p * p / 2 - s * s)) : 0;
    EXPECT_NEAR(both["basins"][k]["population_error"], std::hypot(s, decoders), 1e-12);
  }
}

}  // namespace
}  // namespace cryoscape::landscape
