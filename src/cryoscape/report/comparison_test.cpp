#include "cryoscape/report/comparison.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/inference/free_energy.hpp"
#include "cryoscape/inference/likelihood_table.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/report/comparison_output.hpp"
#include "cryoscape/simulation/demo_protein.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "cryoscape/training/run.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::report;
namespace fs = std::filesystem;

namespace {

constexpr int kParticles = 120;
constexpr int kResidues = 40;

/// A small data set of the demo protein's middle (the linker and what is around it), two states with junk,
/// and a run of two epochs on it. Made once for all tests of this file.
class Comparison : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new fs::path(fs::path(testing::TempDir()) / "cryoscape_comparison");
    fs::remove_all(*folder_);
    write_path(*folder_ / "path.pdb", kResidues);
    simulation::SimulationOptions options;
    options.particles = kParticles, options.box = 32, options.pixel_size = 3, options.snr = 0.5,
    options.junk = 0.1;
    options.populations = "5:0.7,50:0.3", options.spread = 1;
    simulation::simulate({*folder_ / "path.pdb"}, *folder_ / "data", options, false);
    train("run", 0, 0.3);
  }
  static void TearDownTestSuite() {
    fs::remove_all(*folder_);
    delete folder_;
  }
  void TearDown() override {
    for (const char* name : {"states.json", "assignments.npy", "outliers.npy"})
      fs::remove(*folder_ / "run" / name);
  }

  /// The middle residues of all models of the demo protein.
  static void write_path(const fs::path& path, int residues) {
    const auto protein = simulation::make_demo_protein();
    auto atoms = protein.path.front().atoms;
    const auto first = (atoms.size() - residues) / 2;
    io::AtomicModel part{{atoms.begin() + first, atoms.begin() + first + residues}};
    io::ModelSeries series;
    series.atoms = &part;
    for (const auto& model : protein.path) {
      const auto x = io::positions_of(model);
      series.positions.emplace_back(x.begin() + 3 * first, x.begin() + 3 * (first + residues));
    }
    io::write_models(path, series);
  }

  static void train(const std::string& name, int seed, double held_out) {
    training::RunSettings settings;
    settings.input.particles = (*folder_ / "data/particles.star").string();
    settings.input.model = (*folder_ / "path.pdb").string();
    settings.training.epochs = 2, settings.training.seed = seed, settings.training.held_out = held_out;
    settings.model.latent_dim = 2;
    training::train_run(settings, *folder_ / name, false, false, "test");
  }

  static TruthData truth() {
    return read_truth_data(*folder_ / "data/truth.star", {*folder_ / "path.pdb"}, false);
  }
  static fs::path run() { return *folder_ / "run"; }

  /// Landscape files with one state per true state, at the mean of its true structures, but with other
  /// populations.
  static void write_states(const TruthData& truth, const std::vector<double>& populations,
                           const std::vector<int>& models) {
    auto json = nlohmann::json{{"states", nlohmann::json::array()}};
    const auto atoms = io::read_models(*folder_ / "path.pdb").front();
    for (std::size_t k = 0; k < populations.size(); ++k) {
      const auto name = "state_" + std::to_string(k + 1) + ".cif";
      io::ModelSeries series;
      series.atoms = &atoms;
      series.positions.push_back(truth.scene.coordinates(models[k]));
      io::write_models(run() / name, series);
      json["states"].push_back({{"id", k + 1}, {"population", populations[k]}, {"model", name}});
    }
    replace_text_file(run() / "states.json", json.dump());
  }

  static fs::path* folder_;
};
fs::path* Comparison::folder_ = nullptr;

double count(const std::vector<int>& states, int id) {
  return static_cast<double>(std::count(states.begin(), states.end(), id));
}

bool has_no_nan(const nlohmann::json& json) {
  if (json.is_number_float()) return std::isfinite(json.get<double>());
  return std::all_of(json.begin(), json.end(), [](const auto& part) {
    return !part.is_structured() ? !part.is_number_float() || std::isfinite(part.template get<double>())
                                 : has_no_nan(part);
  });
}

}  // namespace

