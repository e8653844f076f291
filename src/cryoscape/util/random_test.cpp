#include "cryoscape/util/random.hpp"

#include <gtest/gtest.h>

using cryoscape::Philox;

// Known-answer vectors of the generator's authors (Random123, kat_vectors).
TEST(Philox, KnownAnswers) {
  const std::array<std::uint32_t, 4> zeros{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  EXPECT_EQ(Philox::generate(0, 0, 0), zeros);
  const std::array<std::uint32_t, 4> ones{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  EXPECT_EQ(Philox::generate(~0ull, ~0ull, ~0ull), ones);
}

TEST(Philox, MomentsOfUniformAndNormal) {
  Philox random(7, 3);
  const int n = 200000;
  double mean = 0, square = 0, fourth = 0, uniform = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    mean += x;
    square += x * x;
    fourth += x * x * x * x;
    uniform += random.uniform();
  }
  EXPECT_NEAR(mean / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96.0 / n));
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
}

TEST(Philox, StreamsDiffer) {
  Philox a(1, 0), b(1, 1);
  int equal = 0;
  for (int i = 0; i < 100; ++i) equal += a() == b();
  EXPECT_LT(equal, 3);
}
