#include "cryoscape/landscape/bit_path.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <queue>
#include <tuple>
#include <unordered_map>

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kBeam = 64;

Bits flipped(Bits state, std::size_t bit) {
  state[bit] = state[bit] == '0' ? '1' : '0';
  return state;
}

/// Where a state was reached from, and the highest energy until there.
struct Reached {
  double height = std::numeric_limits<double>::infinity(), energy = 0;
  Bits before;
};

BitPath traced(const BitEnergy& energy, const std::unordered_map<Bits, Reached>& reached, const Bits& a,
               const Bits& b) {
  BitPath path;
  for (Bits at = b;; at = reached.at(at).before) {
    path.states.push_back(at);
    if (at == a) break;
  }
  std::reverse(path.states.begin(), path.states.end());
  const auto energies = energies_of(energy, path.states);
  path.energies.assign(energies.begin(), energies.end());
  return path;
}

/// The best path that flips every differing bit once, but for what falls out of the beam.
BitPath beam_path(const BitEnergy& energy, const Bits& a, const Bits& b) {
  std::unordered_map<Bits, Reached> reached;
  const double start = energies_of(energy, {a})[0];
  reached[a] = {start, start, a};
  std::vector<Bits> beam{a};
  for (auto left = hamming(a, b); left > 0; --left) {
    std::map<Bits, Reached> next;
    for (const auto& state : beam)
      for (std::size_t k = 0; k < a.size(); ++k) {
        if (state[k] == b[k]) continue;
        auto& entry = next[flipped(state, k)];
        if (const double height = reached.at(state).height; height < entry.height)
          entry.height = height, entry.before = state;
      }
    std::vector<Bits> states;
    for (const auto& [state, entry] : next) states.push_back(state);
    const auto energies = energies_of(energy, states);
    std::vector<std::tuple<double, double, Bits>> order;
    for (std::size_t i = 0; i < states.size(); ++i) {
      auto entry = next.at(states[i]);
      entry.energy = energies[static_cast<Eigen::Index>(i)];
      entry.height = std::max(entry.height, entry.energy);
      order.emplace_back(entry.height, entry.energy, states[i]);
      reached[states[i]] = std::move(entry);
    }
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), kBeam));
    beam.clear();
    for (const auto& entry : order) beam.push_back(std::get<2>(entry));
  }
  return traced(energy, reached, a, b);
}

/// What flooding from a finds below a height.
struct Flood {
  bool found = false, settled = false;
  BitPath path;
};

Flood flood(const BitEnergy& energy, const Bits& a, const Bits& b, double below, std::size_t visits) {
  std::unordered_map<Bits, Reached> reached;
  using Entry = std::tuple<double, std::size_t, Bits>;  // height, then distance from b
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  const double start = energies_of(energy, {a})[0];
  reached[a] = {start, start, a};
  queue.push({start, hamming(a, b), a});
  for (std::size_t visited = 0; !queue.empty() && visited < visits; ++visited) {
    const auto [height, distance, state] = queue.top();
    queue.pop();
    if (state == b) return {true, true, traced(energy, reached, a, b)};
    const auto near = flips_of(state);
    const auto energies = energies_of(energy, near);
    for (std::size_t k = 0; k < near.size(); ++k) {
      const double own = energies[static_cast<Eigen::Index>(k)], through = std::max(height, own);
      // Heights only grow, so a state's first one is its best.
      if (through >= below || reached.contains(near[k])) continue;
      reached[near[k]] = {through, own, state};
      queue.push({through, hamming(near[k], b), near[k]});
    }
  }
  return {false, queue.empty(), {}};
}

}  // namespace

Eigen::MatrixXd bit_columns(const std::vector<Bits>& states) {
  Eigen::MatrixXd out(states.empty() ? 0 : static_cast<Eigen::Index>(states.front().size()),
                      static_cast<Eigen::Index>(states.size()));
  for (std::size_t i = 0; i < states.size(); ++i)
    for (std::size_t k = 0; k < states[i].size(); ++k)
      out(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(i)) = states[i][k] == '1';
  return out;
}

Eigen::VectorXd energies_of(const BitEnergy& energy, const std::vector<Bits>& states) {
  return energy(bit_columns(states));
}

std::vector<Bits> flips_of(const Bits& state) {
  std::vector<Bits> out;
  for (std::size_t k = 0; k < state.size(); ++k) out.push_back(flipped(state, k));
  return out;
}

std::size_t hamming(const Bits& a, const Bits& b) {
  std::size_t out = 0;
  for (std::size_t k = 0; k < a.size(); ++k) out += a[k] != b[k];
  return out;
}

double BitPath::highest() const { return *std::max_element(energies.begin(), energies.end()); }

BitPath bit_path(const BitEnergy& energy, const Bits& a, const Bits& b, std::size_t visits) {
  auto path = beam_path(energy, a, b);
  const double ends = std::max(path.energies.front(), path.energies.back());
  if (path.highest() <= ends) {
    path.exact = true;  // no path is lower than its own ends
    return path;
  }
  auto lower = flood(energy, a, b, path.highest(), visits);
  path.exact = lower.settled;
  if (!lower.found) return path;
  lower.path.exact = true;
  return std::move(lower.path);
}

}  // namespace cryoscape::landscape
