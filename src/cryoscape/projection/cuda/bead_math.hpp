#pragma once
#include "cryoscape/projection/spec.hpp"
#include "cryoscape/util/cuda/host_device.hpp"

/// What one GPU thread computes of a projection, as functions that the host can run too: the same windows and
/// the same numbers as projection::project (kernel.hpp).
namespace cryoscape::projection::cuda {

/// What a thread needs to know of the grid.
struct Grid {
  int box, reach;
  float inverse_pixel;   ///< 1/Å
  float inverse_sigma2;  ///< pixels⁻²
};

inline Grid make_grid(const ProjectionSpec& spec) {
  const float sigma = spec.sigma / spec.pixel_size;
  return {spec.box, window_reach(spec), 1 / spec.pixel_size, 1 / (sigma * sigma)};
}

/// A particle's view: position in pixels = (x or y) · coordinates + origin.
struct View {
  float x[3], y[3], origin_x, origin_y;
};

CRYOSCAPE_HOST_DEVICE inline View view_of(const Grid& grid, const float* rotation, const float* shift) {
  View view;
  for (int k = 0; k < 3; ++k) {
    view.x[k] = rotation[k] * grid.inverse_pixel;
    view.y[k] = rotation[3 + k] * grid.inverse_pixel;
  }
  view.origin_x = 0.5f * static_cast<float>(grid.box) - shift[0] * grid.inverse_pixel;
  view.origin_y = 0.5f * static_cast<float>(grid.box) - shift[1] * grid.inverse_pixel;
  return view;
}

/// A bead in the image: its position and the pixel nearest to it.
struct Spot {
  float x = 0, y = 0;
  int column = 0, row = 0;
  bool visible = false;  ///< its window meets the image; false for positions that are not finite
};

CRYOSCAPE_HOST_DEVICE inline Spot place(const Grid& grid, const View& view, const float* p) {
  Spot spot;
  spot.x = fmaf(p[2], view.x[2], fmaf(p[1], view.x[1], fmaf(p[0], view.x[0], view.origin_x)));
  spot.y = fmaf(p[2], view.y[2], fmaf(p[1], view.y[1], fmaf(p[0], view.y[0], view.origin_y)));
  const float column = rintf(spot.x), row = rintf(spot.y);
  const float least = static_cast<float>(-grid.reach), most = static_cast<float>(grid.box - 1 + grid.reach);
  spot.visible = column >= least && column <= most && row >= least && row <= most;
  if (!spot.visible) return spot;
  spot.column = static_cast<int>(column);
  spot.row = static_cast<int>(row);
  return spot;
}

/// Whether a window about pixel `centre` meets the `count` pixels from `first` on, along one axis.
CRYOSCAPE_HOST_DEVICE inline bool meets(int centre, int reach, int first, int count) {
  return centre + reach >= first && centre - reach < first + count;
}

/// exp(−(pixel − position)²/2σ²) within the window about pixel `centre`, 0 beyond it.
CRYOSCAPE_HOST_DEVICE inline float profile(const Grid& grid, float position, int centre, int pixel) {
  const int ahead = pixel - centre;
  if (ahead > grid.reach || ahead < -grid.reach) return 0;
  const float offset = static_cast<float>(pixel) - position;
  return expf(-0.5f * grid.inverse_sigma2 * offset * offset);
}

/// A bead's weight in the image: A/(2πσ²).
CRYOSCAPE_HOST_DEVICE inline float drawn_weight(const Grid& grid, float amplitude) {
  return amplitude * grid.inverse_sigma2 * 0.159154943f;
}

/// Adds a bead to `Rows` pixels of one column: along_x is its weighted profile there, along_y that of the
/// rows.
template <int Rows>
CRYOSCAPE_HOST_DEVICE inline void add_bead(float along_x, const float* along_y, float* sums) {
  for (int r = 0; r < Rows; ++r) sums[r] = fmaf(along_x, along_y[r], sums[r]);
}

/// Sums over the rows of one column of a bead's window, weighted by its profile g along y and by its slope h,
/// profile · (pixel − position).
struct ColumnSums {
  float g = 0, h = 0;

  CRYOSCAPE_HOST_DEVICE void add(float pixel, float gy, float hy) {
    g = fmaf(pixel, gy, g);
    h = fmaf(pixel, hy, h);
  }
};

/// Derivative of Σ image · gradient by a bead's position, up to its weight over σ², column by column.
struct Pull {
  float x = 0, y = 0;

  CRYOSCAPE_HOST_DEVICE void add(const ColumnSums& sums, float gx, float hx) {
    x = fmaf(sums.g, hx, x);
    y = fmaf(sums.h, gx, y);
  }
};

/// The gradient by the bead's coordinates, 1/Å.
CRYOSCAPE_HOST_DEVICE inline float coordinate_gradient(const Grid& grid, const View& view, float amplitude,
                                                       const Pull& pull, int axis) {
  const float scale = drawn_weight(grid, amplitude) * grid.inverse_sigma2;
  return scale * (view.x[axis] * pull.x + view.y[axis] * pull.y);
}

}  // namespace cryoscape::projection::cuda
