#pragma once
#include <cstddef>

namespace cryoscape::projection {

/// Longest table of a bead's window, in floats.
inline constexpr int kMaxWindow = 512;

/// What the vector kernels see of an image with margins: `pixels` points at (0, 0); rows have no margins above and below.
struct Frame {
  float* pixels;
  std::ptrdiff_t stride;
  int box;
  float inverse_sigma2, radius;  ///< pixels
};

}  // namespace cryoscape::projection