TEST_F(Comparison, WithoutTruthOrLandscapeOnlyTheRecordIsKnown) {
  const std::vector<RunScores> scores{score_run(run(), std::nullopt)};
  EXPECT_EQ(scores[0].prior, "gaussian");
  EXPECT_TRUE(scores[0].held_out_bound);
  EXPECT_GT(*scores[0].images_per_second, 0);
  EXPECT_FALSE(scores[0].truth || scores[0].found);
  // The record's bound is the mean over the held-out particles.
  double sum = 0;
  for (const auto& [row, bound] : scores[0].held_out.bound) sum += bound;
  EXPECT_NEAR(sum / static_cast<double>(scores[0].held_out.bound.size()), *scores[0].held_out_bound, 1e-3);

  const auto json = comparison_json(scores)["runs"][0];
  for (const char* key :
       {"states", "population_error", "median_rmsd", "mean_rmsd", "median_rmsd_one_structure",
        "median_rmsd_structure_per_state", "path_error", "ml_error_over_bound",
        "posterior_error_over_optimal", "path_correlation_within_state", "free_energy_rms", "barrier_error",
        "outlier_auc", "outlier_auc_energy", "state_ari"}) {
    ASSERT_TRUE(json.contains(key)) << key;
    EXPECT_TRUE(json[key].is_null()) << key;
  }
  EXPECT_EQ(json["run"], run().string());
  EXPECT_EQ(json["log_partition"].size(), 2u);
  const auto text = comparison_text(scores);
  EXPECT_NE(text.find("run cryoscape landscape"), std::string::npos);
  EXPECT_NE(text.find("with one structure for all"), std::string::npos);
  EXPECT_NE(text.find("with one structure per state"), std::string::npos);
}

TEST_F(Comparison, ARunAtTheReferenceScoresTheDistanceToTheReference) {
  // Zero latents decode to one structure for every particle: its RMSD is that of this structure.
  const auto data = truth();
  const auto latents = io::read_npy_matrix(run() / "latents.npy");
  io::write_npy(run() / "latents.npy", {latents.rows, latents.columns},
                std::vector<float>(latents.values.size(), 0.0f));
  const auto scores = score_run(run(), data);
  io::write_npy(run() / "latents.npy", {latents.rows, latents.columns}, latents.values);

  auto opened = training::open_run(run());
  const auto decoded = training::decode_latents(*opened.model, std::vector<float>(latents.columns, 0.0f));
  std::vector<double> expected;
  for (std::size_t i = 0; i < data.particles.size(); ++i)
    if (!data.particles.junk[i])
      expected.push_back(geometry::superposed_rmsd(decoded, data.scene.coordinates(data.particles.model[i])));
  std::sort(expected.begin(), expected.end());
  EXPECT_LT(expected.size(), static_cast<std::size_t>(kParticles));
  EXPECT_EQ(scores.truth->particles, expected.size());
  EXPECT_NEAR(*scores.truth->median_rmsd,
              (expected[(expected.size() - 1) / 2] + expected[expected.size() / 2]) / 2, 1e-6);
  EXPECT_NEAR(*scores.truth->mean_rmsd,
              std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(expected.size()),
              1e-6);
  EXPECT_EQ(*scores.truth->path_correlation_within_state, 0);
  // The states lie apart, so one structure per state is nearer than one for all.
  EXPECT_LT(*scores.truth->median_rmsd_structure_per_state, *scores.truth->median_rmsd_one_structure);
  EXPECT_FALSE(scores.truth->population_error);
}

TEST_F(Comparison, StatesAndAssignmentsAreScored) {
  const auto data = truth();
  write_states(data, {0.6, 0.3, 0.1}, {5, 50, 48});
  std::vector<float> assigned;
  for (const int state : data.particles.state) assigned.push_back(static_cast<float>(3 - state));
  io::write_npy(run() / "assignments.npy", {assigned.size(), 1}, assigned);
  const std::vector<RunScores> scores{score_run(run(), data)};

  const auto& truth = *scores[0].truth;
  EXPECT_DOUBLE_EQ(*truth.state_ari, 1);
  const double first =
      count(data.particles.state, 1) / (count(data.particles.state, 1) + count(data.particles.state, 2));
  ASSERT_EQ(truth.states.size(), 2u);
  EXPECT_NEAR(truth.states[0].true_population, first, 1e-12);
  EXPECT_EQ(truth.states[0].found, 1);
  EXPECT_EQ(truth.states[1].found, 2);
  EXPECT_NEAR(*truth.population_error, 100 * std::max(std::abs(0.6 - first), std::abs(0.3 - (1 - first))),
              1e-9);
  EXPECT_LT(*truth.states[0].rmsd, 0.3);
  EXPECT_EQ((*scores[0].found)[2].nearest, 2);

  const auto json = comparison_json(scores)["runs"][0];
  EXPECT_EQ(json["states"], 3);
  EXPECT_TRUE(has_no_nan(json));
  EXPECT_EQ(json["true_states"].size(), 2u);
  EXPECT_NE(comparison_text(scores).find("2, extra"), std::string::npos);
}

