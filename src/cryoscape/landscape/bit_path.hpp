#pragma once
#include <Eigen/Core>
#include <functional>
#include <string>
#include <vector>

namespace cryoscape::landscape {

/// A state of bits: one character, '0' or '1', for each.
using Bits = std::string;

/// Energies (M), kT, of states of bits (n, M) of 0 and 1; many at once.
using BitEnergy = std::function<Eigen::VectorXd(const Eigen::MatrixXd&)>;

/// States as the columns of a matrix, and their energies.
Eigen::MatrixXd bit_columns(const std::vector<Bits>& states);
Eigen::VectorXd energies_of(const BitEnergy& energy, const std::vector<Bits>& states);

/// All states that differ in one bit, in order of the bits.
std::vector<Bits> flips_of(const Bits& state);

/// How many bits differ.
std::size_t hamming(const Bits& a, const Bits& b);

/// A path from state to state by single flips.
struct BitPath {
  std::vector<Bits> states;      ///< from one end to the other
  std::vector<double> energies;  ///< kT
  bool exact = false;            ///< whether no other path has a lower highest state

  double highest() const;
};

/// The path whose highest state is lowest. First among paths that flip each differing bit once, by a beam
/// search; then, below that height, by flooding from `a` in order of height. The flood visits at most
/// `visits` states: where that does not settle it the path is the best that was found, and not `exact`.
BitPath bit_path(const BitEnergy& energy, const Bits& a, const Bits& b, std::size_t visits = 1000);

}  // namespace cryoscape::landscape
