#include "cryoscape/inference/population_table.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/inference/test_populations.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {

/// One row that falls as a Gaussian about `centre`.
LikelihoodTable gaussian_row(std::size_t nodes, double centre, double sigma, double offset) {
  LikelihoodTable table;
  table.nodes = nodes, table.particle = {0};
  for (std::size_t k = 0; k < nodes; ++k) {
    const double x = static_cast<double>(k) / static_cast<double>(nodes - 1) - centre;
    table.value.push_back(static_cast<float>(offset - x * x / (2 * sigma * sigma)));
    table.slope.push_back(static_cast<float>(-x / (sigma * sigma)));
  }
  return table;
}

TEST(PopulationTable, ValuesAndSlopesGiveTheFineGridOfAParabola) {
  const auto coarse = gaussian_row(11, 0.43, 0.1, -5000), fine = gaussian_row(101, 0.43, 0.1, 0);
  const auto refined = population_table(coarse, even_nodes(11)),
             direct = population_table(fine, even_nodes(101));
  ASSERT_EQ(refined.grid.size(), 101u);
  ASSERT_EQ(refined.node, direct.node);
  for (std::size_t j = 0; j < refined.node.size(); ++j)
    EXPECT_NEAR(refined.likelihood[j], direct.likelihood[j], 2e-3);  // of 5000 in single precision
  EXPECT_NEAR(row_maxima(refined)[0], 0.43, 1e-3);
}

TEST(PopulationTable, ThousandsOfNatsAreNoTrouble) {
  const auto table = population_table(gaussian_row(101, 0.5, 0.005, 3e4), even_nodes(101));
  EXPECT_LT(table.node.size(), 10u);
  EXPECT_FLOAT_EQ(*std::max_element(table.likelihood.begin(), table.likelihood.end()), 1);
}

TEST(PopulationTable, PosteriorMeansOfAGaussian) {
  // Prior N(0.3, 0.1²), likelihood N(0.6, 0.2²): mean (0.3/0.01 + 0.6/0.04)/(1/0.01 + 1/0.04) = 0.36.
  const auto table = population_table(gaussian_row(201, 0.6, 0.2, 0), even_nodes(201));
  std::vector<double> density;
  for (int k = 0; k <= 200; ++k) density.push_back(std::exp(-0.5 * std::pow((k / 200.0 - 0.3) / 0.1, 2)));
  EXPECT_NEAR(posterior_means(table, density)[0], 0.36, 1e-4);
}

TEST(PopulationTable, GaussianRowsForgetOtherMaxima) {
  Philox random(1);
  LikelihoodTable two = gaussian_row(101, 0.3, 0.05, 0);
  const auto other = gaussian_row(101, 0.8, 0.05, -1);
  for (std::size_t k = 0; k < 101; ++k)
    two.value[k] =
        static_cast<float>(std::log(std::exp(double{two.value[k]}) + std::exp(double{other.value[k]})));
  two.slope.clear();
  const auto exact = population_table(two, even_nodes(101));
  const auto one = population_table(two, even_nodes(101), {}, Rows::gaussian);
  const auto at = [](const PopulationTable& table, std::size_t k) {
    for (std::size_t j = 0; j < table.node.size(); ++j)
      if (table.node[j] == k) return double{table.likelihood[j]};
    return 0.0;
  };
  EXPECT_NEAR(at(exact, 80), std::exp(-1), 1e-3);
  EXPECT_LT(at(one, 80), 1e-10);
  EXPECT_NEAR(at(one, 35), std::exp(-0.5), 1e-3);
}

TEST(PopulationTable, NamesThatOccurAgainAreOneGroup) {
  const std::vector<std::string> names{"b", "a", "b", "c"};
  EXPECT_EQ(groups_of(names), (std::vector<std::uint32_t>{0, 1, 0, 2}));
}

TEST(PopulationTable, HistogramsAreDensities) {
  const PopulationGrid::Axis axis{2, 4, 5};
  const std::vector<double> positions{2, 2.1, 3, 3.9};
  const auto h = histogram(positions, axis);
  EXPECT_DOUBLE_EQ(h[0], 2);  // two of four in a cell of 0.25
  EXPECT_DOUBLE_EQ(h[2], 0.5);
  EXPECT_DOUBLE_EQ(0.25 * h[0] + 0.5 * (h[1] + h[2] + h[3]) + 0.25 * h[4], 1);
}

TEST(PopulationTable, ErrorsNameWhatIsWrong) {
  auto table = gaussian_row(5, 0.5, 0.1, 0);
  EXPECT_NE(error_of([&] {
              population_table(table, std::vector<float>{0, 0.25f, 0.6f, 0.75f, 1});
            }).find("even steps: point 3"),
            std::string::npos);
  EXPECT_NE(error_of([&] { population_table(table, even_nodes(6)); }), "");
  table.value[2] = NAN;
  EXPECT_NE(error_of([&] { population_table(table, even_nodes(5)); }).find("row 1"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::inference
