#include "cryoscape/landscape/particle_table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

/// A folder with a landscape's arrays of three particles, the last one unusable.
fs::path folder_of_three() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = fs::path(testing::TempDir()) / "cryoscape_particle_table" / test->name();
  fs::remove_all(folder);
  fs::create_directories(folder);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto write = [&](const char* name, std::size_t columns, const std::vector<float>& values) {
    io::write_npy(folder / name, {values.size() / columns, columns}, values);
  };
  write("latents.npy", 2, {0.5, 1, -2, 3, nan, nan});
  write("components.npy", 1, {1.5, -2.5, nan});
  write("assignments.npy", 1, {2, 1, 0});
  write("outliers.npy", 6,
        {90, 1, 4, 1.01, 0.2, 50, -30, 0.6, 7, 0.9, 0.4, -9, nan, nan, nan, nan, nan, nan});
  return folder;
}

TEST(ReadParticleTable, NamesWhatTheLandscapeSays) {
  const auto table = read_particle_table(folder_of_three(), 3);
  EXPECT_EQ(table.names(), "state, U, outlier, contrast, chi_square, neighbour_distance, pc1, z1, z2");
  EXPECT_EQ(table.particles(), 3u);
  EXPECT_EQ(table.find("U")->values[0], 0);
  EXPECT_EQ(table.find("U")->values[1], 3);
  EXPECT_EQ(table.find("outlier")->values[1], 30);
  EXPECT_EQ(table.find("z2")->values[1], 3);
  EXPECT_TRUE(std::isnan(table.find("U")->values[2]));
  EXPECT_EQ(table.find("umap1"), nullptr);
}

TEST(ReadParticleTable, TakesEnergiesOfConformationsAndRefinedLatentsWhereThereAreSome) {
  const auto folder = folder_of_three();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  io::write_npy(folder / "conformation_energy.npy", {3, 1}, std::vector<float>{0.5, 2, nan});
  io::write_npy(folder / "refined_mean.npy", {3, 2}, std::vector<float>{7, 8, 9, 10, nan, nan});
  const auto table = read_particle_table(folder, 3);
  EXPECT_EQ(table.find("U")->values[0], 0.5f);  // above the lowest minimum, not the lowest particle
  EXPECT_EQ(table.find("U")->values[1], 2);
  EXPECT_EQ(table.find("z2")->values[1], 10);
}

TEST(ReadParticleTable, SaysWhatIsMissingOrDoesNotFit) {
  const auto folder = folder_of_three();
  EXPECT_NE(error_of([&] { read_particle_table(folder, 4); }).find("has 3 rows, but the run has 4"),
            std::string::npos);
  fs::remove(folder / "assignments.npy");
  EXPECT_NE(error_of([&] { read_particle_table(folder, 3); }).find("run cryoscape landscape"),
            std::string::npos);
}

TEST(StarColumns, AreTextThatRelionReads) {
  const auto table = read_particle_table(folder_of_three(), 3);
  const auto columns = star_columns(table);
  ASSERT_EQ(columns.size(), 5u);
  EXPECT_EQ(columns[0].label, "rlnClassNumber");
  EXPECT_EQ(columns[0].value(0), "2");
  EXPECT_EQ(columns[1].label, "cryoscapeEnergy");
  EXPECT_EQ(columns[1].value(1), "3.000000");
  EXPECT_EQ(columns[2].label, "cryoscapeOutlierScore");
  EXPECT_EQ(columns[2].value(2), "0");
  EXPECT_EQ(columns[4].label, "rlnHeterogeneityLatent2");
  EXPECT_EQ(star_columns(table, {1})[0].value(0), "1");
}

}  // namespace
}  // namespace cryoscape::landscape
