#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

TEST(Chain, SimulateTrainReportCompare) {
  const auto folder = test_folder();
  const auto out = folder / "run";
  expect_success(run(train_arguments(small_set().star(), small_set().model(), out)));
  for (const char* name : {"config.toml", "log.txt", "train.jsonl", "checkpoint.pt"})
    EXPECT_TRUE(fs::exists(out / name)) << name;
  for (const char* name : {"latents.npy", "latent_std.npy"}) {
    const auto matrix = io::read_npy_matrix(out / name);
    EXPECT_EQ(matrix.rows, static_cast<std::size_t>(kParticles));
    EXPECT_EQ(matrix.columns, 2u);
    for (const float value : matrix.values) EXPECT_TRUE(std::isfinite(value));
  }
  for (const auto& line : lines(read_text_file(out / "train.jsonl"))) {
    const auto record = nlohmann::json::parse(line);
    for (const char* key :
         {"step", "epoch", "images_per_second", "loss", "log_likelihood", "kl", "restraint", "bound"})
      EXPECT_TRUE(record[key].is_number()) << key << " in " << line;
  }

  const auto refined = run({"refine", out, "--iterations", "2", "--json"});
  expect_success(refined);
  EXPECT_EQ(nlohmann::json::parse(refined.out, nullptr, false)["usable"], kParticles);
  EXPECT_EQ(io::read_npy_matrix(out / "refined_mean.npy").rows, static_cast<std::size_t>(kParticles));
  EXPECT_TRUE(fs::exists(out / "likelihood/expansion_information.npy"));

  expect_success(run({"report", out}));
  const auto page = read_text_file(out / "report.html");
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_NE(page.find("</html>"), std::string::npos);

  const auto compared = run({"compare", out, "--truth", small_set().folder / "truth.star", "--models",
                             small_set().model(), "--json"});
  expect_success(compared);
  const auto runs = nlohmann::json::parse(compared.out, nullptr, false)["runs"];
  ASSERT_GE(runs.size(), 1u);
  EXPECT_EQ(runs[0]["prior"], "gaussian");
  EXPECT_TRUE(runs[0]["held_out_bound"].is_number());
}

TEST(Chain, CommandsOnFoldersThatAreNoRuns) {
  const auto folder = test_folder();
  expect_one_line(run({"report", folder / "none"}), 1, {"none"});
  expect_one_line(run({"compare", folder / "none"}), 1, {"none"});
  expect_one_line(run({"refine", folder / "none"}), 1, {"none"});
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(Chain, RunGivesStatesModelsAndAPage) {
  const auto folder = test_folder();
  const auto out = folder / "run";
  auto arguments = train_arguments(small_set().star(), small_set().model(), out);
  arguments.front() = "run";
  arguments.push_back("--json");
  const auto result = run(arguments);
  expect_success(result);
  const auto states = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_TRUE(states.is_object()) << result.out;
  EXPECT_EQ(states["particles"], kParticles);
  double sum = 0;
  for (const auto& state : states["states"]) {
    sum += state["population"].get<double>();
    EXPECT_TRUE(fs::exists(out / state["model"].get<std::string>())) << state;
    EXPECT_TRUE(fs::exists(out / state["map"].get<std::string>())) << state;
    for (const char* key : {"id", "population_error", "energy", "energy_error", "particles"})
      EXPECT_TRUE(state[key].is_number()) << key << " in " << state;
  }
  EXPECT_NEAR(sum, 1, 1e-6);
  for (const char* name :
       {"states.json", "landscape.json", "particles.star", "report.html", "structures/reference.cif"})
    EXPECT_TRUE(fs::exists(out / name)) << name;

  expect_success(run({"decode", out, "--particles", "--out", folder / "all.npy"}));
  const auto decoded = io::read_npy(folder / "all.npy");
  ASSERT_EQ(decoded.shape.size(), 3u);
  EXPECT_EQ(decoded.shape[0], static_cast<std::size_t>(kParticles));
  EXPECT_EQ(decoded.shape[2], 3u);

  // A second landscape replaces the first and leaves training alone. It takes the encoder's latents: by so
  // short a training images say nothing of them, and the refined ones are all the prior's mean.
  EXPECT_TRUE(fs::exists(out / "refine.json"));
  fs::remove(out / "refined_mean.npy");
  const auto latents = read_text_file(out / "latents.npy");
  expect_success(run({"landscape", out, "--clustering", "kmeans", "--states", "2", "--format", "both"}));
  EXPECT_TRUE(fs::exists(out / "structures/states/state_02.pdb"));
  EXPECT_FALSE(fs::exists(out / "structures/states/state_03.cif"));
  EXPECT_EQ(read_text_file(out / "latents.npy"), latents);
}
