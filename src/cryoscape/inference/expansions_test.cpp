#include "cryoscape/inference/expansions.hpp"

#include <gtest/gtest.h>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {
namespace {
namespace fs = std::filesystem;

fs::path folder_of(const std::string& name) {
  const auto folder = fs::path(testing::TempDir()) / ("expansions_test_" + name);
  fs::remove_all(folder);
  return folder;
}

Expansions two_entries() {
  // The second particle lies beyond the integers that float32 holds exactly.
  return {2, {3, 40000001}, {1, 2, 3, 4}, {0.5, -0.5, 0, 1}, {2, 1, 1, 3, 4, 0, 0, 0}, {-7, 11}, {1, 0.25}};
}

TEST(Expansions, WrittenAndReadAreTheSame) {
  const auto folder = folder_of("same");
  const auto e = two_entries();
  write_expansions(folder, e);
  const auto back = read_expansions(folder);
  EXPECT_EQ(back.dim, e.dim);
  EXPECT_EQ(back.particle, e.particle);
  EXPECT_EQ(back.point, e.point);
  EXPECT_EQ(back.score, e.score);
  EXPECT_EQ(back.information, e.information);
  EXPECT_EQ(back.log_ratio, e.log_ratio);
  EXPECT_EQ(back.mass, e.mass);
}

TEST(Expansions, AFileOfAnotherRunIsAnError) {
  const auto folder = folder_of("mixed");
  write_expansions(folder, two_entries());
  io::write_npy(folder / "expansion_score.npy", {3, 2}, std::vector<float>(6));
  EXPECT_THROW(read_expansions(folder), Error);
}

TEST(Expansions, MissingFilesAreAnError) { EXPECT_THROW(read_expansions(folder_of("none")), Error); }

TEST(ScoredDraws, WrittenAndReadAreTheSame) {
  const auto folder = folder_of("draws");
  const ScoredDraws d{3, {0, 0, 7}, {0, 1, 1, 1, 0, 0, 1, 1, 1}, {1, 2, 3}, {-0.1f, -0.2f, -0.3f}};
  write_scored_draws(folder, d);
  const auto back = read_scored_draws(folder);
  EXPECT_EQ(back.particle, d.particle);
  EXPECT_EQ(back.latent, d.latent);
  EXPECT_EQ(back.log_ratio, d.log_ratio);
  EXPECT_EQ(back.log_proposal, d.log_proposal);
}

}  // namespace
}  // namespace cryoscape::inference
