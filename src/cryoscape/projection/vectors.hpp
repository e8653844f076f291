#pragma once
#include <span>

#include "cryoscape/projection/plan.hpp"

namespace cryoscape::projection {

/// Beads to place: p = R x − shift, in pixels from the image's corner.
struct Placing {
  const float* coordinates;  ///< (N, 3) Å
  const float* rotation;     ///< (3, 3)
  const float* shift;        ///< (2) Å
  std::span<const float> amplitudes;
};

/// How to compute the profiles along one axis of a run of beads from the tabulated ones.
struct AxisProfiles {
  std::vector<std::int32_t> entry;  ///< index into WindowPlan::profile of the first pixel
  std::vector<float> slope, at;     ///< the factor at pixel j is exp(t) to second order, t = slope · j + at
  std::vector<float> offset;        ///< first pixel minus the bead's position
};

/// Profiles of a run of beads along x and y. To draw, they begin with the strip's first column and the
/// window's first row block, plan.columns and plan.table_rows floats long; to pull, with the window's first
/// pixel, plan.window_floats long.
struct Tables {
  AxisProfiles x, y;
  std::vector<float> columns, rows;  ///< profiles; those along x times the bead's amplitude to draw
  std::vector<float> column_slopes,
      row_slopes;  ///< profile · (pixel − position): of rows to pull, of both for tangents
  std::vector<std::int32_t> first_columns, first_rows;  ///< pixel that each profile begins at
  std::vector<float> moved_rows;  ///< row profiles or slopes times a bead's velocity, to draw tangents
  std::vector<std::int64_t> row_offsets;  ///< index into `rows` of image row 0

  void resize(const WindowPlan& plan, std::size_t beads);
};

/// The parts that are compiled for every instruction set and chosen at run time.
int vector_lanes();
/// Positions and keys of all beads; sorting is the next step.
void place_beads(const WindowPlan& plan, const Placing& placing, BeadOrder& order);
/// Adds the beads to the canvas.
void draw_beads(const WindowPlan& plan, const BeadOrder& order, Tables& tables, const Canvas& canvas);
/// Adds to each frame the derivative of the image where beads move at velocities (frames, N, 2), times σ² in
/// pixels.
void draw_tangents(const WindowPlan& plan, const BeadOrder& order, std::span<const float> velocities,
                   Tables& tables, std::span<Frame> frames);
/// gradient (N, 3) of Σ image · frame by the coordinates of the visible beads; the others are left as they
/// are.
void pull_beads(const WindowPlan& plan, const BeadOrder& order, const float* rotation, Tables& tables,
                const Frame& frame, float* gradient);

}  // namespace cryoscape::projection
