#include "cryoscape/latent/ising_json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "cryoscape/latent/test_ising.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

std::string request_error(const std::string& text) {
  return error_of([&] { read_ising_request(text, "p.json"); });
}

std::string answer_error(const std::string& text, int count = 2) {
  const IsingProblem problem{{0, 0, 0}, {}};
  return error_of([&] { read_ising_samples(text, problem, count, "answer"); });
}

}  // namespace

TEST(IsingJson, ProblemsComeBackAsTheyWere) {
  auto problem = glass(6, 1);
  problem.beta = 0.7;
  const auto back = read_ising_request(to_json(IsingRequest{problem, 12, 34}), "text");
  EXPECT_EQ(back.problem.fields, problem.fields);
  EXPECT_EQ(back.problem.beta, 0.7);
  ASSERT_EQ(back.problem.couplings.size(), problem.couplings.size());
  for (std::size_t k = 0; k < problem.couplings.size(); ++k) {
    EXPECT_EQ(back.problem.couplings[k].i, problem.couplings[k].i);
    EXPECT_EQ(back.problem.couplings[k].j, problem.couplings[k].j);
    EXPECT_EQ(back.problem.couplings[k].value, problem.couplings[k].value);
  }
  EXPECT_EQ(back.samples, 12);
  EXPECT_EQ(back.seed, 34u);
  const auto bare = to_json(IsingRequest{problem, {}, {}});
  EXPECT_EQ(bare.find("seed"), std::string::npos);
  EXPECT_FALSE(read_ising_request(bare, "text").samples);
}

TEST(IsingJson, WhatIsAbsentIsZeroAndBetaOne) {
  const auto request = read_ising_request(R"({"spins": 2})", "p");
  EXPECT_EQ(request.problem.fields, (std::vector<double>{0, 0}));
  EXPECT_TRUE(request.problem.couplings.empty());
  EXPECT_EQ(request.problem.beta, 1);
}

TEST(IsingJson, EveryKindOfBadProblemHasItsLine) {
  const auto expect = [](const std::string& text, const std::string& message) {
    EXPECT_EQ(request_error(text), "p.json: " + message) << text;
  };
  expect("spins", "not JSON (byte 1)");
  expect("", "not JSON (byte 1)");
  expect("[1]", "no JSON object");
  expect("{}", "\"spins\" is missing");
  for (const char* spins : {"0", "-3", "2.5", "\"2\"", "1e30", "18446744073709551615"})
    expect("{\"spins\": " + std::string(spins) + "}", "\"spins\" must be a whole number from 1 to 10000000");
  expect(R"({"spins": 2, "fields": [1]})", "1 \"fields\" of 2 spins");
  expect(R"({"spins": 2, "fields": 1})", "\"fields\" is no array");
  expect(R"({"spins": 2, "fields": [1, null]})", "field 1 is no number");
  expect(R"({"spins": 2, "couplings": {}})", "\"couplings\" is no array");
  for (const char* c : {"[0, 1]", "[1, 0, 1]", "[0, 2, 1]", "[-1, 1, 1]", "[0.5, 1, 1]", "[0, 1, \"a\"]", "3",
                        "[0, 18446744073709551615, 1]"})
    expect(R"({"spins": 2, "couplings": [)" + std::string(c) + "]}",
           "coupling 0 is not [i, j, J] with spins 0 <= i < j < 2");
  expect(R"({"spins": 2, "couplings": [[0, 1, 1], [0, 1, 1]]})",
         "Ising problem: the coupling of spins 0 and 1 is given twice");
  expect(R"({"spins": 2, "beta": "warm"})", "\"beta\" is no number");
  expect(R"({"spins": 2, "beta": -1})", "Ising problem: beta is -1, but must be a positive number");
  expect(R"({"spins": 2, "samples": 0})", "\"samples\" must be a whole number from 1 to 100000000");
  expect(R"({"spins": 2, "seed": -1})", "\"seed\" must be a whole number from 0 to 9223372036854775807");
}

TEST(IsingJson, ResultsAreReadAsAnswers) {
  const auto problem = glass(5, 2);
  IsingResult result{ExactSampler().sample(problem, 7, 3), 1.25, 64};
  const auto text = to_json(result);
  const auto back = read_ising_samples(text, problem, 7, "text");
  EXPECT_EQ(back.values, result.samples.values);
  EXPECT_EQ(back.log_partition, result.samples.log_partition);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["beta_effective"], result.samples.beta_effective);
  EXPECT_EQ(json["beta_error"], result.samples.beta_error);
  EXPECT_EQ(json["raw_beta_effective"], 1.25);
  EXPECT_EQ(json["correction_sweeps"], 64);
}

TEST(IsingJson, ResultsWithoutPartitionAndCorrection) {
  IsingSamples samples{2, {1, -1}, 1, std::numeric_limits<double>::infinity(), std::nullopt};
  const auto json = nlohmann::json::parse(to_json(IsingResult{samples, {}, {}}));
  EXPECT_TRUE(json["log_partition"].is_null());
  EXPECT_TRUE(json["beta_error"].is_null());
  EXPECT_FALSE(json.contains("raw_beta_effective"));
  EXPECT_FALSE(json.contains("correction_sweeps"));
}

TEST(IsingJson, OfMoreSamplesThanAskedForTheFirstAreTaken) {
  const IsingProblem problem{{1, 0}, {}};
  const auto samples = read_ising_samples(R"({"samples": [[1, 1], [-1, 1], [1, -1]]})", problem, 2, "answer");
  EXPECT_EQ(samples.values, (std::vector<std::int8_t>{1, 1, -1, 1}));
  EXPECT_FALSE(samples.log_partition);
}

TEST(IsingJson, EveryKindOfBadAnswerHasItsLine) {
  EXPECT_EQ(answer_error("Traceback"), "answer: not JSON (byte 1)");
  EXPECT_EQ(answer_error("{}"), "answer: \"samples\" is missing");
  EXPECT_EQ(answer_error(R"({"samples": 3})"), "answer: \"samples\" is no array");
  EXPECT_EQ(answer_error(R"({"samples": [[1, 1, 1]]})"), "answer: 1 samples, but 2 were asked for");
  EXPECT_EQ(answer_error(R"({"samples": [[1, 1, 1], [1, 1]]})"), "answer: sample 1 is no array of 3 spins");
  EXPECT_EQ(answer_error(R"({"samples": [[1, 0, 1], [1, 1, 1]]})"),
            "answer: sample 0 has a spin that is neither 1 nor -1");
  EXPECT_EQ(answer_error(R"({"samples": [[1, 1, true], [1, 1, 1]]})"),
            "answer: sample 0 has a spin that is neither 1 nor -1");
  EXPECT_EQ(answer_error(R"({"samples": [[1, 1, 1]], "log_partition": "x"})", 1),
            "answer: \"log_partition\" is neither a number nor null");
}
