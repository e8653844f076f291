#pragma once
#include <Eigen/Core>
#include <span>
#include <vector>

namespace cryoscape::landscape {

/// Principal components of a molecule's conformations, in which Euclidean distance is r.m.s. displacement:
/// rigid motion is taken out by superposing each structure on the mean, and coordinates are in Å per √N.
struct StructureSpace {
  std::vector<float> mean;                 ///< (3N) Å, in the reference's frame
  Eigen::MatrixXf axes;                    ///< (3N, k), orthonormal columns, largest variance first
  std::vector<double> standard_deviation;  ///< (k) Å
  std::vector<double> share;               ///< (k) of the total variance

  std::size_t size() const { return standard_deviation.size(); }
};

/// Components of structures (M, 3N) with a standard deviation above 0.05 Å, at most 10 and at least 1, by
/// randomised subspace iteration (Halko, Martinsson and Tropp, SIAM Review 2011). The mean stands superposed
/// on the reference (3N).
StructureSpace fit_structure_space(std::vector<float> structures, std::span<const float> reference);

/// Component coordinates (M, k), row by row, of structures (M, 3N) in any frame.
std::vector<float> project(const StructureSpace& space, std::span<const float> structures);

/// Superposes each of the structures (M, 3N) on a target (3N), in place.
void superpose_all(std::span<float> structures, std::span<const float> target);

/// Mean (3N) of structures (M, 3N).
std::vector<float> mean_structure(std::span<const float> structures, std::size_t length);

}  // namespace cryoscape::landscape
