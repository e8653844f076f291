#include "cryoscape/landscape/landscape.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/inference/refitted_prior.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/landscape/test_run.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

std::vector<float> latents_of(const training::Run& run) {
  return io::read_npy_matrix(run.folder.file("latents.npy")).values;
}

/// Structure of a latent, in the reference file's frame.
std::vector<float> decoded(training::Run& run, std::vector<float> z) {
  auto x = training::decode_latents(*run.model, z);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<float>(run.data.grid.centre[i % 3]);
  return x;
}

TEST(WriteLandscape, StatesAreTheClustersAndFilesSayTheSame) {
  auto run = open_test_run();
  const auto summary = write_landscape(run, {});
  ASSERT_EQ(summary.states.size(), 2u);
  EXPECT_EQ(summary.particles, static_cast<std::size_t>(kTestParticles));
  EXPECT_EQ(summary.unusable, 1u);
  const auto json = nlohmann::json::parse(read_text_file(run.folder.file("states.json")));
  EXPECT_EQ(json, summary.states_json);
  EXPECT_EQ(json.at("particles"), kTestParticles);
  EXPECT_FALSE(json.at("continuous"));
  double sum = 0;
  for (const auto& state : json.at("states")) {
    sum += state.at("population").get<double>();
    EXPECT_TRUE(state.at("map").is_null());
    EXPECT_TRUE(fs::exists(run.folder.file(state.at("model"))));
    // By likelihoods, whose errors hold what single images do not tell.
    EXPECT_NEAR(state.at("population").get<double>(),
                state.at("particles").get<double>() / (kTestParticles - 1),
                2 * state.at("population_error").get<double>());
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_LT(json["states"][1]["population_error"], 0.1);
  EXPECT_EQ(json["states"][1]["particles"], 45);
  EXPECT_EQ(json["states"][0]["id"], 1);
  const auto landscape = nlohmann::json::parse(read_text_file(run.folder.file("landscape.json")));
  EXPECT_EQ(landscape.at("components").size(), summary.component_deviations.size());
  EXPECT_EQ(landscape.at("populations").size(), 2u);
  EXPECT_EQ(landscape.at("barriers").size(), 1u);
  EXPECT_NE(states_table(summary).find("population"), std::string::npos);
}

TEST(WriteLandscape, LatentsThatMoveNothingAreOneStateAndNoMotion) {
  auto run = open_test_run();
  auto latents = latents_of(run);
  for (float& z : latents) z *= 5e-4f;  // still two clusters, but 0.001 Å apart
  io::write_npy(run.folder.file("refined_mean.npy"), {kTestParticles, 2}, latents);
  const auto summary = write_landscape(run, {});
  ASSERT_LT(summary.component_deviations[0], 1e-3);
  EXPECT_EQ(summary.states.size(), 1u);
  EXPECT_FALSE(summary.continuous);
  EXPECT_TRUE(
      nlohmann::json::parse(read_text_file(run.folder.file("landscape.json")))["free_energy"].empty());
}

TEST(WriteLandscape, ArraysAndParticleTableFollowTheInput) {
  auto run = open_test_run();
  const auto summary = write_landscape(run, {});
  const auto components = io::read_npy_matrix(run.folder.file("components.npy"));
  const auto states = io::read_npy_matrix(run.folder.file("assignments.npy"));
  ASSERT_EQ(components.rows, static_cast<std::size_t>(kTestParticles));
  ASSERT_EQ(components.columns, summary.component_deviations.size());
  ASSERT_EQ(states.rows, static_cast<std::size_t>(kTestParticles));
  const auto tables = io::read_star_tables(run.folder.file("particles.star"));
  const auto& table = tables.back();
  const int state_column = table.table.column("rlnClassNumber"),
            first = table.table.column("rlnHeterogeneityLatent1"), image = table.table.column("rlnImageName");
  ASSERT_GE(state_column, 0);
  ASSERT_GE(table.table.column("rlnHeterogeneityLatent2"), 0);
  ASSERT_EQ(table.rows.size(), states.rows);
  const auto latents = latents_of(run);
  for (std::size_t i = 0; i < states.rows; ++i) {
    const bool unusable = i == kUnusable;
    EXPECT_EQ(std::isnan(components.values[i * components.columns]), unusable);
    EXPECT_EQ(states.values[i], unusable ? 0 : in_minor(i) ? 2 : 1);
    EXPECT_EQ(std::stof(table.rows[i][static_cast<std::size_t>(state_column)]), states.values[i]);
    if (!unusable) {
      EXPECT_NEAR(std::stof(table.rows[i][static_cast<std::size_t>(first)]), latents[2 * i], 1e-5);
    }
    EXPECT_EQ(table.rows[i][static_cast<std::size_t>(image)], particles::image_name(run.data.particles, i));
  }
}

TEST(WriteLandscape, StateModelsLieOnTheInputModel) {
  auto run = open_test_run();
  write_landscape(run, {});
  const auto reference = io::read_models(run.folder.file("structures/reference.cif")).front();
  EXPECT_LT(geometry::rmsd(io::positions_of(reference), run.data.beads.coordinates), 1e-3);
  const auto model = io::read_models(run.folder.file("structures/states/state_02.cif")).front();
  const auto x = io::positions_of(model);
  const auto truth = decoded(run, {2, 0}), other = decoded(run, {-2, 0});
  ASSERT_EQ(x.size(), truth.size());
  const double apart = geometry::superposed_rmsd(truth, other);
  ASSERT_GT(apart, 0.1);
  EXPECT_LT(geometry::superposed_rmsd(x, truth), 0.2 * apart);
  double b = 0, centroid = 0;
  for (const auto& a : model.atoms) b += a.b_factor, centroid += a.position[0];
  EXPECT_GT(b, 0);
  EXPECT_NEAR(centroid / static_cast<double>(model.atoms.size()), kBoxCentre, 10);
  EXPECT_EQ(model.atoms[3].residue_number, run.data.beads.records.atoms[3].residue_number);

  const auto all = io::read_models(run.folder.file("structures/states/state_02_allatom.cif")).front();
  ASSERT_EQ(all.atoms.size(), run.data.reference.atoms.size());
  for (std::size_t n = 0; n < model.atoms.size(); ++n) {
    ASSERT_EQ(all.atoms[3 * n + 1].name, "CA");
    EXPECT_NEAR(all.atoms[3 * n + 1].position[2], model.atoms[n].position[2], 2e-3);
    EXPECT_NEAR(all.atoms[3 * n].b_factor, model.atoms[n].b_factor, 0.011);
  }
}

TEST(WriteLandscape, SeriesRunAlongTheirComponent) {
  auto run = open_test_run();
  const auto summary = write_landscape(run, {});
  const auto models = io::read_models(run.folder.file("structures/pca/pc1.cif"));
  ASSERT_EQ(models.size(), 10u);
  // Two clusters apart: the ends of the series differ by what parts them, and each step leads on.
  const auto first = io::positions_of(models.front());
  const double span = geometry::superposed_rmsd(first, io::positions_of(models.back()));
  EXPECT_GT(span, 1.5 * summary.component_deviations[0]);
  double before = 0;
  for (const auto& m : models) {
    const double distance = geometry::superposed_rmsd(first, io::positions_of(m));
    EXPECT_GT(distance, before - 0.05 * span);
    before = distance;
  }
  const auto script = read_text_file(run.folder.file("structures/pc1.cxc"));
  EXPECT_NE(script.find("open pca/pc1.cif\n"), std::string::npos);
  EXPECT_NE(script.find("morph #1.1-10 same true"), std::string::npos);
  EXPECT_NE(read_text_file(run.folder.file("structures/states.cxc")).find("morph #1-2 same true"),
            std::string::npos);
}

TEST(WriteLandscape, AnotherCallReplacesItsOwnFilesOnly) {
  auto run = open_test_run();
  LandscapeOptions options;
  options.states = 4;
  write_landscape(run, options);
  EXPECT_TRUE(fs::exists(run.folder.file("structures/states/state_04.cif")));
  std::ofstream(run.folder.file("structures/states/mine.cif")) << "kept";
  std::ofstream(run.folder.file("structures/pca/pc9.cif")) << "stale";
  options.states = 2, options.clustering = "kmeans", options.format = "pdb";
  write_landscape(run, options);
  EXPECT_FALSE(fs::exists(run.folder.file("structures/states/state_04.cif")));
  EXPECT_FALSE(fs::exists(run.folder.file("structures/states/state_01.cif")));
  EXPECT_FALSE(fs::exists(run.folder.file("structures/pca/pc9.cif")));
  EXPECT_FALSE(fs::exists(run.folder.file("structures/reference.cif")));
  EXPECT_TRUE(fs::exists(run.folder.file("structures/states/state_02.pdb")));
  EXPECT_TRUE(fs::exists(run.folder.file("structures/states/state_02_allatom.pdb")));
  EXPECT_TRUE(fs::exists(run.folder.file("structures/states/mine.cif")));
  EXPECT_NE(read_text_file(run.folder.file("structures/states.cxc")).find("state_01.pdb"), std::string::npos);
  const auto json = nlohmann::json::parse(read_text_file(run.folder.file("states.json")));
  EXPECT_EQ(json["states"][0]["model"], "structures/states/state_01.pdb");
  options.format = "both";
  write_landscape(run, options);
  EXPECT_TRUE(fs::exists(run.folder.file("structures/pca/pc1.cif")));
  EXPECT_TRUE(fs::exists(run.folder.file("structures/pca/pc1.pdb")));
}

TEST(WriteLandscape, SaysWhatIsMissingOrDoesNotFit) {
  auto run = open_test_run();
  io::write_npy(run.folder.file("latents.npy"), {3, 2}, std::vector<float>(6, 0.0f));
  EXPECT_NE(error_of([&] { write_landscape(run, {}); }).find("has 3 rows, but the run has 150"),
            std::string::npos);
  io::write_npy(run.folder.file("latents.npy"), {kTestParticles, 3},
                std::vector<float>(3 * kTestParticles, 0.0f));
  EXPECT_NE(error_of([&] { write_landscape(run, {}); }).find("has 3 columns"), std::string::npos);
  const std::vector<float> nothing(2 * kTestParticles, std::numeric_limits<float>::quiet_NaN());
  io::write_npy(run.folder.file("latents.npy"), {kTestParticles, 2}, nothing);
  EXPECT_NE(error_of([&] { write_landscape(run, {}); }).find("no particle has finite latents"),
            std::string::npos);
  fs::remove(run.folder.file("latents.npy"));
  EXPECT_NE(error_of([&] { write_landscape(run, {}); }).find("does not exist"), std::string::npos);
  fs::copy(run.data.particles.source, run.folder.file("particles.star"));
  run.data.particles.source = run.folder.file("particles.star");
  EXPECT_NE(error_of([&] { write_landscape(run, {}); }).find("is the run's input"), std::string::npos);
  EXPECT_FALSE(fs::exists(run.folder.file("states.json")));
}

TEST(WriteLandscape, WritesThePriorsLandscapeAndFreeEnergy) {
  auto run = open_test_run();
  LandscapeOptions options;
  options.variable = "pc1;distance:A:1-20,A:100-120";
  write_landscape(run, options);
  const auto json = nlohmann::json::parse(read_text_file(run.folder.file("landscape.json")));
  // The prior is a standard normal, but the decoder is not linear: at least one minimum, the lowest at 0.
  ASSERT_FALSE(json.contains("energy_notice")) << json["energy_notice"];
  ASSERT_GE(json["minima"].size(), 1u);
  EXPECT_EQ(json["minima"][0]["energy"], 0);
  EXPECT_EQ(json["active_directions"], 2);
  double sum = 0, particles = 0;
  for (const auto& m : json["minima"])
    sum += m["population"].get<double>(), particles += m["particles"].get<double>();
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_EQ(particles, kTestParticles - 1);
  EXPECT_FALSE(json["minima"][0].contains("population_error"));
  EXPECT_FALSE(json["minima"][0].contains("energy_error"));
  for (const auto& s : json["saddles"]) EXPECT_FALSE(s.contains("barrier_error"));
  EXPECT_EQ(json["population_source"], "posterior means");
  const auto energies = io::read_npy_matrix(run.folder.file("conformation_energy.npy"));
  ASSERT_EQ(energies.rows, static_cast<std::size_t>(kTestParticles));
  for (std::size_t i = 0; i < energies.rows; ++i) EXPECT_EQ(std::isnan(energies.values[i]), i == kUnusable);
  ASSERT_EQ(json["saddles"].size(), json["minima"].size() - 1);
  ASSERT_EQ(json["tree"].size(), json["minima"].size() - 1);
  for (const auto& path : json["paths"]) {
    const auto models = io::read_models(run.folder.file(path["model"]));
    ASSERT_EQ(models.size(), path["energies"].size());
    ASSERT_EQ(models.size(), path["positions_angstrom"].size());
    EXPECT_NEAR(models[1].atoms[0].b_factor, path["energies"][1].get<double>(), 0.006);
  }
  const auto& entry = json["free_energy"].at(0);
  EXPECT_EQ(entry["variable"], options.variable);
  EXPECT_EQ(entry["kind"], "pc;distance");
  EXPECT_EQ(entry["grid"][0].size() * entry["grid"][1].size(), entry["energy"].size());
  EXPECT_EQ(entry["raw_histogram"].size(), entry["energy"].size());
}

/// Likelihoods of latents at their points, as sharp as the clusters are wide.
inference::Expansions likelihoods_of(const std::vector<float>& latents) {
  inference::Expansions e;
  e.dim = 2;
  for (std::size_t i = 0; i < kTestParticles; ++i) {
    if (i == kUnusable) continue;
    e.particle.push_back(static_cast<std::uint32_t>(i));
    e.point.insert(e.point.end(), {latents[2 * i], latents[2 * i + 1]});
    e.score.insert(e.score.end(), {0, 0});
    e.information.insert(e.information.end(), {25, 0, 0, 25});
    e.log_ratio.push_back(0), e.mass.push_back(1);
  }
  return e;
}

TEST(WriteLandscape, OfARefittedDensityHasItsIntegralsAsPopulations) {
  auto run = open_test_run();
  inference::write_expansions(run.folder.file("likelihood"), likelihoods_of(latents_of(run)));
  nlohmann::ordered_json refined;
  inference::refit_refined(run, {}, refined);
  ASSERT_FALSE(refined["refit"].contains("skipped")) << refined.dump();
  LandscapeOptions options;
  options.density = "refitted";
  const auto summary = write_landscape(run, options);
  ASSERT_EQ(summary.states.size(), 2u);
  // Counts of 150 particles: the truth is 30 %, and the clusters do not overlap.
  const double counts = std::sqrt(0.3 * 0.7 / kTestParticles);
  EXPECT_NEAR(summary.states[1].population, 0.3, counts);
  EXPECT_NEAR(summary.states[1].population_error / counts, 1, 0.3);
  EXPECT_EQ(summary.states[0].particles + summary.states[1].particles, kTestParticles - 1u);
  const auto json = nlohmann::json::parse(read_text_file(run.folder.file("landscape.json")));
  EXPECT_EQ(json["population_source"], "refitted density");
  EXPECT_EQ(json["density"], "mixture, refitted");
  for (const auto& m : json["minima"])
    EXPECT_TRUE(m.contains("population_error") && m.contains("energy_error"));
  ASSERT_EQ(json["minima"].size(), 2u);
  const auto &saddle = json["saddles"].at(0), &path = json["paths"].at(0);
  EXPECT_EQ(saddle["energy_error"], json["tree"].at(0)["energy_error"]);
  EXPECT_EQ(path["energies_error"].size(), path["energies"].size());
  for (const int side : {0, 1}) {
    const double barrier = saddle["barrier"][side], error = saddle["barrier_error"][side];
    EXPECT_GT(error, 0);
    EXPECT_LE(saddle["barrier_interval"][side][0], barrier - 1.95 * error);
    EXPECT_GE(saddle["barrier_interval"][side][1], barrier + 1.95 * error);
  }
  fs::remove_all(run.folder.file("likelihood"));
  EXPECT_NE(error_of([&] { write_landscape(run, options); }).find("run cryoscape refine"), std::string::npos);
  fs::remove(run.folder.file("refitted_prior.pt"));
  EXPECT_NE(error_of([&] { write_landscape(run, options); }).find("has no refitted prior"),
            std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
