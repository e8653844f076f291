#include "cryoscape/report/found_states.hpp"

#include <gtest/gtest.h>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::report;
namespace fs = std::filesystem;

namespace {

/// A folder that counts as a run, removed at the test's end.
class FoundStates : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(testing::TempDir()) /
            ("found_states_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(path_);
    replace_text_file(path_ / "config.toml", "");
  }
  void TearDown() override { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    replace_text_file(path_ / name, text);
  }
  RunRecord record() const { return read_run_record(path_); }

  fs::path path_;
};

}  // namespace

TEST_F(FoundStates, KeepTheirOrder) {
  EXPECT_TRUE(found_states(record()).empty());
  write(
      "states.json",
      R"({"particles": 10, "states": [{"id": 1, "population": 0.7, "population_error": 0.02, "model": "a.cif"},
            {"id": 2, "population": 0.3, "population_error": null, "model": "b.cif"}]})");
  const auto states = found_states(record());
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[0].id, 1);
  EXPECT_EQ(states[0].population_error, 0.02);
  EXPECT_EQ(states[1].population, 0.3);
  EXPECT_FALSE(states[1].population_error);
}

TEST_F(FoundStates, NeedAPopulation) {
  write("states.json", R"({"states": [{"id": 1}]})");
  EXPECT_NE(error_of([&] { found_states(record()); }).find("states.json: state 1 has no population"),
            std::string::npos);
}

TEST_F(FoundStates, ModelsMustBeTheRuns) {
  write("states.json", R"({"states": [{"id": 1, "population": 1}]})");
  auto states = found_states(record());
  EXPECT_NE(error_of([&] { read_state_models(record(), 2, states); }).find("has no model"),
            std::string::npos);
  write("states.json", R"({"states": [{"id": 1, "population": 1, "model": "state.pdb"}]})");
  EXPECT_NE(error_of([&] { read_state_models(record(), 2, states); }).find("state.pdb"), std::string::npos);
  write("state.pdb",
        "ATOM      1  CA  GLY A   1       1.000   2.000   3.000  1.00  0.00           C\n"
        "ATOM      2  CA  GLY A   2       4.800   2.000   3.000  1.00  0.00           C\nEND\n");
  read_state_models(record(), 2, states);
  EXPECT_EQ(states[0].model, (std::vector<float>{1, 2, 3, 4.8f, 2, 3}));
  EXPECT_NE(
      error_of([&] { read_state_models(record(), 3, states); }).find("2 atoms, but the run has 3 beads"),
      std::string::npos);
}

TEST_F(FoundStates, AssignmentsFitTheParticles) {
  EXPECT_FALSE(read_assignments(path_, 3));
  io::write_npy(path_ / "assignments.npy", {3, 1}, std::vector<float>{2, 0, 1});
  EXPECT_EQ(*read_assignments(path_, 3), (std::vector<int>{2, 0, 1}));
  EXPECT_NE(error_of([&] { read_assignments(path_, 4); }).find("3 rows of 1, but the run has 4 particles"),
            std::string::npos);
}
