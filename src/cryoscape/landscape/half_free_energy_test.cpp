#include "cryoscape/landscape/half_free_energy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr double kRounding = 1e-12;

/// Two basins with a barrier between them, errors 0.1 kT and 1 %.
json free_energy_entry() {
  json entry{{"variable", "path:m.pdb"}, {"kind", "path"},        {"source", "likelihood"},
             {"nodes", "decoder"},       {"bars", kGivenDecoder}, {"continuous", false}};
  for (int k = 0; k <= 40; ++k) {
    const double s = k / 40.0, f = 2 - 2 * std::cos(4 * std::numbers::pi * s);
    entry["grid"].push_back(s), entry["energy"].push_back(f), entry["energy_error"].push_back(0.1);
    entry["energy_interval"][0].push_back(f - 0.2), entry["energy_interval"][1].push_back(f + 0.3);
  }
  const auto basin = [](double population, double minimum, double position) {
    return json{{"population", population},
                {"population_error", 0.01},
                {"population_interval", {population - 0.02, population + 0.02}},
                {"minimum", minimum},
                {"position", position}};
  };
  entry["basins"] = {basin(0.6, 0, 0.1), basin(0.4, 0.5, 0.6)};
  entry["barriers"] = {
      {{"from", 1}, {"to", 2}, {"energy", 4}, {"error", 0.1}, {"interval", {3.8, 4.3}}, {"position", 0.3}}};
  return entry;
}

const fs::path& other_run() {
  static const auto folder = fs::path(testing::TempDir()) / "cryoscape_half_free_energy";
  return folder;
}

/// The entry after a comparison with a run that has the other one.
json compared(json own, const json& other) {
  replace_text_file(other_run() / "landscape.json", json{{"free_energy", json::array({other})}}.dump());
  add_half_run(own, other_run());
  return own;
}

/// Whether an entry is as it was, but for a notice that holds `part`.
void expect_kept(json entry, const std::string& part) {
  EXPECT_NE(entry.value("bars_notice", "").find(part), std::string::npos) << entry["bars_notice"];
  entry.erase("bars_notice");
  EXPECT_EQ(entry, free_energy_entry());
}

double number(const json& entry, const std::string& pointer) {
  return entry.at(json::json_pointer(pointer)).get<double>();
}

TEST(AddHalfRun, WidensPopulationsAndBarriers) {
  auto other = free_energy_entry();
  other["basins"][0]["population"] = 0.7, other["basins"][0]["population_error"] = 0.02;
  other["barriers"][0]["energy"] = 5.5, other["barriers"][0]["error"] = 0.3;
  const auto found = compared(free_energy_entry(), other);
  EXPECT_EQ(found["bars"], kWithHalfSets);
  EXPECT_FALSE(found.contains("bars_notice"));
  const double population = 0.005 - (0.0001 + 0.0004) / 2, barrier = 1.125 - (0.01 + 0.09) / 2;
  EXPECT_NEAR(number(found, "/basins/0/decoder_error"), std::sqrt(population), kRounding);
  EXPECT_NEAR(number(found, "/basins/0/population_error"), std::sqrt(0.0001 + population), kRounding);
  EXPECT_NEAR(number(found, "/basins/0/population_interval/1"),
              0.6 + std::sqrt(0.0004 + 1.96 * 1.96 * population), kRounding);
  EXPECT_EQ(number(found, "/basins/1/decoder_error"), 0);
  EXPECT_NEAR(number(found, "/barriers/0/error"), std::sqrt(0.01 + barrier), kRounding);
  EXPECT_NEAR(number(found, "/barriers/0/interval/0"), 4 - std::sqrt(0.04 + 1.96 * 1.96 * barrier),
              kRounding);
  EXPECT_EQ(found["energy_error"], free_energy_entry()["energy_error"]);
}

TEST(AddHalfRun, WidensTheCurve) {
  auto other = free_energy_entry();
  for (auto& f : other["energy"]) f = 1.5 * f.get<double>();
  const auto found = compared(free_energy_entry(), other);
  const auto decoders = found["decoder_error"].get<std::vector<double>>();
  ASSERT_EQ(decoders.size(), 41u);
  for (std::size_t k = 0; k < decoders.size(); ++k) {
    EXPECT_GT(decoders[k], 0);
    EXPECT_NEAR(found["energy_error"][k], std::hypot(0.1, decoders[k]), kRounding);
    const double f = found["energy"][k];
    EXPECT_NEAR(found["energy_interval"][0][k], f - std::hypot(0.2, 1.96 * decoders[k]), kRounding);
    EXPECT_NEAR(found["energy_interval"][1][k], f + std::hypot(0.3, 1.96 * decoders[k]), kRounding);
  }
}