TEST_F(Comparison, SamplesAndJunkAreScoredWithTruth) {
  const auto scores = score_run(run(), truth());
  ASSERT_TRUE(scores.samples);
  EXPECT_GE(scores.samples->intact, 0);
  EXPECT_GT(scores.samples->spread, 0);
  ASSERT_TRUE(scores.truth->outlier_auc);
  EXPECT_GE(*scores.truth->outlier_auc, 0);
  EXPECT_LE(*scores.truth->outlier_auc, 1);
  EXPECT_TRUE(scores.latents);
  EXPECT_EQ(scores.latents->of, 2);
}

TEST_F(Comparison, JunkIsScoredByEvidenceOnceThereIsALandscape) {
  const auto known = truth_of(training::open_run(run()).data.particles, truth());
  // Evidence that is lower for junk by 10 nats, but that a wrong molecule of every two looks like the right
  // one.
  std::vector<float> evidence;
  int wrong = 0, wrong_hidden = 0;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const bool hidden = known.wrong_molecule[i] && wrong++ % 2 == 1;
    wrong_hidden += hidden;
    evidence.push_back(known.junk[i] && !hidden ? -5.0f : 5.0f);
  }
  ASSERT_GT(wrong, 1);
  io::write_npy(run() / "outliers.npy", {known.size(), 1}, evidence);
  const auto scores = score_run(run(), truth());
  EXPECT_EQ(scores.truth->outlier_auc_noise, 1);
  EXPECT_NEAR(*scores.truth->outlier_auc_wrong_molecule, 1 - 0.5 * wrong_hidden / wrong, 1e-9);
  EXPECT_LT(*scores.truth->outlier_auc, 1);
  ASSERT_TRUE(scores.truth->outlier_auc_energy);
  EXPECT_TRUE(comparison_json(std::vector<RunScores>{scores})["runs"][0]["outlier_auc_energy"].is_number());
  io::write_npy(run() / "outliers.npy", {3, 1}, std::vector<float>(3, 0.0f));
  EXPECT_NE(error_of([] { score_run(run(), truth()); }).find("has 3 rows"), std::string::npos);
}

TEST_F(Comparison, LikelihoodsAlongThePathAreScored) {
  // A run whose path is the true one and whose free energy is that of the true positions has nothing to gain.
  const auto data = truth();
  auto opened = training::open_run(run());
  const auto centre = simulation::image_centre(data.scene.coordinates(1), 32 * 3.0).position;
  inference::PathTable path;
  std::vector<float> structures, tangents;
  for (int k = 0; k <= 50; ++k) {
    path.node.push_back(static_cast<float>(k / 50.0));
    const auto x = data.scene.path().at(k / 50.0), t = data.scene.path().tangent(k / 50.0);
    for (std::size_t i = 0; i < x.size(); ++i) structures.push_back(x[i] - static_cast<float>(centre[i % 3]));
    tangents.insert(tangents.end(), t.begin(), t.end());
  }
  std::vector<std::uint32_t> all(kParticles);
  std::iota(all.begin(), all.end(), 0u);
  path.table = inference::tabulate(*opened.model, opened.data, structures, tangents, all);
  inference::write_path_table(run() / "likelihood", path);
  const auto without_energy = score_run(run(), data).truth->path;
  EXPECT_TRUE(without_energy.ml_error_over_bound);
  EXPECT_FALSE(without_energy.free_energy_rms);

  std::vector<double> positions, grid;
  for (std::size_t i = 0; i < data.particles.size(); ++i)
    if (!data.particles.junk[i])
      positions.push_back(data.scene.path().position_of_model(data.particles.model[i]));
  const auto density = inference::fit_population(inference::exact_positions(positions, {0, 1, 101})).density;
  for (int k = 0; k <= 100; ++k) grid.push_back(k / 100.0);
  const nlohmann::json entry{{"kind", "path"}, {"grid", grid}, {"energy", inference::free_energy(density)}};
  replace_text_file(run() / "landscape.json", nlohmann::json{{"free_energy", {entry}}}.dump());
  const std::vector<RunScores> scores{score_run(run(), data)};
  const auto& found = scores[0].truth->path;
  EXPECT_NEAR(found.free_energy_rms.value_or(-1), 0, 1e-6);
  EXPECT_NEAR(found.posterior_error_over_optimal.value_or(-1), 1, 1e-3);
  const auto json = comparison_json(scores)["runs"][0];
  EXPECT_GT(json["ml_error_over_bound"], 0);
  EXPECT_TRUE(has_no_nan(json));
  fs::remove(run() / "landscape.json");
  fs::remove_all(run() / "likelihood");
}

