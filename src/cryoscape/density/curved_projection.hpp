#pragma once
#include <array>
#include <span>
#include <vector>

#include "cryoscape/density/accumulator.hpp"
#include "cryoscape/density/displacement_field.hpp"

namespace cryoscape::density {

/// An image filtered for back-projection, on a grid of twice its fineness.
struct FilteredImage {
  int box = 0;                  ///< D of the image
  std::array<float, 6> axes{};  ///< rows of its pose: x appears at axes · x
  std::vector<float> pixels;    ///< (2D, 2D), the particle's centre at (D, D)
};

/// Filters of back-projection in real space: every coefficient is divided by the weight that all images of a
/// half-set together have there, so that a sum of back-projected images is the map that `reconstruct` makes
/// of the same particles, up to interpolation.
class BackProjectionFilter {
 public:
  /// Takes the completed sums of a half-set; a thousandth of each shell's mean is added to every weight.
  explicit BackProjectionFilter(Accumulator sums);

  /// Filters a slice. May be called from several threads.
  void apply(const Slice& slice, FilteredImage& image) const;

 private:
  Accumulator inverse_;  ///< `weight` holds the inverse weights
};

/// Displacements (N, 3) in Å as an image of a pose sees them: (N, 2) in its fine pixels.
void project_displacements(const FilteredImage& image, double pixel_size,
                           std::span<const float> displacements, std::span<float> projected);

/// Adds the image to planes first ≤ z < last of a map (D, D, D) along the rays that lead from each voxel x to
/// x + u(x), with u at the field's nodes (z, y, x, 2) as the image sees it, in fine pixels. Only voxels in
/// the largest sphere of the box take part, and points that the image holds.
void add_curved(const FilteredImage& image, const DisplacementField& field, std::span<const float> nodes,
                int first, int last, std::span<float> map);

}  // namespace cryoscape::density
