#include "cryoscape/latent/ising_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "cryoscape/latent/test_ising.hpp"

using namespace cryoscape;
using namespace cryoscape::latent;

namespace {

/// About `share` of all pairs, in no order.
IsingProblem sparse(int spins, double share, std::uint64_t seed) {
  auto problem = glass(spins, seed);
  Philox random(seed, 1);
  std::erase_if(problem.couplings, [&](const Coupling&) { return random.uniform() > share; });
  std::shuffle(problem.couplings.begin(), problem.couplings.end(), random);
  return problem;
}

}  // namespace

TEST(IsingGraph, RowsHoldEveryCouplingTwice) {
  const auto problem = sparse(40, 0.2, 1);
  const IsingGraph graph(problem);
  std::vector<double> dense(1600);
  for (int i = 0; i < 40; ++i)
    for (int k = graph.start[i]; k < graph.start[i + 1]; ++k) {
      EXPECT_TRUE(k == graph.start[i] || graph.neighbour[k - 1] < graph.neighbour[k]);
      dense[i * 40 + graph.neighbour[k]] = graph.value[k];
    }
  for (const auto& c : problem.couplings)
    for (const int at : {c.i * 40 + c.j, c.j * 40 + c.i}) {
      EXPECT_EQ(dense[at], static_cast<float>(c.value));
      dense[at] = 0;
    }
  EXPECT_TRUE(std::all_of(dense.begin(), dense.end(), [](double v) { return v == 0; }));
}

TEST(GreedyColours, DifferBetweenCoupledSpins) {
  const auto problem = sparse(60, 0.1, 2);
  const auto colours = greedy_colours(IsingGraph(problem));
  for (const auto& c : problem.couplings) EXPECT_NE(colours[c.i], colours[c.j]);
  EXPECT_LT(*std::max_element(colours.begin(), colours.end()), 15);
}

TEST(GreedyColours, OfABipartiteMachineAreItsSides) {
  IsingProblem problem{std::vector<double>(9), {}};
  for (int i = 0; i < 4; ++i)
    for (int j = 4; j < 9; ++j) problem.couplings.push_back({i, j, 1});
  EXPECT_EQ(greedy_colours(IsingGraph(problem)), (std::vector<int>{0, 0, 0, 0, 1, 1, 1, 1, 1}));
}

TEST(GreedyColours, OfAFullGraphAreAllDifferent) {
  auto colours = greedy_colours(IsingGraph(glass(7, 3)));
  EXPECT_EQ(colours, (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(ColourOrder, VisitsEverySpinOnceColourByColour) {
  const IsingGraph graph(sparse(50, 0.1, 4));
  const auto colours = greedy_colours(graph);
  auto order = colour_order(graph);
  EXPECT_TRUE(
      std::is_sorted(order.begin(), order.end(), [&](int a, int b) { return colours[a] < colours[b]; }));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, graph.order);
}