TEST(AddHalfRun, TakesTheOthersBootstrapEvenWhereThatKnowsThisRun) {
  auto other = free_energy_entry();
  other["basins"][0]["population"] = 0.8, other["energy"][20] = 1;
  // Compared with this run before: the spread is the same from either side, and does not count twice.
  const auto once = compared(free_energy_entry(), other);
  const auto twice = compared(free_energy_entry(), compared(other, free_energy_entry()));
  EXPECT_NEAR(number(once, "/basins/0/population_error"), number(twice, "/basins/0/population_error"),
              kRounding);
  EXPECT_NEAR(number(once, "/energy_error/20"), number(twice, "/energy_error/20"), kRounding);
  EXPECT_GT(number(once, "/energy_error/20"), 0.2);
}

TEST(AddHalfRun, BarriersAreOfTheSameSide) {
  auto other = free_energy_entry();  // in which the second basin is the deeper one, as little as in this one
  other["basins"][0]["minimum"] = 0.5, other["basins"][1]["minimum"] = 0;
  other["barriers"][0]["from"] = 2, other["barriers"][0]["to"] = 1, other["barriers"][0]["energy"] = 4.5;
  // Its top lies 4.5 above the second and 4 above the first minimum: as in this run.
  EXPECT_EQ(number(compared(free_energy_entry(), other), "/barriers/0/decoder_error"), 0);
  other["barriers"][0]["energy"] = 6.5;
  EXPECT_NEAR(number(compared(free_energy_entry(), other), "/barriers/0/decoder_error"), std::sqrt(2 - 0.01),
              kRounding);
}

TEST(AddHalfRun, BasinsOfAnotherNumberKeepTheirBars) {
  auto other = free_energy_entry();
  other["basins"].erase(1), other["barriers"].clear(), other["energy"][20] = 2;
  const auto found = compared(free_energy_entry(), other);
  EXPECT_EQ(found["bars"], kWithHalfSets);
  EXPECT_GT(number(found, "/energy_error/20"), 0.1);
  EXPECT_EQ(found["basins"], free_energy_entry()["basins"]);
  EXPECT_EQ(found["barriers"], free_energy_entry()["barriers"]);
  EXPECT_NE(found["bars_notice"].get<std::string>().find("2 basins, but 1"), std::string::npos);
}

TEST(AddHalfRun, SaysWhatToRunWhereTheOtherHasNone) {
  const auto command = "run cryoscape landscape " + other_run().string() + " --variable 'path:m.pdb'";
  for (const char* key : {"variable", "nodes", "source"}) {
    auto other = free_energy_entry();
    other[key] = "another";
    expect_kept(compared(free_energy_entry(), other), command);
  }
  auto own = free_energy_entry();
  fs::remove_all(other_run());
  add_half_run(own, other_run());
  expect_kept(own, command);
  own["nodes"] = "models";
  add_half_run(own, other_run());
  EXPECT_NE(own["bars_notice"].get<std::string>().find("'path:m.pdb' --nodes models first"),
            std::string::npos);
}

TEST(AddHalfRun, ADecoderThatMovesNothingCannotHelp) {
  replace_text_file(other_run() / "landscape.json", "{\"free_energy\": []}");
  auto own = free_energy_entry();
  add_half_run(own, other_run());
  expect_kept(own, "moves nothing");
}

TEST(AddHalfRun, ADamagedFileIsNamed) {
  for (const auto& [pointer, value] : std::vector<std::pair<std::string, json>>{
           {"/energy", {0, 1}}, {"/energy/3", nullptr}, {"/barriers/0/to", 3}, {"/basins", nullptr}}) {
    auto other = free_energy_entry();
    other[json::json_pointer(pointer)] = value;
    expect_kept(compared(free_energy_entry(), other), "landscape.json is damaged");
  }
  replace_text_file(other_run() / "landscape.json", "{\"free_energy\": [");
  auto own = free_energy_entry();
  add_half_run(own, other_run());
  expect_kept(own, "landscape.json is damaged");
}

TEST(AddHalfRun, WhatCannotBeComparedKeepsItsBars) {
  auto other = free_energy_entry();
  for (auto& s : other["grid"]) s = s.get<double>() + 0.6;
  expect_kept(compared(free_energy_entry(), other), "less than half of this one's range");
  for (const auto& [kind, why] : {std::pair{"pc", "each run's own axes"}, {"pc;distance", "two variables"}}) {
    auto own = free_energy_entry();
    own["kind"] = kind;
    const auto found = compared(own, own);
    EXPECT_EQ(found["bars"], kGivenDecoder);
    EXPECT_NE(found["bars_notice"].get<std::string>().find(why), std::string::npos);
  }
}

}  // namespace
}  // namespace cryoscape::landscape
