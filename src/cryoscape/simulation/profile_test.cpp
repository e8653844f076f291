#include "cryoscape/simulation/profile.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/test_data.hpp"

using namespace cryoscape;
using namespace cryoscape::simulation;

namespace {

std::filesystem::path write(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "simulation_profile_test.csv";
  replace_text_file(path, text);
  return path;
}

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Two wells of different depth and width.
EnergyProfile double_well(int nodes) {
  EnergyProfile p;
  for (int i = 0; i < nodes; ++i) {
    const double x = static_cast<double>(i) / (nodes - 1);
    p.position.push_back(x);
    p.energy.push_back(3 + -std::log(std::exp(-std::pow((x - 0.25) / 0.08, 2)) +
                                     0.3 * std::exp(-std::pow((x - 0.7) / 0.1, 2)) + 1e-4));
  }
  return p;
}

}  // namespace

TEST(Populations, AreParsed) {
  const auto p = parse_populations("10:0.65,50.5:0.05, 85:3e-1");
  ASSERT_EQ(p.size(), 3u);
  EXPECT_EQ(p[0].model, 10);
  EXPECT_EQ(p[1].model, 50.5);
  EXPECT_EQ(p[2].weight, 0.3);
}

TEST(Populations, BadTextIsNamed) {
  for (const char* text :
       {"10", "10:", ":0.3", "10:0.3,x:0.7", "10:0.3;20:0.7", "", "10:nan", "10:0.5,,20:1"})
    EXPECT_NE(message([&] { parse_populations(text); }).find("--populations"), std::string::npos) << text;
  EXPECT_NE(message([] { parse_populations("10:0.3,x:0.7"); }).find("'x:0.7'"), std::string::npos);
}

TEST(Populations, CentresOutsideTheModelsAreRefused) {
  EXPECT_NE(message([] { PopulationDistribution({{99, 1}}, 0, 98); }).find("1 to 98"), std::string::npos);
  EXPECT_NE(message([] { PopulationDistribution({{0.5, 1}}, 0, 98); }).find("1 to 98"), std::string::npos);
  EXPECT_NE(message([] { PopulationDistribution({{5, -1}}, 0, 98); }).find("negative"), std::string::npos);
  EXPECT_NE(message([] { PopulationDistribution({{5, 0}}, 0, 98); }).find("zero"), std::string::npos);
}

TEST(Populations, SharesAndSpreadAreThoseAsked) {
  const PopulationDistribution d(parse_populations("10:6.5,50:0.5,85:3"), 2, 98);
  constexpr int kDraws = 40000;
  Philox random(1);
  std::vector<double> count(4), sum(4), square(4);
  const double centre[] = {0, 10, 50, 85}, weight[] = {0, 0.65, 0.05, 0.30};
  for (int i = 0; i < kDraws; ++i) {
    const auto p = d.draw(random);
    const double x = p.model - centre[p.state];
    count[p.state] += 1, sum[p.state] += x, square[p.state] += x * x;
  }
  for (int k = 1; k <= 3; ++k) {
    EXPECT_NEAR(count[k] / kDraws, weight[k], 4 * std::sqrt(weight[k] * (1 - weight[k]) / kDraws));
    EXPECT_NEAR(sum[k] / count[k], 0, 4 * 2 / std::sqrt(count[k]));
    EXPECT_NEAR(square[k] / count[k], 4, 4 * 4 * std::sqrt(2 / count[k]));
  }
}

TEST(Populations, SpreadNeverLeavesTheModels) {
  const PopulationDistribution d({{1, 0.5}, {10, 0.5}, {5, 0}}, 6, 10);
  Philox random(2);
  for (int i = 0; i < 5000; ++i) {
    const auto p = d.draw(random);
    EXPECT_GE(p.model, 1);
    EXPECT_LE(p.model, 10);
    EXPECT_NE(p.state, 3);
  }
}

TEST(Populations, NoSpreadGivesExactlyTheModels) {
  const PopulationDistribution d({{3, 1}, {7.5, 1}}, 0, 10);
  Philox random(2);
  for (int i = 0; i < 100; ++i) {
    const auto p = d.draw(random);
    EXPECT_EQ(p.model, p.state == 1 ? 3 : 7.5);
  }
}

TEST(Profile, ReadsWithAndWithoutHeading) {
  for (const char* text :
       {"position,energy_kT\n0,1\n0.5,0\n1,2.5\n", "# made by hand\r\n0, 1\r\n0.5, 0\r\n\r\n1, 2.5\r\n"}) {
    const auto p = read_profile(write(text));
    EXPECT_EQ(p.position, (std::vector<double>{0, 0.5, 1}));
    EXPECT_EQ(p.energy, (std::vector<double>{1, 0, 2.5}));
  }
}

