#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <numbers>
#include <thread>

#include "cryoscape/util/files.hpp"
#include "cryoscape/util/random.hpp"
#include "fixtures.hpp"

using namespace cryoscape;
using namespace cryoscape::program;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int kSpins = 10;

json glass() {
  Philox random(1);
  json problem{{"spins", kSpins}, {"fields", json::array()}, {"couplings", json::array()}, {"beta", 0.8}};
  for (int i = 0; i < kSpins; ++i) {
    problem["fields"].push_back(0.3 * random.normal());
    for (int j = i + 1; j < kSpins; ++j) problem["couplings"].push_back({i, j, 0.5 * random.normal()});
  }
  return problem;
}

/// A file of the problem in the test's folder.
std::string problem_file(const json& problem = glass()) {
  const auto file = test_folder() / "problem.json";
  replace_text_file(file, problem.dump());
  return file;
}

std::vector<double> exact_probabilities(const json& problem) {
  std::vector<double> p;
  double sum = 0;
  for (int state = 0; state < 1 << kSpins; ++state) {
    const auto spin = [&](int i) { return state >> i & 1 ? 1 : -1; };
    double exponent = 0;
    for (int i = 0; i < kSpins; ++i) exponent += problem["fields"][i].get<double>() * spin(i);
    for (const auto& c : problem["couplings"])
      exponent += c[2].get<double>() * spin(c[0].get<int>()) * spin(c[1].get<int>());
    sum += p.emplace_back(std::exp(problem["beta"].get<double>() * exponent));
  }
  for (auto& v : p) v /= sum;
  return p;
}

/// Total variation from the enumerated distribution, over what as many independent samples keep below but for
/// one run in 10,000.
double distance_over_noise(const json& problem, const json& samples) {
  const auto p = exact_probabilities(problem);
  const double count = static_cast<double>(samples.size());
  std::vector<double> frequency(p.size());
  for (const auto& sample : samples) {
    std::size_t state = 0;
    for (std::size_t i = 0; i < kSpins; ++i) state |= static_cast<std::size_t>(sample[i] == 1) << i;
    frequency[state] += 1 / count;
  }
  double distance = 0, noise = std::sqrt(std::log(1e4) / (2 * count));
  for (std::size_t k = 0; k < p.size(); ++k) {
    distance += 0.5 * std::abs(frequency[k] - p[k]);
    noise += 0.5 * std::sqrt(2 * p[k] * (1 - p[k]) / std::numbers::pi / count);
  }
  return distance / noise;
}

json samples_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"ising"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto result = run(all);
  expect_success(result);
  EXPECT_EQ(result.err, "");
  return json::parse(result.out, nullptr, false);
}

const std::string kPeer = std::string(CRYOSCAPE_PROGRAM) + " ising";

Result with_external(const std::string& command, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"ising", problem_file(), "--sampler", "external:" + command, "--samples",
                                     "20"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(arguments);
}

}  // namespace

TEST(IsingCommand, SamplesFollowTheProblem) {
  const auto problem = glass();
  const auto file = problem_file(problem);
  for (const char* sampler : {"gibbs", "sqa"}) {
    const auto result = samples_of({file, "--sampler", sampler, "--samples", "5000", "--seed", "3"});
    ASSERT_EQ(result["samples"].size(), 5000u);
    EXPECT_LT(distance_over_noise(problem, result["samples"]), 1) << sampler;
    EXPECT_NEAR(result["beta_effective"].get<double>(), 1, 5 * result["beta_error"].get<double>());
    EXPECT_TRUE(result["log_partition"].is_null());
    EXPECT_EQ(result.contains("raw_beta_effective"), sampler == std::string("sqa"));
    EXPECT_EQ(result.contains("correction_sweeps"), sampler == std::string("sqa"));
  }
}

