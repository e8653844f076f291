#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/io/mrc.hpp"
#include "cryoscape/util/files.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> density_arguments(const std::string& particles, const fs::path& out,
                                           std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"density", particles, "--method", "backproject", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST(Density, ReconstructsParticlesWithoutARun) {
  const auto out = test_folder() / "maps";
  const auto result = run(density_arguments(small_set().star(), out, {"--json", "--threads", "2"}));
  expect_success(result);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["box"], kBox);
  EXPECT_EQ(json["particles"][0].get<int>() + json["particles"][1].get<int>(), kParticles);
  EXPECT_EQ(json["fsc"]["corrected"].size(), static_cast<std::size_t>(kBox / 2 + 1));
  for (const char* name : {"map.mrc", "half1.mrc", "half2.mrc"}) {
    const auto map = io::read_mrc_volume(out / name);
    EXPECT_EQ(map.nx, kBox);
    EXPECT_NEAR(map.pixel_size, 3, 1e-5);
  }
  EXPECT_NE(read_text_file(out / "fsc.star").find("_rlnFourierShellCorrelationCorrected"), std::string::npos);
}

TEST(Density, ExistingMapsAreKeptUnlessForced) {
  const auto out = test_folder() / "maps";
  expect_success(run(density_arguments(small_set().star(), out, {"--threads", "1"})));
  const auto before = snapshot(out);
  EXPECT_EQ(before.size(), 4u);
  expect_one_line(run(density_arguments(small_set().star(), out)), 1, {"map.mrc", "exists", "--force"});
  EXPECT_TRUE(snapshot(out) == before);
  expect_success(run(density_arguments(small_set().star(), out, {"--force", "--threads", "3"})));
  EXPECT_TRUE(snapshot(out) == before) << "threads change the maps";
}

TEST(Density, WrongUseIsOneLine) {
  const auto out = test_folder() / "maps";
  const auto star = small_set().star();
  expect_one_line(run({"density", star}), 2, {"--out"});
  expect_one_line(run({"density", star, "--out", out, "--method", "magic"}), 2, {"--method", "backproject"});
  expect_one_line(run(density_arguments(star, out, {"--symmetry", "Z4"})), 1, {"Z4", "point group"});
  expect_one_line(run(density_arguments(star, out, {"--b-factor", "much"})), 2, {"--b-factor", "auto"});
  expect_last_line(run(density_arguments(star, out, {"--mask", star})), 1, {star});
  EXPECT_FALSE(fs::exists(out));
}

namespace {

/// A copy of the small run with its states.
fs::path run_with_states(const fs::path& folder) {
  const auto out = folder / "run";
  fs::copy(small_run(), out, fs::copy_options::recursive);
  expect_success(run({"landscape", out, "--clustering", "kmeans", "--states", "2"}));
  return out;
}

}  // namespace

TEST(Density, MapsOfARunsStates) {
  const auto out = run_with_states(test_folder());
  for (const std::string method : {"backproject", "kernel", "neural", "deform"}) {
    const auto result = run({"density", out, "--method", method, "--json"});
    expect_success(result);
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["settings"]["method"], method);
    ASSERT_EQ(json["targets"].size(), 2u);
    const auto maps = out / "maps";
    const auto map = io::read_mrc_volume(maps / "state_02.mrc");
    EXPECT_EQ(map.nx, kBox);
    // The file's frame puts the box's centre where the reference's centre is.
    const auto model = io::read_models(maps / "state_02_model.cif").front();
    double centre = 0;
    for (const auto& atom : model.atoms) centre += atom.position[0] / static_cast<double>(model.atoms.size());
    EXPECT_NEAR(centre, map.origin[0] + kBox / 2 * map.pixel_size, 10);
    for (const char* name : {"state_01_half1.mrc", "state_01_half2.mrc", "state_01_residues.csv", "maps.cxc"})
      EXPECT_TRUE(fs::exists(maps / name)) << name;
    EXPECT_NE(read_text_file(maps / "fsc.star").find("data_fsc_state_02"), std::string::npos);
  }
  const auto states = nlohmann::json::parse(read_text_file(out / "states.json"));
  EXPECT_EQ(states["states"][1]["map"], "maps/state_02.mrc");
  EXPECT_TRUE(states["states"][1].contains("map_warning")) << "30 particles are few";
  expect_success(run({"report", out}));
  EXPECT_TRUE(fs::exists(out / "figures" / "fsc.svg"));
}

