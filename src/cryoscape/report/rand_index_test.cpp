#include "cryoscape/report/rand_index.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "cryoscape/util/random.hpp"

using cryoscape::report::adjusted_rand_index;

TEST(AdjustedRandIndex, WorkedExample) {
  // Of 15 pairs, a has 3 + 3 together, b 1 + 1 + 1, both 1 + 0 + 0 + 1.
  const std::vector<int> a{1, 1, 1, 2, 2, 2}, b{1, 1, 2, 2, 3, 3};
  EXPECT_NEAR(adjusted_rand_index(a, b), (2 - 6 * 3 / 15.0) / (4.5 - 6 * 3 / 15.0), 1e-12);
}

TEST(AdjustedRandIndex, WorseThanChanceIsNegative) {
  // Crossed halves: no pair is together in both, expected 2 * 2 / 6.
  const std::vector<int> a{1, 1, 2, 2}, b{1, 2, 1, 2};
  EXPECT_NEAR(adjusted_rand_index(a, b), -0.5, 1e-12);
}

TEST(AdjustedRandIndex, NamesDoNotMatter) {
  const std::vector<int> a{1, 1, 2, 3, 3, 3, 2}, renamed{-7, -7, 40, 0, 0, 0, 40};
  EXPECT_DOUBLE_EQ(adjusted_rand_index(a, renamed), 1);
}

TEST(AdjustedRandIndex, IsSymmetricAndIgnoresTheOrderOfItems) {
  cryoscape::Philox random(3);
  std::vector<int> a, b;
  for (int i = 0; i < 200; ++i) {
    a.push_back(static_cast<int>(random.below(4)));
    b.push_back(random.uniform() < 0.7 ? a.back() : static_cast<int>(random.below(3)));
  }
  const double value = adjusted_rand_index(a, b);
  EXPECT_GT(value, 0.2);
  EXPECT_LT(value, 0.9);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(b, a), value);
  EXPECT_DOUBLE_EQ(
      adjusted_rand_index({std::vector<int>(a.rbegin(), a.rend())}, {std::vector<int>(b.rbegin(), b.rend())}),
      value);
}

TEST(AdjustedRandIndex, IndependentLabelsScoreNearZero) {
  cryoscape::Philox random(4);
  std::vector<int> a, b;
  for (int i = 0; i < 20000; ++i)
    a.push_back(static_cast<int>(random.below(3))), b.push_back(static_cast<int>(random.below(5)));
  EXPECT_NEAR(adjusted_rand_index(a, b), 0, 2e-3);
}

TEST(AdjustedRandIndex, OnePartTellsNothingUnlessBothAreOne) {
  const std::vector<int> one{1, 1, 1, 1}, two{1, 1, 2, 2}, apart{1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(adjusted_rand_index(one, two), 0);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(one, one), 1);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(apart, apart), 1);
}

TEST(AdjustedRandIndex, LengthsMustAgree) {
  const std::vector<int> a{1, 2}, b{1};
  EXPECT_THROW(adjusted_rand_index(a, b), std::invalid_argument);
}