TEST(IsingCommand, RawSamplesAreNotCorrected) {
  const auto problem = glass();
  const auto result = samples_of({problem_file(problem), "--sampler", "cim", "--samples", "1000", "--raw"});
  EXPECT_GT(distance_over_noise(problem, result["samples"]), 3);
  EXPECT_FALSE(result.contains("correction_sweeps"));
}

TEST(IsingCommand, TakesSamplesAndSeedFromTheProblemUnlessToldOtherwise) {
  auto problem = glass();
  problem["samples"] = 7, problem["seed"] = 5;
  const auto file = problem_file(problem);
  const auto given = samples_of({file});
  EXPECT_EQ(given["samples"].size(), 7u);
  EXPECT_EQ(given, samples_of({file, "--samples", "7", "--seed", "5"}));
  EXPECT_NE(given, samples_of({file, "--seed", "6"}));
  EXPECT_EQ(samples_of({file, "--samples", "3"})["samples"].size(), 3u);
}

TEST(IsingCommand, SaysWhatIsWrongWithAProblem) {
  const auto file = problem_file(json{{"spins", 2}, {"couplings", {{0, 2, 1.0}}}});
  expect_one_line(run({"ising", file}), 1, {"problem.json", "coupling 0"});
  expect_one_line(run({"ising", test_folder() / "none.json"}), 1, {"none.json"});
  expect_one_line(run({"ising", file, "--sampler", "annealer"}), 2, {"annealer", "exact, gibbs"});
  expect_one_line(run({"ising", file, "--samples", "0"}), 2, {"--samples"});
  expect_one_line(run({"ising", problem_file(json{{"spins", 30}}), "--sampler", "exact"}), 1, {"30 spins"});
}

// The program is its own peer: it reads the problem from its standard input.
TEST(IsingExternal, AnswersOfAnotherProgramAreItsSamples) {
  const auto file = problem_file();
  const auto direct = samples_of({file, "--sampler", "exact", "--samples", "50", "--seed", "9"});
  const auto through = samples_of({file, "--sampler", "external:" + kPeer + " --sampler exact", "--samples",
                                   "50", "--seed", "9", "--raw"});
  EXPECT_EQ(through["samples"], direct["samples"]);
  EXPECT_EQ(through["log_partition"], direct["log_partition"]);
}

TEST(IsingExternal, AnOptimisersAnswersAreCorrected) {
  const auto problem = glass();
  const auto result = samples_of({problem_file(problem), "--sampler",
                                  "external:" + kPeer + " - --sampler cim --raw", "--samples", "5000"});
  EXPECT_LT(distance_over_noise(problem, result["samples"]), 1);
  EXPECT_GT(result["raw_beta_effective"].get<double>(), 2);
  EXPECT_GE(result["correction_sweeps"].get<int>(), 32);
}

TEST(IsingExternal, EveryFailureIsOneLine) {
  expect_one_line(with_external("/no/such/client"), 1, {"external sampler", "cannot be started"});
  expect_one_line(with_external("echo no token >&2; exit 4"), 1, {"exit code 4", "no token"});
  expect_one_line(with_external("sleep 100", {"--time-limit", "0.2"}), 1, {"0.2 s", "--time-limit"});
  expect_one_line(with_external("echo garbage"), 1, {"echo garbage", "not JSON"});
  expect_one_line(with_external("echo '{\"samples\": [[1, -1]]}'"), 1, {"1 samples", "20 were asked for"});
  expect_one_line(with_external("echo '{\"spins\": 3}' | " + kPeer + " --samples 20"), 1,
                  {"sample 0 is no array of 10 spins"});
}

TEST(IsingExternal, IsEndedWithTheProgram) {
  Child child({"ising", problem_file(), "--sampler", "external:exec sleep 1000"});
  while (child.children().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto client = child.children().front();
  child.send(SIGTERM);
  expect_one_line(child.finish(), 143, {"interrupted"});
  EXPECT_NE(kill(client, 0), 0);
}
