#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/test_markup.hpp"

namespace cryoscape::report {
namespace {

/// 400 particles on a line, evidence 0, 1, 2 …; every tenth unusable.
RunArrays particles() {
  RunArrays arrays;
  for (int i = 0; i < 400; ++i) {
    const float v = i % 10 == 9 ? NAN : static_cast<float>(i);
    arrays.embedding[0].push_back(v), arrays.embedding[1].push_back(v);
    arrays.evidence.push_back(v), arrays.energy.push_back(-v);
  }
  return arrays;
}

}  // namespace

TEST(EmbeddingScores, EveryUsableParticleIsDrawnOnce) {
  for (const auto& figure :
       {embedding_evidence_figure(particles(), {}), embedding_energy_figure(particles())}) {
    EXPECT_EQ(broken_tag(figure.svg), "");
    EXPECT_EQ(occurrences(figure.svg, "h.01"), 360u);
    EXPECT_EQ(figure.svg.find("nan"), std::string::npos);
  }
}

TEST(OutlierFigure, CountsThoseBelowTheThreshold) {
  RunRecord record;
  record.landscape.outlier_threshold = 50.5, record.landscape.outlier_share = 0.125;
  const auto figure = outlier_figure(particles(), record);
  EXPECT_EQ(broken_tag(figure.svg), "");
  EXPECT_TRUE(has(figure.svg, ">threshold<"));
  // 0 … 50 without 9, 19, 29, 39 and 49.
  EXPECT_TRUE(has(figure.caption, "46 particles lie below the threshold of 50.5"));
  EXPECT_TRUE(has(figure.caption, "share of outliers is 12.5 %"));
}

TEST(OutlierFigure, SaysWhereThereIsNoThreshold) {
  const auto figure = outlier_figure(particles(), {});
  EXPECT_FALSE(has(figure.svg, "threshold"));
  EXPECT_TRUE(has(figure.caption, "no threshold"));
}

TEST(OutlierFigure, CorrelationsAreNoNats) {
  RunRecord record;
  record.options = {{"likelihood", "correlation", ""}};
  for (const auto& figure :
       {outlier_figure(particles(), record), embedding_evidence_figure(particles(), record)}) {
    EXPECT_TRUE(has(figure.svg, ">Correlation with the prediction<"));
    EXPECT_FALSE(has(figure.svg, "nats"));
    EXPECT_FALSE(has(figure.caption, "nats"));
  }
}

}  // namespace cryoscape::report
