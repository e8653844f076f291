#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cryoscape/util/test_data.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
namespace fs = std::filesystem;

namespace {

/// Real files of other programs; skipped where they are not.
class RealData : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = test_data();
    if (!data) GTEST_SKIP() << "no shared data: set CRYOSCAPE_TEST_DATA";
    data_ = *data;
  }
  std::string format(const char* name) const { return data_ / "formats" / name; }

  fs::path data_;
};

nlohmann::json inspect(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "inspect");
  arguments.emplace_back("--json");
  const auto result = run(arguments);
  expect_success(result);
  EXPECT_EQ(result.err.find("cryoscape: "), std::string::npos) << result.err;
  return nlohmann::json::parse(result.out, nullptr, false);
}

bool any_holds(const nlohmann::json& texts, const std::string& part) {
  for (const auto& text : texts)
    if (text.get<std::string>().find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_F(RealData, InspectRelion31WithItsStack) {
  const auto json = inspect({format("relion31.star")});
  EXPECT_EQ(json["particles"], 5);
  EXPECT_EQ(json["stacks_missing"], 0);
  EXPECT_EQ(json["optics_groups"][0]["box"], 256);
  EXPECT_NEAR(json["optics_groups"][0]["pixel_size"], 2.806, 1e-6);
  EXPECT_EQ(json["images"]["read"], 5);
  EXPECT_NE(json["more"]["contrast"].get<std::string>().find("--model"), std::string::npos);
  EXPECT_TRUE(any_holds(json["warnings"], "too few"));
}

TEST_F(RealData, InspectSixOpticsGroupsWithoutImages) {
  const auto json = inspect({format("relion31.6opticsgroups.star"), "--model", data_ / "adk/adk_closed.pdb"});
  EXPECT_EQ(json["particles"], 139);
  EXPECT_EQ(json["optics_groups"].size(), 6u);
  EXPECT_EQ(json["stacks_missing"], json["stacks"]);
  EXPECT_TRUE(any_holds(json["warnings"], "images are missing"));
  EXPECT_NE(json["more"]["contrast"].get<std::string>().find("images are missing"), std::string::npos);
  EXPECT_NE(json["more"]["model"].get<std::string>().find("214 beads, centred"), std::string::npos);
}

TEST_F(RealData, InspectCryosparcWithoutImages) {
  const auto json = inspect({format("cryosparc_P12_J24_001_particles.cs")});
  EXPECT_EQ(json["particles"], 2019);
  EXPECT_EQ(json["format"], "cryoSPARC");
  EXPECT_EQ(json["stacks_missing"], json["stacks"]);
}

TEST_F(RealData, ParticlesWithoutPosesAreRefused) {
  expect_one_line(run({"inspect", format("toy_projections_13.star")}), 1,
                  {"toy_projections_13.star", "rlnAngleRot", "no poses"});
}

TEST_F(RealData, RunsOnFewParticlesWithAModelThatDoesNotFit) {
  const auto out = test_folder() / "run";
  const auto result = run({"run", format("relion31.star"), "--model", data_ / "adk/adk_closed.pdb", "--out",
                           out, "--epochs", "2", "--box", "64", "--latent-dim", "2"});
  expect_success(result);
  EXPECT_NE(result.err.find("warning: the reference's projections do not match the images"),
            std::string::npos)
      << result.err;
  EXPECT_EQ(result.err.find("cryoscape: "), std::string::npos) << result.err;
  for (const char* name : {"latents.npy", "states.json", "particles.star", "report.html",
                           "structures/states/state_01_allatom.cif"})
    EXPECT_TRUE(fs::exists(out / name)) << name;
}
