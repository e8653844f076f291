#pragma once
#include <array>
#include <span>
#include <vector>

#include "cryoscape/density/accumulator.hpp"
#include "cryoscape/density/curved_kernel.hpp"
#include "cryoscape/density/displacement_field.hpp"

namespace cryoscape::density {

/// Up to kGroup images filtered for back-projection, on a grid of twice their fineness.
struct ImageGroup {
  explicit ImageGroup(int box);

  int box;                                        ///< D of the images
  std::array<std::array<float, 6>, kGroup> axes;  ///< rows of the poses: x appears at axes · x
  std::vector<float> pixels;                      ///< (kGroup, 2D, 2D), the particles' centres at (D, D)

  std::span<float> image(std::size_t k);
  /// Makes the images from `count` on empty.
  void clear_from(std::size_t count);
};

/// Filters of back-projection in real space: every coefficient is divided by the weight that all images of a
/// half-set together have there, so that a sum of back-projected images is the map that `reconstruct` makes
/// of the same particles, up to interpolation.
class BackProjectionFilter {
 public:
  /// Takes the completed sums of a half-set; a thousandth of each shell's mean is added to every weight.
  explicit BackProjectionFilter(Accumulator sums);

  /// Filters a slice into image k of a group. May be called from several threads.
  void apply(const Slice& slice, ImageGroup& group, std::size_t k) const;

 private:
  Accumulator inverse_;             ///< `weight` holds the inverse weights
  std::vector<double> correction_;  ///< by frequency, of interpolation between fine pixels
};

/// Displacements (N, 3) in Å as image k of a group sees them, in its fine pixels: into `projected` (N, 2,
/// kGroup).
void project_displacements(const ImageGroup& group, std::size_t k, double pixel_size,
                           std::span<const float> displacements, std::span<float> projected);

/// Adds a group of images to planes first ≤ z < last of a map (D, D, D) along the rays that lead from each
/// voxel x to x + u(x), with u at the field's nodes (z, y, x, 2, kGroup) as the images see it, in fine
/// pixels. Only voxels in the largest sphere of the box take part, and points that an image holds.
void add_curved(const ImageGroup& group, const DisplacementField& field, std::span<const float> nodes,
                int first, int last, std::span<float> map);

}  // namespace cryoscape::density