TEST(Density, FinishedMapsAreNotMadeAgain) {
  const auto folder = test_folder();
  const auto out = run_with_states(folder), maps = folder / "maps";
  expect_success(run({"density", out, "--method", "kernel", "--out", maps}));
  const auto whole = snapshot(maps);
  // As if the pass had been cut off after the first map.
  auto json = nlohmann::ordered_json::parse(read_text_file(maps / "density.json"));
  json["targets"].erase(1);
  replace_text_file(maps / "density.json", json.dump(2) + "\n");
  fs::remove(maps / "state_02.mrc");
  const auto first = fs::last_write_time(maps / "state_01.mrc");
  expect_last_line(run({"density", out, "--method", "kernel", "--out", maps}), 1,
                   {"density.json", "--force"});
  expect_last_line(run({"density", out, "--method", "deform", "--out", maps, "--resume"}), 1,
                   {"other options"});
  expect_success(run({"density", out, "--method", "kernel", "--out", maps, "--resume"}));
  EXPECT_EQ(fs::last_write_time(maps / "state_01.mrc"), first);
  EXPECT_TRUE(snapshot(maps) == whole);
}

TEST(Density, MapsOfAnyConformation) {
  const auto folder = test_folder();
  const auto out = run_with_states(folder);
  const auto pca = out / "structures" / "pca" / "pc1.cif";
  const auto result = run({"density", out, "--at", pca, "--out", folder / "maps", "--json"});
  expect_success(result);
  EXPECT_EQ(nlohmann::json::parse(result.out)["targets"].size(), 10u);
  EXPECT_TRUE(fs::exists(folder / "maps" / "model_010.mrc"));
  expect_last_line(run({"density", out, "--at", small_set().star(), "--out", folder / "b"}), 1,
                   {"particles.star"});
  expect_last_line(run({"density", out, "--at", folder / "none.npy", "--out", folder / "b"}), 1,
                   {"none.npy"});
}

TEST(Density, TheFieldsWidthChangesTheMap) {
  const auto folder = test_folder();
  const std::string model = small_set().model();
  const auto map_of = [&](const std::string& width) {
    const auto out = folder / ("width_" + width);
    expect_success(run({"density", small_run(), "--at", model, "--field-width", width, "--out", out}));
    return io::read_mrc_volume(out / "model_001.mrc").data;
  };
  EXPECT_NE(map_of("6"), map_of("30"));
  expect_one_line(run({"density", small_run(), "--field-width", "0"}), 2, {"--field-width is 0"});
}

TEST(Density, IndependentHalvesFromTwoRuns) {
  const auto folder = test_folder();
  for (const std::string half : {"1", "2"})
    expect_success(
        run(train_arguments(small_set().star(), small_set().model(), folder / half, {"--half", half})));
  const auto result = run({"density", folder / "1", "--half-run", folder / "2", "--at", small_set().model(),
                           "--out", folder / "maps", "--json"});
  expect_success(result);
  const auto json = nlohmann::json::parse(result.out);
  const auto& count = json["targets"][0]["particles"];
  EXPECT_EQ(count[0].get<int>() + count[1].get<int>(), kParticles);
  EXPECT_EQ(json["settings"]["half_run"], (folder / "2").string());
  expect_last_line(run({"density", folder / "1", "--half-run", folder / "1", "--at", small_set().model()}), 2,
                   {"--half 1", "--half 2"});
}

TEST(Density, WrongUseOfARunIsOneLine) {
  const auto folder = test_folder();
  const auto out = folder / "run";
  fs::copy(small_run(), out, fs::copy_options::recursive);
  expect_last_line(run({"density", out}), 1, {"states.json", "run cryoscape landscape"});
  expect_one_line(run({"density", out, "--symmetry", "C4"}), 2, {"--symmetry", "run"});
  expect_one_line(run({"density", folder / "none"}), 1, {"none"});
  expect_one_line(run({"density", small_set().star(), "--method", "deform", "--out", folder / "m"}), 2,
                  {"--method deform", "run"});
  expect_last_line(run({"density", out, "--half-run", small_run()}), 2, {"--half 1", "--half 2"});
  expect_last_line(run({"density", out, "--method", "backproject", "--at", small_set().model()}), 2,
                   {"--at"});
}
