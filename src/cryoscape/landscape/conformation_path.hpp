#pragma once
#include <span>
#include <vector>

#include "cryoscape/landscape/collective_variable.hpp"
#include "cryoscape/structure/smooth_path.hpp"

namespace cryoscape::landscape {

/// Conformations at K evenly spaced values of a collective variable, as the exact likelihoods of a landscape
/// are tabulated at.
struct ConformationPath {
  std::vector<double> values;     ///< (K) ξ, ascending
  std::vector<float> structures;  ///< (K, 3N) Å, as the decoder places them, so that poses are right
  std::vector<float> tangents;    ///< (K, 3N) dx/dξ, Å per unit of ξ

  std::size_t size() const { return values.size(); }
};

/// Typical conformations along a variable: local linear regression on ξ (Fan and Gijbels 1996, tricube
/// weights, bandwidth of a fixed number of neighbours) of structures (M, 3N) that stand as the decoder gives
/// them. Shapes are averaged after superposition on their mean, which a turn of the molecule would blur, and
/// then placed on the same average of the structures as they stand. An average has another ξ than its members
/// have on average, so each node is moved along the regression until its own ξ is right to 1 % of the
/// spacing. Nodes lie where `range_of_nodes` says, a reach of 15 % included; those at the
/// ends that are not reached within 15 % of the structures' range beyond it are left out. Tangents
/// are the nodes' differences, of second order, and thus fit a cubic Hermite interpolation between them.
/// Throws Error for fewer than 20 structures, and where ξ does not vary.
ConformationPath conformations_along(const CollectiveVariable& variable, std::span<const float> structures,
                                     std::size_t length, std::size_t nodes = 51);

/// The conformations of a path of models themselves, at evenly spaced positions from 0 to 1: what the
/// molecule does is then given, not learned. The path is moved as one body, so that its conformation nearest
/// to the reference (3N) lies on it. Tangents are the path's own.
ConformationPath models_along(const structure::SmoothPath& path, std::span<const float> reference,
                              std::size_t nodes = 51);

}  // namespace cryoscape::landscape
