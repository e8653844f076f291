#include "cryoscape/landscape/half_agreement.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/random.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

/// Ten beads, of which the last lies off by `bend` Å; turned about z by `angle`.
std::vector<float> molecule(double bend, double angle = 0) {
  Philox random(3);
  std::vector<float> out;
  for (int n = 0; n < 10; ++n) {
    const double x = 10 * random.normal() + (n == 9 ? bend : 0), y = 10 * random.normal();
    out.push_back(static_cast<float>(std::cos(angle) * x - std::sin(angle) * y));
    out.push_back(static_cast<float>(std::sin(angle) * x + std::cos(angle) * y));
    out.push_back(static_cast<float>(10 * random.normal()));
  }
  return out;
}

TEST(CompareHalves, MatchesTheSameStatesInAnyOrderAndFrame) {
  const std::vector<HalfState> own{
      {0.6, 0.02, molecule(0)}, {0.3, 0.02, molecule(8)}, {0.1, 0.01, molecule(-8)}},
      other{{0.55, 0.03, molecule(8.5, 1)}, {0.45, 0.03, molecule(0.5, 2)}};
  const auto found = compare_halves(own, other);
  ASSERT_EQ(found.matches.size(), 2u);
  EXPECT_EQ(found.matches[0].other, 1u);
  EXPECT_EQ(found.matches[1].other, 0u);
  EXPECT_NEAR(found.matches[0].difference, 0.15, 1e-12);
  EXPECT_NEAR(found.matches[0].error, std::hypot(0.02, 0.03), 1e-12);
  EXPECT_LT(found.matches[0].rmsd, 0.5 / std::sqrt(10));
  EXPECT_NEAR(found.agreement, 0.45 + 0.3, 1e-12);
  EXPECT_TRUE(found.found_in_both(1));
  EXPECT_FALSE(found.found_in_both(2));
  const auto json = half_agreement_json(found, "other");
  EXPECT_EQ(json.at("kept"), 2);
  EXPECT_EQ(json.at("matches")[1].at("states"), nlohmann::json({2, 1}));
}

TEST(CompareHalves, SingleStatesAreOne) {
  const std::vector<HalfState> own{{1, 0, molecule(0)}}, other{{1, 0, molecule(3)}};
  const auto found = compare_halves(own, other);
  EXPECT_EQ(found.agreement, 1);
  EXPECT_TRUE(half_agreement_json(found, "other").at("tolerance").is_null());
}

TEST(CompareHalves, RefusesModelsOfOtherMolecules) {
  const std::vector<HalfState> own{{1, 0, molecule(0)}}, other{{1, 0, std::vector<float>(6, 0.0f)}};
  EXPECT_NE(error_of([&] { compare_halves(own, other); }).find("10 and 2 beads"), std::string::npos);
}

TEST(KeepFoundInBoth, RenumbersStatesAndFreesParticles) {
  StateSet states;
  for (const double p : {0.5, 0.3, 0.2}) {
    State s;
    s.population = p, s.energy = -std::log(p / 0.5);
    states.states.push_back(s);
  }
  states.assignment = {1, 2, 3, 3, 1};
  states.barriers = {{0, 1, 1, 1}, {0, 2, 2, 2}, {1, 2, 3, 4}};
  HalfAgreement agreement;
  agreement.matches = {{1, 0, 0.1, 0, 0}, {2, 1, 0.1, 0, 0}};
  keep_found_in_both(states, agreement);
  ASSERT_EQ(states.states.size(), 2u);
  EXPECT_EQ(states.assignment, (std::vector<int>{0, 1, 2, 2, 0}));
  EXPECT_EQ(states.states[0].energy, 0);
  EXPECT_NEAR(states.states[1].energy, std::log(1.5), 1e-12);
  EXPECT_EQ(states.states[1].population, 0.2);
  ASSERT_EQ(states.barriers.size(), 1u);
  EXPECT_EQ(states.barriers[0].a, 0u);
  EXPECT_EQ(states.barriers[0].from_b, 4);
  keep_found_in_both(states, {});
  EXPECT_TRUE(states.states.empty());
}

TEST(ReadHalfStates, SaysWhatIsMissing) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "cryoscape_half_agreement";
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / "states.json");
  EXPECT_NE(error_of([&] { read_half_states(folder); }).find("run cryoscape landscape"), std::string::npos);
  replace_text_file(folder / "states.json", "{\"states\": [{}]}");
  EXPECT_NE(error_of([&] { read_half_states(folder); }).find("is damaged"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
