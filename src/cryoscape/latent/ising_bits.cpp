#include "cryoscape/latent/ising_bits.hpp"

namespace cryoscape::latent {

SpinEnergy to_spins(const BitEnergy& bits) {
  SpinEnergy out;
  for (const double b : bits.biases) {
    out.problem.fields.push_back(b / 2);
    out.constant -= b / 2;
  }
  for (const auto& w : bits.weights) {
    const double quarter = w.value / 4;
    out.problem.couplings.push_back({w.i, w.j, quarter});
    out.problem.fields[w.i] += quarter;
    out.problem.fields[w.j] += quarter;
    out.constant -= quarter;
  }
  return out;
}

BitEnergy to_bits(const IsingProblem& problem) {
  BitEnergy out;
  for (const double h : problem.fields) out.biases.push_back(2 * h);
  for (const auto& c : problem.couplings) {
    out.weights.push_back({c.i, c.j, 4 * c.value});
    out.biases[c.i] -= 2 * c.value;
    out.biases[c.j] -= 2 * c.value;
  }
  return out;
}

}  // namespace cryoscape::latent
