#include "cryoscape/inference/population.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/inference/test_populations.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {

PopulationTable simulated(const KnownEnergy& truth, std::size_t particles, std::uint64_t seed,
                          double bimodal = 0.25) {
  Philox random(seed);
  const auto table = simulate_table(draw_positions(truth, particles, random), 51, bimodal, random);
  return population_table(table, even_nodes(51));
}

TEST(Population, AGaussianIsFoundThroughTheNoise) {
  // Where the truth is a Gaussian the penalty costs nothing, so mean and width are those of maximum
  // likelihood: the variance of the measured positions less that of their errors. Standard errors over 4,000
  // particles of spread hypot(0.1, 0.09): 0.0021 of the mean, 0.0023 of the width.
  const auto truth = known_energy([](double s) { return 0.5 * std::pow((s - 0.45) / 0.1, 2); });
  const auto fit = fit_population(simulated(truth, 4000, 3, 0));
  double mean = 0, square = 0;
  for (std::size_t k = 0; k < fit.share.size(); ++k) {
    const double s = static_cast<double>(k) / static_cast<double>(fit.share.size() - 1);
    mean += fit.share[k] * s, square += fit.share[k] * s * s;
  }
  EXPECT_NEAR(mean, 0.45, 0.007);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 0.1, 0.008);
  EXPECT_GT(fit.degrees_of_freedom, 1.9);  // mean and width
  EXPECT_LT(fit.degrees_of_freedom, 5);
}

TEST(Population, TwoStatesAreFoundThroughTheNoise) {
  const auto truth = two_states(0.3, 0.25, 0.75, 0.08);
  for (const char* criterion : {"aic", "held-out"}) {
    const auto fit = fit_population(simulated(truth, 4000, 5), {criterion, 0});
    // The histogram of exact positions has errors of √(100/4000/p) = 0.16 kT where p is 1, 0.5 kT where it is
    // 0.1; the fit, through the noise, is better than that on average.
    EXPECT_LT(free_energy_rms(fit.density, truth.density(101)), 0.5) << criterion;
    double above = 0;
    for (std::size_t k = 51; k < 101; ++k) above += fit.share[k];
    EXPECT_NEAR(above, truth.share_above(0.5), 0.03) << criterion;  // three standard errors
  }
}

TEST(Population, ExactPositionsNeedNoDeconvolution) {
  const auto truth = two_states(0.3, 0.25, 0.75, 0.08);
  Philox random(7);
  const auto positions = draw_positions(truth, 10000, random);
  const auto fit = fit_population(exact_positions(positions, {0, 1, 101}));
  EXPECT_LT(free_energy_rms(fit.density, truth.density(101)), 0.2);  // √(100/10000/p) at p = 0.25
}

TEST(Population, TheLikelihoodIsThatOfTheDensity) {
  const auto table = simulated(two_states(0.3, 0.25, 0.75, 0.08), 200, 9);
  const auto fit = fit_population(table);
  double sum = 0, mass = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    double a = 0;
    for (auto j = table.begin[i]; j < table.begin[i + 1]; ++j)
      a += table.likelihood[j] * fit.share[table.node[j]];
    sum += std::log(a);
  }
  for (std::size_t k = 0; k < 101; ++k) mass += fit.density[k] * (k == 0 || k == 100 ? 0.5 : 1) / 100;
  EXPECT_NEAR(fit.log_likelihood, sum, 1e-9 * std::abs(sum));
  EXPECT_NEAR(mass, 1, 1e-12);
}

TEST(Population, DuplicatedParticlesChangeNothing) {
  Philox random(11);
  const auto table =
      simulate_table(draw_positions(two_states(0.3, 0.25, 0.75, 0.08), 300, random), 51, 0, random);
  LikelihoodTable twice;
  twice.nodes = table.nodes;
  std::vector<std::uint32_t> groups;
  for (std::uint32_t i = 0; i < 300; ++i)
    for (int copy = 0; copy < 2; ++copy) {
      groups.push_back(i), twice.particle.push_back(i);
      const auto values = table.values_of(i), slopes = table.slopes_of(i);
      twice.value.insert(twice.value.end(), values.begin(), values.end());
      twice.slope.insert(twice.slope.end(), slopes.begin(), slopes.end());
    }
  const auto once = bootstrap_population(population_table(table, even_nodes(51)), {}, 3, 1);
  const auto both = bootstrap_population(population_table(twice, even_nodes(51), groups), {}, 3, 1);
  for (std::size_t k = 0; k < 101; ++k) {
    EXPECT_NEAR(once.fit.density[k], both.fit.density[k], 1e-3 + 1e-3 * once.fit.density[k]);
    for (int b = 0; b < 3; ++b)
      EXPECT_NEAR(once.resampled[b].density[k], both.resampled[b].density[k],
                  1e-2 + 1e-2 * once.resampled[b].density[k]);
  }
}

