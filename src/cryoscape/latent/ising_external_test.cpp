#include "cryoscape/latent/ising_external.hpp"

#include <gtest/gtest.h>

#include "cryoscape/latent/test_ising.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

std::string error_of_command(const std::string& command, double time_limit = 60) {
  return error_of([&] { ExternalSampler(command, time_limit).sample({{0.5, 0}, {{0, 1, 1}}}, 3, 1); });
}

}  // namespace

TEST(ExternalSampler, ReadsTheAnswer) {
  const auto samples =
      ExternalSampler(
          R"(cat > /dev/null; echo '{"samples": [[1, 1], [1, -1], [-1, -1]], "log_partition": 2}')", 60)
          .sample({{0.5, 0}, {{0, 1, 1}}}, 3, 1);
  EXPECT_EQ(samples.values, (std::vector<std::int8_t>{1, 1, 1, -1, -1, -1}));
  EXPECT_EQ(samples.log_partition, 2);
}

// The program finds the problem, the number of samples and the seed on its standard input.
TEST(ExternalSampler, SendsProblemSamplesAndSeed) {
  const std::string command =
      R"(grep -q '"couplings":\[\[0,1,1.0\]\],"fields":\[0.5,0.0\],"samples":3,"seed":7,"spins":2' && )"
      R"(echo '{"samples": [[1, 1], [1, 1], [1, 1]]}')";
  EXPECT_EQ(error_of([&] { ExternalSampler(command, 60).sample({{0.5, 0}, {{0, 1, 1}}}, 3, 7); }), "");
}

TEST(ExternalSampler, EveryFailureHasItsLine) {
  EXPECT_EQ(
      error_of_command("echo '{\"samples\": [[1, 1]]}'"),
      "answer of the external sampler 'echo '{\"samples\": [[1, 1]]}'': 1 samples, but 3 were asked for");
  EXPECT_EQ(error_of_command("echo hello"), "answer of the external sampler 'echo hello': not JSON (byte 1)");
  EXPECT_EQ(error_of_command("exit 3"),
            "external sampler 'exit 3' failed with exit code 3: it says nothing on standard error");
  EXPECT_EQ(error_of_command("sleep 60", 0.05),
            "external sampler 'sleep 60' did not end within 0.05 s (--time-limit)");
}
