#include "cryoscape/landscape/samples.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/landscape/test_run.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

std::vector<std::vector<double>> rows_of(const fs::path& csv, std::string& head) {
  std::istringstream stream(read_text_file(csv));
  std::getline(stream, head);
  std::vector<std::vector<double>> rows;
  for (std::string line; std::getline(stream, line);) {
    rows.emplace_back();
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(std::stod(field));
  }
  return rows;
}

TEST(WriteSamples, ModelsAreTheLatentsDecodedWithTheirEnergies) {
  auto run = open_test_run();
  const auto summary = write_samples(run, {40, 3, "cif"});
  EXPECT_EQ(summary.count, 40u);
  std::string head;
  const auto rows = rows_of(run.folder.file("structures/samples.csv"), head);
  EXPECT_EQ(head, "index,energy,z1,z2,broken_bonds,clashes");
  const auto models = io::read_models(run.folder.file("structures/samples.cif"));
  ASSERT_EQ(rows.size(), 40u);
  ASSERT_EQ(models.size(), 40u);
  std::size_t broken = 0, clashing = 0, intact = 0;
  const auto topology = training::restraints_of(run.data, run.settings.training);
  for (std::size_t m = 0; m < 40; ++m) {
    const auto& r = rows[m];
    EXPECT_EQ(r[0], static_cast<double>(m + 1));
    EXPECT_NEAR(r[1], 0.5 * (r[2] * r[2] + r[3] * r[3]), 1e-4);  // of the standard normal prior
    const std::vector<float> z{static_cast<float>(r[2]), static_cast<float>(r[3])};
    auto x = training::decode_latents(*run.model, z);
    const auto found = structure::count_violations(topology, x);
    EXPECT_NEAR(found.broken_bonds, r[4], 1);  // latents are rounded in the file
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<float>(run.data.grid.centre[i % 3]);
    EXPECT_LT(geometry::rmsd(io::positions_of(models[m]), x), 2e-3);
    broken += r[4] > 0, clashing += r[5] > 0, intact += r[4] == 0 && r[5] == 0;
  }
  EXPECT_EQ(summary.broken, broken);
  EXPECT_EQ(summary.clashing, clashing);
  EXPECT_EQ(summary.intact, intact);
}

TEST(WriteSamples, FollowTheSeed) {
  auto run = open_test_run();
  const auto drawn = [&](int seed) {
    write_samples(run, {5, seed, "pdb"});
    return read_text_file(run.folder.file("structures/samples.csv"));
  };
  const auto first = drawn(1);
  EXPECT_NE(first, drawn(2));
  EXPECT_EQ(first, drawn(1));
  EXPECT_TRUE(fs::exists(run.folder.file("structures/samples.pdb")));
}

TEST(WriteSamples, RefusesPriorsThatIncludeRestraints) {
  auto run = open_test_run();
  run.settings.training.energy_in_prior = true;
  EXPECT_NE(error_of([&] {
              write_samples(run, {5, 1, "cif"});
            }).find("--energy-in-prior"),
            std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
