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
  return exact_free_energy(run, variable, conformations, values_of(variable, conformations), options, 1);
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

TEST(ExactFreeEnergy, OfModelsNeedsAPath) {
  auto run = open_test_run();
  LandscapeOptions options;
  options.nodes = "models";
  EXPECT_NE(error_of([&] { along_first_component(run, options); }).find("path:MODELS"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
