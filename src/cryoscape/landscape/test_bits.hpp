#pragma once
#include <algorithm>
#include <numeric>

#include "cryoscape/landscape/bit_path.hpp"
#include "cryoscape/util/random.hpp"

/// For this room's tests: a small restricted Boltzmann machine, and what all of its states say about it.
namespace cryoscape::landscape {

inline constexpr int kTestBits = 10;
inline constexpr std::size_t kTestStates = std::size_t{1} << kTestBits;

/// Bit k of a number is bit k of the state.
inline Bits state_of(std::size_t number) {
  Bits out;
  for (int k = 0; k < kTestBits; ++k) out += number >> k & 1 ? '1' : '0';
  return out;
}

/// E(z) = −b·z − z₁ᵀ W z₂ with couplings of a few kT, half of the bits on each side, and spin symmetry broken
/// by small fields.
inline BitEnergy test_machine(std::uint64_t seed) {
  Philox random(seed);
  constexpr Eigen::Index kSide = kTestBits / 2;
  Eigen::MatrixXd w(kSide, kSide);
  Eigen::VectorXd b(kTestBits);
  for (double& v : w.reshaped()) v = 4 * random.normal();
  for (double& v : b) v = 0.5 * random.normal();
  b.head(kSide) -= w.rowwise().sum() / 2;
  b.tail(kSide) -= w.colwise().sum().transpose() / 2;
  return [w, b](const Eigen::MatrixXd& z) {
    Eigen::VectorXd out(z.cols());
    for (Eigen::Index i = 0; i < z.cols(); ++i)
      out[i] = -b.dot(z.col(i)) - z.col(i).head(kSide).dot(w * z.col(i).tail(kSide));
    return out;
  };
}

/// Energies of all states.
inline std::vector<double> all_energies(const BitEnergy& energy) {
  std::vector<Bits> states;
  for (std::size_t s = 0; s < kTestStates; ++s) states.push_back(state_of(s));
  const auto e = energies_of(energy, states);
  return {e.begin(), e.end()};
}

/// Numbers of the states from which no flip leads down.
inline std::vector<std::size_t> stable_states(const std::vector<double>& energies) {
  std::vector<std::size_t> out;
  for (std::size_t s = 0; s < energies.size(); ++s) {
    bool stable = true;
    for (int k = 0; k < kTestBits; ++k) stable = stable && energies[s ^ (std::size_t{1} << k)] >= energies[s];
    if (stable) out.push_back(s);
  }
  return out;
}

/// The lowest height at which two states are joined: states enter in order of energy and join their
/// neighbours.
inline double minimax(const std::vector<double>& energies, std::size_t a, std::size_t b) {
  std::vector<std::size_t> order(energies.size()), parent(energies.size(), energies.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto i, auto j) { return energies[i] < energies[j]; });
  const auto root = [&](std::size_t i) {
    while (parent[i] != i) i = parent[i];
    return i;
  };
  for (const auto s : order) {
    parent[s] = s;
    for (int k = 0; k < kTestBits; ++k)
      if (const auto near = s ^ (std::size_t{1} << k); parent[near] < parent.size())
        parent[root(near)] = root(s);
    if (parent[a] < parent.size() && parent[b] < parent.size() && root(a) == root(b)) return energies[s];
  }
  return 0;
}

}  // namespace cryoscape::landscape
