#include "cryoscape/training/options.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "cryoscape/util/error.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

namespace {

template <class Options>
std::string complaint(const std::function<void(Options&)>& change) {
  Options options;
  OptionSet set;
  options.declare(set);
  change(options);
  try {
    set.validate();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST(InputOptions, DefaultsAreValidAndWrongValuesAreNamed) {
  using Change = std::function<void(InputOptions&)>;
  EXPECT_EQ(complaint<InputOptions>([](auto&) {}), "");
  const std::vector<std::pair<std::string, Change>> cases{
      {"half", [](auto& o) { o.half = 3; }},
      {"box", [](auto& o) { o.box = -2; }},
      {"resolution", [](auto& o) { o.resolution = -1; }},
      {"diameter", [](auto& o) { o.diameter = -1; }},
      {"contrast", [](auto& o) { o.contrast = "grey"; }},
      {"beads", [](auto& o) { o.beads = "atoms"; }},
      {"model-origin", [](auto& o) { o.model_origin = "left"; }}};
  for (const auto& [option, change] : cases)
    EXPECT_NE(complaint<InputOptions>(change).find("--" + option), std::string::npos) << option;
}

TEST(TrainingOptions, DefaultsAreValidAndWrongValuesAreNamed) {
  using Change = std::function<void(TrainingOptions&)>;
  EXPECT_EQ(complaint<TrainingOptions>([](auto&) {}), "");
  const std::vector<std::pair<std::string, Change>> cases{
      {"epochs", [](auto& o) { o.epochs = -1; }},
      {"batch", [](auto& o) { o.batch = 0; }},
      {"learning-rate", [](auto& o) { o.learning_rate = 0; }},
      {"beta", [](auto& o) { o.beta = -0.1; }},
      {"warm-up", [](auto& o) { o.warm_up = 1.1; }},
      {"held-out", [](auto& o) { o.held_out = 0.6; }},
      {"seed", [](auto& o) { o.seed = -1; }},
      {"bond-weight", [](auto& o) { o.bond_weight = -1; }},
      {"edge-weight", [](auto& o) { o.edge_weight = -1; }},
      {"clash-weight", [](auto& o) { o.clash_weight = -1; }},
      {"edge-drop", [](auto& o) { o.edge_drop = 2; }}};
  for (const auto& [option, change] : cases)
    EXPECT_NE(complaint<TrainingOptions>(change).find("--" + option), std::string::npos) << option;
}
