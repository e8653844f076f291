#include "cryoscape/landscape/exact_free_energy.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/landscape/free_energy.hpp"
#include "cryoscape/landscape/test_run.hpp"

namespace cryoscape::landscape {
namespace {

/// The run's free energy along its first component.
nlohmann::json along_first_component(training::Run& run, const LandscapeOptions& options) {
  const auto conformations = open_conformations(run);
  const auto space =
      fit_structure_space(conformations.decode(conformations.usable()), run.data.scene().coordinates);
  const auto variable = parse_collective_variable("pc1", {run.data.beads, space});
  return exact_free_energy(run, variable, conformations, values_of(variable, conformations), options, 1)
      .entry;
}

TEST(ExactFreeEnergy, TabulatesAsManyParticlesAsAsked) {
  auto run = open_test_run();
  LandscapeOptions options;
  options.table_particles = 40;
  const auto entry = along_first_component(run, options);
  EXPECT_EQ(entry["particles"], 40);
  EXPECT_EQ(entry["source"], "likelihood");
  const auto size = entry["grid"].size();
  for (const char* key : {"energy", "energy_error", "raw_histogram", "gaussian_factors"})
    EXPECT_EQ(entry[key].size(), size) << key;
  EXPECT_TRUE(std::isfinite(entry["evidence"].get<double>()));
  options.table_particles = 0;
  EXPECT_EQ(along_first_component(run, options)["particles"], kTestParticles - 1);
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
  EXPECT_NE(error_of([&] { along_first_component(run, options); }).find("path:MODELS"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
