#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::inference {

/// Smooth functions of one or two variables on a uniform grid as sums of cubic B-splines (tensor products in
/// two), f = Σ_j c_j B_j, with what their roughness and their spread cost. Every axis is scaled to [0, 1].
struct SmoothBasis {
  std::size_t nodes = 0;                ///< of the grid, K; the last axis runs fastest
  std::size_t functions = 0;            ///< m
  std::size_t support = 0;              ///< functions that do not vanish at a node: 4 or 16
  std::vector<std::uint32_t> function;  ///< (K, support)
  std::vector<double> value;            ///< (K, support)
  std::vector<double>
      roughness;  ///< (m, m): cᵀRc = ∫ f‴², in two dimensions ∫ Σ binomial(3, a) (∂ₓᵃ ∂ᵧ³⁻ᵃ f)²
  std::vector<double> spread;  ///< (m, m): cᵀEc = ∫ (f − mean f)²
  std::vector<double> cell;    ///< (K) share of the grid's volume that belongs to each node
};

/// Basis of a grid with so many nodes along each axis (one or two axes, at least four nodes each); an axis is
/// divided into at most `intervals` pieces, fewer where it has fewer gaps between nodes.
SmoothBasis make_smooth_basis(std::span<const std::size_t> nodes, std::size_t intervals);

}  // namespace cryoscape::inference
