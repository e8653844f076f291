#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::density {

/// How beads that move take the space between them along: at a point x of the map the mean of their
/// displacements under Gaussian weights of their places x_b,
///   u(x) = Σ_b w_b d_b / (Σ_b w_b + w_0),  w_b = exp(−|x − x_b|²/2τ²),  w_0 = exp(−9/2),
/// kept at nodes of a coarse grid, linear between them. Far from all beads (3τ) it fades away.
class DisplacementField {
 public:
  /// Beads (N, 3) in Å from the map's centre, voxel D/2; τ = `width` in Å.
  DisplacementField(int box, double pixel_size, std::span<const float> beads, double width);

  /// Voxels from node to node: at most two thirds of τ, at least one.
  int step() const { return step_; }
  /// Nodes along an edge; the last one lies at or beyond the last voxel.
  int side() const { return side_; }
  std::size_t nodes() const { return static_cast<std::size_t>(side_) * side_ * side_; }

  /// Field at the nodes (z, y, x, C) of displacements (N, C), in their unit. C is 3, or a multiple of 32:
  /// displacements of many particles side by side.
  void spread(std::span<const float> displacements, int components, std::span<float> nodes) const;

  /// Share of the nodes within τ of a bead where space folds over, det(I + ∇u) ≤ 0, of displacements (N, 3)
  /// in Å: by central differences over neighbouring nodes.
  double folded(std::span<const float> displacements) const;

 private:
  struct Entry {
    std::uint32_t bead;
    float weight;
  };

  int step_, side_;
  double spacing_;                     ///< Å from node to node
  std::vector<std::uint32_t> filled_;  ///< nodes in reach of beads
  std::vector<std::size_t> begin_;     ///< (filled + 1) of their entries
  std::vector<Entry> entries_;         ///< weights by bead, divided by their sum
  std::vector<char> inside_;           ///< (filled) whether a bead lies within τ
};

}  // namespace cryoscape::density
