#include "cryoscape/report/landscape_record.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cryoscape/report/test_run.hpp"

namespace cryoscape::report {
namespace {

/// What reading says of a whole landscape after a change to it.
std::string message(const std::string& pointer, const std::string& value) {
  const TestRun run("landscape_record");
  run.write_landscape(3);
  auto json = nlohmann::json::parse(read_text_file(run.folder / "landscape.json"));
  json[nlohmann::json::json_pointer(pointer)] = nlohmann::json::parse(value);
  return error_of([&] { landscape_record(json, "landscape.json"); });
}

}  // namespace

TEST(LandscapeRecord, HoldsWhatTheFileSays) {
  const TestRun run("landscape_record_whole");
  run.write_landscape(3);
  const auto record = landscape_record(nlohmann::json::parse(read_text_file(run.folder / "landscape.json")),
                                       "landscape.json");
  ASSERT_EQ(record.free_energy.size(), 3u);
  const auto& exact = record.free_energy[0];
  EXPECT_EQ(exact.bars, "with half-set decoders");
  EXPECT_EQ(exact.high, (std::vector<double>{0.25, 2.5, 1.25, 3}));
  ASSERT_EQ(exact.barriers.size(), 1u);
  EXPECT_EQ(exact.barriers[0].to, 1u);
  EXPECT_EQ(exact.basins[1].position, std::vector<double>{2});
  EXPECT_TRUE(std::isnan(record.free_energy[1].energy[0]));
  EXPECT_EQ(record.free_energy[2].grid[1], (std::vector<double>{5, 6}));
  EXPECT_EQ(record.free_energy[2].units, (std::vector<std::string>{"A", "A"}));
  EXPECT_EQ(record.tree[0].nodes, (std::array<std::size_t, 2>{0, 1}));
  EXPECT_EQ(record.paths[0].lengths[1], 2);
  EXPECT_EQ(record.minima[1].energy, 1.5);
  EXPECT_EQ(record.outlier_threshold, 4.5);
}

TEST(LandscapeRecord, MissingKeysLeaveTheirPartEmpty) {
  const auto record = landscape_record(nlohmann::json::object(), "landscape.json");
  EXPECT_TRUE(record.components.empty() && record.free_energy.empty() && record.minima.empty() &&
              record.tree.empty() && record.paths.empty());
  EXPECT_FALSE(record.outlier_threshold);
  EXPECT_EQ(message("/outliers/threshold", "null"), "");
}

TEST(LandscapeRecord, DamageIsNamed) {
  const std::string along = "landscape.json: the free energy along the pc is damaged";
  for (const auto& [pointer, value] : std::vector<std::pair<std::string, std::string>>{
           {"/free_energy/0/energy", "[0, 1]"},
           {"/free_energy/0/grid", "[0, 1, 1, 2]"},
           {"/free_energy/0/grid", "[0, 1, null, 2]"},
           {"/free_energy/0/grid", "[]"},
           {"/free_energy/0/energy_interval", "[[0, 1, 2, 3]]"},
           {"/free_energy/0/energy_interval", "[[0, 1, 2, 3], [0, 1, 2]]"},
           {"/free_energy/0/raw_histogram", "[1]"},
           {"/free_energy/0/basins/0/position", "[1, 2]"},
           {"/free_energy/0/barriers/0/to", "3"},
           {"/free_energy/0/barriers/0/from", "0.5"}})
    EXPECT_TRUE(message(pointer, value).starts_with(along)) << pointer << ": " << message(pointer, value);
  const std::string tree = "landscape.json: the tree is damaged", path = "landscape.json: a path is damaged";
  EXPECT_TRUE(message("/tree/0/nodes", "[1, 3]").starts_with(tree));
  EXPECT_TRUE(message("/tree/0/nodes", "[2, 2]").starts_with(tree));
  EXPECT_TRUE(message("/tree/0/energy", "null").starts_with(tree));
  EXPECT_TRUE(message("/paths/0/to", "0").starts_with(path));
  EXPECT_TRUE(message("/paths/0/energies", "[1, 2]").starts_with(path));
  EXPECT_TRUE(message("/paths/0/energies_error", "[0.1]").starts_with(path));
  EXPECT_TRUE(
      message("/minima/0/energy", "\"low\"").starts_with("landscape.json: the list of minima is damaged"));
}

}  // namespace cryoscape::report
