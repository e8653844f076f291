#include "cryoscape/landscape/bit_minima.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>

#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kBatch = 256;    ///< states whose flips are scored at a time
constexpr std::size_t kNearLower = 3;  ///< lower minima that a shallow one may be joined to

/// One steepest flip of each state; the state itself where none leads down.
std::vector<Bits> stepped(const BitEnergy& energy, const std::vector<Bits>& states) {
  std::vector<Bits> out(states);
  for (std::size_t begin = 0; begin < states.size(); begin += kBatch) {
    const auto end = std::min(begin + kBatch, states.size());
    std::vector<Bits> scored(states.begin() + static_cast<std::ptrdiff_t>(begin),
                             states.begin() + static_cast<std::ptrdiff_t>(end));
    for (std::size_t i = begin; i < end; ++i)
      for (auto& near : flips_of(states[i])) scored.push_back(std::move(near));
    const auto energies = energies_of(energy, scored);
    const auto bits = static_cast<Eigen::Index>(states.front().size());
    for (std::size_t i = begin; i < end; ++i) {
      const auto own = static_cast<Eigen::Index>(i - begin);
      const auto first = static_cast<Eigen::Index>(end - begin) + own * bits;
      Eigen::Index best = 0;
      const double lowest = energies.segment(first, bits).minCoeff(&best);
      if (lowest < energies[own]) out[i] = scored[static_cast<std::size_t>(first + best)];
    }
  }
  return out;
}

/// Distinct minima with their populations, ascending in energy, and the minimum of each sample.
BitLandscape distinct(const BitEnergy& energy, const std::vector<Bits>& ends) {
  BitLandscape out;
  const std::set<Bits> unique(ends.begin(), ends.end());
  const std::vector<Bits> states(unique.begin(), unique.end());
  const auto energies = energies_of(energy, states);
  for (std::size_t i = 0; i < states.size(); ++i)
    out.minima.push_back({states[i], energies[static_cast<Eigen::Index>(i)], 0});
  std::stable_sort(out.minima.begin(), out.minima.end(),
                   [](const auto& x, const auto& y) { return x.energy < y.energy; });
  std::unordered_map<Bits, int> number;
  for (std::size_t i = 0; i < out.minima.size(); ++i) number[out.minima[i].bits] = static_cast<int>(i);
  for (const auto& end : ends) out.basin.push_back(number.at(end));
  out.stable = out.minima.size();
  return out;
}

/// Joins minima: `into[i]` is the minimum that takes i's samples, i itself where it stays.
void join(BitLandscape& landscape, std::vector<std::size_t> into) {
  std::vector<int> number(into.size(), -1);
  std::vector<BitMinimum> kept;
  for (std::size_t i = 0; i < into.size(); ++i)
    if (into[i] == i) number[i] = static_cast<int>(kept.size()), kept.push_back(landscape.minima[i]);
  for (auto& target : into)
    while (into[target] != target) target = into[target];
  for (auto& m : kept) m.population = 0;
  for (int& b : landscape.basin) {
    b = number[into[static_cast<std::size_t>(b)]];
    kept[static_cast<std::size_t>(b)].population += 1 / static_cast<double>(landscape.basin.size());
  }
  landscape.minima = std::move(kept);
}

/// The `count` of `candidates` that differ least from minimum i.
std::vector<std::size_t> nearest(const BitLandscape& landscape, std::size_t i,
                                 std::vector<std::size_t> candidates, std::size_t count) {
  const auto& bits = landscape.minima[i].bits;
  std::stable_sort(candidates.begin(), candidates.end(), [&](auto a, auto b) {
    return hamming(landscape.minima[a].bits, bits) < hamming(landscape.minima[b].bits, bits);
  });
  candidates.resize(std::min(candidates.size(), count));
  return candidates;
}

void join_shallow(const BitEnergy& energy, BitLandscape& landscape, double least_barrier) {
  std::vector<std::size_t> into(landscape.minima.size());
  std::iota(into.begin(), into.end(), std::size_t{0});
  for (std::size_t i = 1; i < into.size(); ++i) {
    std::vector<std::size_t> lower(i);
    std::iota(lower.begin(), lower.end(), std::size_t{0});
    for (const auto target : nearest(landscape, i, lower, kNearLower)) {
      const auto path = bit_path(energy, landscape.minima[i].bits, landscape.minima[target].bits, 0);
      if (path.highest() - landscape.minima[i].energy >= least_barrier) continue;
      into[i] = target;
      break;
    }
  }
  join(landscape, into);
}

void keep_populated(BitLandscape& landscape, std::size_t most) {
  std::vector<std::size_t> order(landscape.minima.size()), into(order.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  into = order;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    return landscape.minima[a].population > landscape.minima[b].population;
  });
  const std::vector<std::size_t> kept(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::min(most, order.size())));
  for (auto i = kept.size(); i < order.size(); ++i)
    into[order[i]] = nearest(landscape, order[i], kept, 1).front();
  join(landscape, into);
}

/// The lowest paths that join all minima.
std::vector<BitPathway> find_pathways(const BitEnergy& energy, const std::vector<BitMinimum>& minima) {
  std::vector<BitPathway> all;
  std::vector<Crossing> passes;
  for (std::size_t a = 0; a < minima.size(); ++a)
    for (std::size_t b = a + 1; b < minima.size(); ++b) {
      all.push_back({a, b, bit_path(energy, minima[a].bits, minima[b].bits)});
      passes.push_back({a, b, all.back().path.highest()});
    }
  const auto kept = spanning(minima.size(), passes);
  std::erase_if(all, [&](const BitPathway& p) {
    return std::none_of(kept.begin(), kept.end(),
                        [&](const Crossing& k) { return k.a == p.a && k.b == p.b; });
  });
  return all;
}

}  // namespace

std::vector<Bits> descend_bits(const BitEnergy& energy, const std::vector<Bits>& states) {
  std::set<Bits> unique(states.begin(), states.end());
  std::unordered_map<Bits, Bits> next;
  std::vector<Bits> frontier(unique.begin(), unique.end());
  while (!frontier.empty()) {
    const auto steps = stepped(energy, frontier);
    std::set<Bits> fresh;
    for (std::size_t i = 0; i < frontier.size(); ++i) {
      next[frontier[i]] = steps[i];
      if (!next.contains(steps[i])) fresh.insert(steps[i]);
    }
    std::erase_if(fresh, [&](const Bits& state) { return next.contains(state); });
    frontier.assign(fresh.begin(), fresh.end());
  }
  std::vector<Bits> out;
  for (Bits state : states) {
    while (next.at(state) != state) state = next.at(state);
    out.push_back(state);
  }
  return out;
}

BitLandscape explore_bits(const BitEnergy& energy, const std::vector<Bits>& samples, double least_barrier,
                          std::size_t most) {
  if (samples.empty()) fail("a landscape of bits needs samples of the prior, but there are none");
  auto out = distinct(energy, descend_bits(energy, samples));
  join_shallow(energy, out, least_barrier);
  keep_populated(out, most);
  out.pathways = find_pathways(energy, out.minima);
  const double lowest = out.minima.front().energy;
  for (auto& m : out.minima) m.energy -= lowest;
  std::vector<Crossing> passes;
  for (auto& p : out.pathways) {
    for (double& e : p.path.energies) e -= lowest;
    passes.push_back({p.a, p.b, p.path.highest()});
  }
  out.tree = disconnectivity_tree(out.minima.size(), passes);
  return out;
}

}  // namespace cryoscape::landscape
