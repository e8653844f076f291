#include "cryoscape/latent/ising_gibbs.hpp"

#include "cryoscape/latent/ising_beta.hpp"
#include "cryoscape/latent/ising_chains.hpp"

namespace cryoscape::latent {

IsingSamples GibbsSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  IsingGraph graph(problem);
  if (settings_.coloured) graph.order = colour_order(graph);
  IsingChains chains(problem.spins(), count, seed);
  chains.sweep(graph, problem.beta, settings_.sweeps);
  return with_beta(problem, chains.states());
}

IsingSamples AnnealingSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  const IsingGraph graph(problem);
  std::vector<double> schedule(static_cast<std::size_t>(settings_.sweeps), settings_.coldest * problem.beta);
  for (std::size_t t = 0; t + 1 < schedule.size(); ++t) {
    const double part = static_cast<double>(t) / static_cast<double>(schedule.size() - 1);
    schedule[t] = problem.beta * (settings_.hottest + part * (settings_.coldest - settings_.hottest));
  }
  IsingChains chains(problem.spins(), count, seed);
  chains.anneal(graph, schedule);
  return with_beta(problem, chains.states());
}

}  // namespace cryoscape::latent