TEST_F(Comparison, ThePageHoldsWhatTheTextDoes) {
  auto odd = score_run(run(), std::nullopt);
  odd.prior = "<i>";
  const auto page = comparison_html(std::vector<RunScores>{odd});
  EXPECT_NE(page.find("<td>held-out bound, nats</td>"), std::string::npos);
  EXPECT_NE(page.find("&lt;i&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<i>"), std::string::npos);
  EXPECT_NE(page.find("run cryoscape landscape"), std::string::npos);
  EXPECT_NE(page.find("</html>"), std::string::npos);
}

TEST_F(Comparison, DifferencesOfBoundsArePairedToTheFirstRun) {
  // The same run a second time, 2 nats better for every particle, one of them with a damaged bound.
  const auto copy = *folder_ / "better";
  fs::copy(run(), copy, fs::copy_options::recursive);
  auto table = io::read_npy_matrix(copy / "held_out.npy");
  ASSERT_GT(table.rows, 5u);
  for (std::size_t i = 0; i < table.rows; ++i) table.values[3 * i + 2] += 2;
  table.values[1] = NAN;
  io::write_npy(copy / "held_out.npy", {table.rows, 3}, table.values);
  const std::vector<RunScores> scores{score_run(run(), std::nullopt), score_run(copy, std::nullopt)};
  const auto json = comparison_json(scores)["runs"];
  EXPECT_GE(json[0]["held_out_importance_bound"], json[0]["held_out_bound"].get<double>() - 0.1);
  EXPECT_EQ(json[0]["bound_difference"], 0);
  EXPECT_NEAR(json[1]["bound_difference"].get<double>(), 2, 1e-3);
  EXPECT_NEAR(json[1]["bound_difference_error"].get<double>(), 0, 1e-3);
  EXPECT_EQ(json[1]["bound_difference_particles"], table.rows - 1);
  EXPECT_NE(comparison_text(scores).find("2.000 +- 0.000"), std::string::npos);
}

TEST_F(Comparison, ErrorsNameWhatDoesNotFit) {
  auto other = truth();
  other.row_of.erase("000007@particles.mrcs");
  const auto unmatched = error_of([&] { score_run(run(), other); });
  EXPECT_NE(unmatched.find("000007@particles.mrcs (row 7) is not in"), std::string::npos) << unmatched;

  write_path(*folder_ / "longer.pdb", kResidues + 3);
  const auto longer = read_truth_data(*folder_ / "data/truth.star", {*folder_ / "longer.pdb"}, false);
  const auto beads = error_of([&] { score_run(run(), longer); });
  EXPECT_NE(beads.find("has 40 beads"), std::string::npos) << beads;
  EXPECT_NE(beads.find("43 residue beads"), std::string::npos) << beads;

  auto atoms = io::read_models(*folder_ / "path.pdb");
  io::ModelSeries few;
  few.atoms = &atoms.front();
  for (int m = 0; m < 10; ++m) few.positions.push_back(io::positions_of(atoms[m]));
  io::write_models(*folder_ / "few.pdb", few);
  const auto beyond =
      error_of([&] { read_truth_data(*folder_ / "data/truth.star", {*folder_ / "few.pdb"}, false); });
  EXPECT_NE(beyond.find("--models have 10"), std::string::npos) << beyond;

  EXPECT_NE(error_of([&] { score_run(*folder_ / "data", std::nullopt); }), "");
  fs::rename(run() / "latents.npy", run() / "hidden.npy");
  const auto unfinished = error_of([&] { score_run(run(), truth()); });
  fs::rename(run() / "hidden.npy", run() / "latents.npy");
  EXPECT_NE(unfinished.find("training has not finished"), std::string::npos) << unfinished;
}