TEST(Population, ResamplesDoNotDependOnThreads) {
  const auto table = simulated(two_states(0.3, 0.25, 0.75, 0.08), 300, 13);
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = bootstrap_population(table, {}, 4, 2);
  set_thread_count(3);
  const auto three = bootstrap_population(table, {}, 4, 2);
  set_thread_count(threads);
  EXPECT_EQ(one.fit.density, three.fit.density);
  for (int b = 0; b < 4; ++b) EXPECT_EQ(one.resampled[b].density, three.resampled[b].density);
}

TEST(Population, IsNothingWhereNoConformationReaches) {
  // The middle third of a line is not reached: what rows say of the two ends decides alone.
  PopulationTable table;
  table.grid.axes = {{0, 1, 31}};
  for (std::size_t k = 0; k < 31; ++k)
    if (k <= 10 || k >= 20) table.grid.reached.push_back(k);
  Philox random(23);
  LikelihoodTable rows;
  rows.nodes = table.grid.reached.size();
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const double x = (random.uniform() < 0.25 ? 0.85 : 0.15) + 0.1 * random.normal();
    rows.particle.push_back(i);
    for (const auto k : table.grid.reached)
      rows.value.push_back(static_cast<float>(-std::pow(x - static_cast<double>(k) / 30, 2) / 0.02));
  }
  const auto fit = fit_population(population_table(rows, table.grid));
  double upper = 0;
  for (std::size_t k = 0; k < 31; ++k) {
    if (k > 10 && k < 20) {
      EXPECT_EQ(fit.density[k], 0);
    }
    if (k >= 20) upper += fit.share[k];
  }
  EXPECT_NEAR(upper, 0.25, 0.03);  // three standard errors of counting
  rows.nodes = 31;
  EXPECT_THROW(population_table(rows, table.grid), Error);
}

TEST(Population, TwoVariables) {
  // Two Gaussian states of 70 and 30 % in a plane, each 0.1 wide, measured with an error of 0.08 along both.
  Philox random(17);
  PopulationTable table;
  table.grid.axes = {{0, 1, 21}, {0, 10, 25}};
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const bool minor = random.uniform() < 0.3;
    const double x = (minor ? 0.7 : 0.3) + std::hypot(0.1, 0.08) * random.normal();
    const double y = (minor ? 0.3 : 0.7) + std::hypot(0.1, 0.08) * random.normal();
    std::vector<double> row;
    for (int a = 0; a < 21; ++a)
      for (int b = 0; b < 25; ++b)
        row.push_back(-(std::pow(x - a / 20.0, 2) + std::pow(y - b / 24.0, 2)) / (2 * 0.08 * 0.08));
    table.add(i, row);
  }
  const auto fit = fit_population(table);
  double minor = 0, volume = 0;
  for (int a = 0; a < 21; ++a)
    for (int b = 0; b < 25; ++b) {
      if (a / 20.0 > b / 24.0) minor += fit.share[a * 25 + b];
      volume += fit.share[a * 25 + b];
    }
  EXPECT_NEAR(volume, 1, 1e-12);
  EXPECT_NEAR(minor, 0.3, 0.05);  // three standard errors of counting
  const auto f = free_energy(fit.density);
  // F(0.7, 0.3) − F(0.3, 0.7) = ln(0.7/0.3) and the saddle lies at 2 − ln(…) or so above: 0.28²·… the states
  // are 0.4·√2/2 from it, 4 kT up, less ln 2 for both states' shares there.
  EXPECT_NEAR(f[14 * 25 + 7] - f[6 * 25 + 17], std::log(0.7 / 0.3), 0.5);
  EXPECT_GT(f[10 * 25 + 12], 1.5);
}

TEST(Population, ErrorsSayWhatIsMissing) {
  PopulationTable empty;
  empty.grid.axes = {{0, 1, 11}};
  EXPECT_THROW(fit_population(empty), Error);
  EXPECT_THROW(fit_population(simulated(two_states(0.3, 0.25, 0.75, 0.08), 5, 1), {"bic", 0}), UsageError);
}

}  // namespace
}  // namespace cryoscape::inference
