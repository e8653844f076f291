#include "cryoscape/latent/ising_graph.hpp"

#include <algorithm>
#include <numeric>

namespace cryoscape::latent {

IsingGraph::IsingGraph(const IsingProblem& problem)
    : fields(problem.fields.begin(), problem.fields.end()),
      start(problem.fields.size() + 1),
      neighbour(2 * problem.couplings.size()),
      value(2 * problem.couplings.size()),
      order(problem.fields.size()) {
  std::iota(order.begin(), order.end(), 0);
  for (const auto& c : problem.couplings) ++start[c.i + 1], ++start[c.j + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  auto sorted = problem.couplings;
  std::sort(sorted.begin(), sorted.end(),
            [](const Coupling& a, const Coupling& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
  auto next = start;
  const auto put = [&](int i, int j, double coupling) {
    neighbour[next[i]] = j;
    value[next[i]++] = static_cast<float>(coupling);
  };
  // Smaller neighbours of all rows first, then larger ones: every row comes out ascending.
  for (const auto& c : sorted) put(c.j, c.i, c.value);
  for (const auto& c : sorted) put(c.i, c.j, c.value);
}

std::vector<int> greedy_colours(const IsingGraph& graph) {
  std::vector<int> colours(graph.fields.size(), -1), taken_by(graph.fields.size() + 1, -1);
  for (int i = 0; i < graph.spins(); ++i) {
    for (int k = graph.start[i]; k < graph.start[i + 1]; ++k)
      if (const int colour = colours[graph.neighbour[k]]; colour >= 0) taken_by[colour] = i;
    int colour = 0;
    while (taken_by[colour] == i) ++colour;
    colours[i] = colour;
  }
  return colours;
}

std::vector<int> colour_order(const IsingGraph& graph) {
  const auto colours = greedy_colours(graph);
  auto order = graph.order;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return colours[a] < colours[b]; });
  return order;
}

}  // namespace cryoscape::latent
