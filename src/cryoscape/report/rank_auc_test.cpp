#include "cryoscape/report/rank_auc.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::report;

TEST(RankAuc, OfPerfectReversedAndTiedScores) {
  const std::vector<bool> marked{false, true, false, true};
  EXPECT_EQ(*rank_auc(std::vector<double>{1, 5, 2, 9}, marked), 1);
  EXPECT_EQ(*rank_auc(std::vector<double>{7, 5, 8, 1}, marked), 0);
  EXPECT_EQ(*rank_auc(std::vector<double>{3, 3, 3, 3}, marked), 0.5);
  EXPECT_EQ(*rank_auc(std::vector<double>{1, 2, 2, 3}, marked), 0.875);
}

TEST(RankAuc, CountsPairs) {
  Philox random(1);
  std::vector<double> scores;
  std::vector<bool> marked;
  for (int i = 0; i < 200; ++i) {
    marked.push_back(random.uniform() < 0.3);
    scores.push_back(static_cast<double>(random.below(20)) + (marked.back() ? 3 : 0));
  }
  double wins = 0, pairs = 0;
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t j = 0; j < 200; ++j)
      if (marked[i] && !marked[j])
        wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0, pairs += 1;
  EXPECT_NEAR(*rank_auc(scores, marked), wins / pairs, 1e-12);
}

TEST(RankAuc, NeedsBothKinds) {
  EXPECT_FALSE(rank_auc(std::vector<double>{1, 2}, {true, true}));
  EXPECT_FALSE(rank_auc(std::vector<double>{}, {}));
  EXPECT_THROW(rank_auc(std::vector<double>{1}, {}), std::invalid_argument);
}