TEST(Profile, BadLinesAreNamed) {
  EXPECT_NE(message([] { read_profile(write("0,1\n0.5;0\n")); }).find("line 2"), std::string::npos);
  EXPECT_NE(message([] { read_profile(write("0,1\n0.5,x\n")); }).find("line 2"), std::string::npos);
  EXPECT_NE(message([] { read_profile(write("0,1\n0.5,2\n0.4,1\n")); }).find("increase"), std::string::npos);
  EXPECT_NE(message([] { read_profile(write("0,1\n1.5,2\n")); }).find("between 0 and 1"), std::string::npos);
  EXPECT_NE(message([] { read_profile(write("a,b\n0,1\n")); }).find("at least two"), std::string::npos);
  EXPECT_NE(message([] { read_profile("/nowhere/p.csv"); }).find("/nowhere/p.csv"), std::string::npos);
}

TEST(Profile, DrawsFollowTheBoltzmannDensity) {
  const auto profile = double_well(21);
  const ProfileDistribution d(profile, 50);
  // Exact share of each of 40 bins by fine summation of the interpolated energy.
  constexpr int kBins = 40, kFine = 4000, kDraws = 60000;
  std::vector<double> exact(kBins), found(kBins);
  for (int i = 0; i < kFine; ++i) {
    const double x = (i + 0.5) / kFine * 20;
    const auto k = static_cast<std::size_t>(x);
    const double e =
        profile.energy[k] + (x - static_cast<double>(k)) * (profile.energy[k + 1] - profile.energy[k]);
    exact[static_cast<std::size_t>(i) * kBins / kFine] += std::exp(-e);
  }
  const double total = std::accumulate(exact.begin(), exact.end(), 0.0);
  Philox random(11);
  for (int i = 0; i < kDraws; ++i)
    found[std::min(kBins - 1, static_cast<int>((d.draw(random).model - 1) / 49 * kBins))] += 1;
  double chi2 = 0;
  for (int b = 0; b < kBins; ++b) {
    const double expected = exact[b] / total * kDraws;
    chi2 += (found[b] - expected) * (found[b] - expected) / expected;
  }
  EXPECT_LT(chi2, kBins - 1 + 5 * std::sqrt(2.0 * (kBins - 1)));
}

TEST(Profile, StatesAreTheBasinsBetweenMaxima) {
  const ProfileDistribution d(double_well(401), 50);
  ASSERT_EQ(d.states(), 2);
  EXPECT_NEAR(d.barriers()[0], 0.47, 0.03);
  EXPECT_EQ(d.state_at(0.1), 1);
  EXPECT_EQ(d.state_at(0.9), 2);
  const auto p = d.populations();
  EXPECT_NEAR(p[0] + p[1], 1, 1e-12);
  // Gaussian wells: weights 0.08 and 0.3·0.1, on a floor of 1e-4/√π per unit length.
  EXPECT_NEAR(p[0] / p[1], 0.08 / 0.03, 0.02);
  Philox random(4);
  double first = 0;
  for (int i = 0; i < 20000; ++i) first += d.draw(random).state == 1;
  EXPECT_NEAR(first / 20000, p[0], 4 * std::sqrt(p[0] * p[1] / 20000));
}

TEST(Profile, RipplesAndSlopesMakeNoStates) {
  EnergyProfile p;
  for (int i = 0; i <= 100; ++i)
    p.position.push_back(i / 100.0), p.energy.push_back(0.05 * i + 0.01 * (i % 2));
  EXPECT_EQ(ProfileDistribution(p, 10).states(), 1);
  for (auto& e : p.energy) e = 5 - e;
  EXPECT_EQ(ProfileDistribution(p, 10).states(), 1);
  for (auto& e : p.energy) e = 1;
  EXPECT_EQ(ProfileDistribution(p, 10).states(), 1);
}

TEST(Profile, SharedProfilesHaveTheirMinorBasins) {
  const auto folder = test_data();
  if (!folder) GTEST_SKIP() << "shared data not found: set CRYOSCAPE_TEST_DATA";
  const std::pair<const char*, double> files[] = {{"adk/profile_A.csv", 0.05}, {"adk/profile_B.csv", 0.25}};
  for (const auto& [name, minor] : files) {
    const ProfileDistribution d(read_profile(*folder / name), 101);
    ASSERT_EQ(d.states(), 2) << name;
    EXPECT_NEAR(std::min(d.populations()[0], d.populations()[1]), minor, 0.01) << name;
  }
}
