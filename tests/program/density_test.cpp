#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
