#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

/// A copy of the small run.
fs::path copy_of_small_run() {
  const auto out = test_folder() / "run";
  fs::copy(small_run(), out, fs::copy_options::recursive);
  return out;
}

}  // namespace

TEST(Export, WritesParticlesOfTheLandscape) {
  const auto out = copy_of_small_run();
  const auto file = out.parent_path() / "part.star";
  expect_last_line(run({"export", out, "--state", "1", "--out", file}), 1, {"run cryoscape landscape"});
  expect_success(run({"landscape", out}));
  for (const char* name : {"embedding.npy", "outliers.npy"}) EXPECT_TRUE(fs::exists(out / name)) << name;
  const auto landscape = nlohmann::json::parse(read_text_file(out / "landscape.json"));
  for (const char* key : {"embedding", "outliers", "pose_information", "half_sets"})
    EXPECT_TRUE(landscape.contains(key)) << key;

  expect_success(run({"export", out, "--region", "U >= 0 and state = 1", "--out", file}));
  const auto state = io::read_star_tables(file).back();
  EXPECT_GE(state.table.column("cryoscapeEnergy"), 0);
  EXPECT_GE(state.table.column("cryoscapeOutlierScore"), 0);
  EXPECT_GT(state.rows.size(), 0u);
  expect_one_line(run({"export", out, "--outliers", "50", "--out", file}), 1, {"part.star", "--force"});
  expect_success(run({"export", out, "--outliers", "50", "--out", file, "--force"}));
  EXPECT_EQ(io::read_star_tables(file).back().rows.size(), static_cast<std::size_t>(kParticles / 2));
  // What was exported can be trained on.
  const auto subset = run(train_arguments(small_set().star(), small_set().model(),
                                          out.parent_path() / "again", {"--epochs", "1", "--subset", file}));
  expect_success(subset);
}

TEST(Export, SaysWhatIsWrong) {
  const auto folder = test_folder();
  expect_one_line(run({"export", small_run(), "--state", "1"}), 2, {"--out"});
  expect_one_line(run({"export", small_run(), "--out", folder / "a.star"}), 2, {"--state", "--region"});
  expect_one_line(run({"export", small_run(), "--state", "0", "--out", folder / "a.star"}), 2, {"--state"});
  expect_one_line(run({"export", folder / "none", "--state", "1", "--out", folder / "a.star"}), 1, {"none"});
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(Sample, DrawsConformations) {
  const auto out = copy_of_small_run();
  const auto result = run({"sample", out, "-n", "7", "--seed", "2", "--json"});
  expect_success(result);
  EXPECT_EQ(nlohmann::json::parse(result.out)["samples"], 7);
  EXPECT_EQ(lines(read_text_file(out / "structures/samples.csv")).size(), 8u);
  EXPECT_NE(run({"sample", out, "--n", "3"}).out.find("3 conformations"), std::string::npos);
  expect_one_line(run({"sample", out, "-n", "0"}), 2, {"--n is 0"});
  expect_one_line(run({"sample", out / "none"}), 1, {"none"});
}

TEST(Landscape, SaysWhatIsWrong) {
  const auto out = copy_of_small_run();
  expect_last_line(run({"landscape", out, "--density", "refitted"}), 1, {"refitted", "cryoscape refine"});
  expect_last_line(run({"landscape", out, "--nodes", "models", "--variable", "pc1;distance:A:1-3,A:20-22"}),
                   2, {"--nodes models"});
  EXPECT_FALSE(fs::exists(out / "landscape.json"));
}

TEST(Landscape, TheOtherHalfSetWidensItsBars) {
  const auto folder = test_folder();
  for (const std::string half : {"1", "2"})
    expect_success(run(train_arguments(small_set().star(), small_set().model(), folder / half,
                                       {"--half", half, "--epochs", "20", "--learning-rate", "0.01", "--beta",
                                        "0.01"})));  // so that they move
  // Of the models' own path, of which the grids are the same: so small decoders may not meet.
  const auto landscape = [&](const std::string& half, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"landscape", folder / half};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = run(arguments);
    expect_success(result);
    return result.err;
  };
  const auto entry = [&] {
    return nlohmann::json::parse(read_text_file(folder / "1/landscape.json")).at("free_energy").at(0);
  };
  const std::vector<std::string> along{"--variable", "path:" + small_set().model(), "--nodes", "models"};
  auto compared = along;
  compared.insert(compared.end(), {"--half-run", folder / "2"});
  landscape("2", {});
  const auto warning = landscape("1", compared);
  EXPECT_NE(warning.find("run cryoscape landscape " + (folder / "2").string() + " --variable '" + along[1] +
                         "' --nodes models"),
            std::string::npos)
      << warning;
  EXPECT_EQ(entry()["bars"], "given the decoder");
  landscape("2", along);
  landscape("1", compared);
  EXPECT_EQ(entry()["bars"], "with half-set decoders") << entry()["bars_notice"];
  EXPECT_EQ(entry()["decoder_error"].size(), entry()["energy"].size());
}
