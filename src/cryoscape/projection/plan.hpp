#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cryoscape/projection/kernel.hpp"

namespace cryoscape::projection {

/// Image rows that the drawing kernel keeps in registers.
inline constexpr int kRowBlock = 4;
/// The profile is tabulated at this many bead positions within a pixel.
inline constexpr int kPhases = 64;

/// How the windows of one grid are cut into vectors. An image is drawn in strips of `columns` pixels that
/// begin every `step` pixels from column −2·reach on, so that a window which begins in a strip's first `step`
/// columns ends within the strip.
struct WindowPlan {
  ProjectionSpec spec;
  int reach = 0;    ///< a window holds the pixels up to this far from the one nearest to the bead
  int width = 0;    ///< 2·reach + 1
  int lanes = 0;    ///< floats of a vector
  int columns = 0;  ///< of a strip, whole vectors
  int step = 0;
  int strips = 0;
  int row_starts = 0;        ///< rows that a window may begin at: −2·reach … box − 1
  int window_floats = 0;     ///< width, rounded up to whole vectors
  int table_rows = 0;        ///< floats of a bead's row table: whole blocks and whole vectors
  float inverse_sigma2 = 0;  ///< pixels⁻²

  /// exp(−(i − p/kPhases)²/2σ²) for phases p = −kPhases/2 … kPhases/2 and pixels i = profile_first …, zero
  /// for |i| > reach.
  std::vector<float> profile;
  int profile_first = 0, profile_size = 0;

  /// The profile of phase p at pixel i.
  const float* entry(int phase, int i) const {
    return profile.data() + static_cast<std::ptrdiff_t>(phase + kPhases / 2) * profile_size +
           (i - profile_first);
  }
};

/// Plan for vectors of `lanes` floats.
WindowPlan make_plan(const ProjectionSpec& spec, int lanes);

/// Where an image is drawn: a multiple of kRowBlock rows; strips that reach beyond an image's columns need
/// margins.
struct Canvas {
  float* pixels;
  std::ptrdiff_t stride;
  int rows;
};

/// An image with margins into which every strip and window fits. Rows are a whole number of blocks; only
/// columns have margins.
struct Frame {
  int left = 0, rows = 0;
  std::ptrdiff_t stride = 0;
  std::vector<float> memory;

  /// Zero all over.
  void prepare(const WindowPlan& plan);
  float* at(int x, int y) { return memory.data() + y * stride + left + x; }
  const float* at(int x, int y) const { return memory.data() + y * stride + left + x; }
  void clear();
  Canvas canvas() { return {at(0, 0), stride, rows}; }
  /// Fills all but the margins from an image (box, box).
  void read(int box, const float* image);
  /// Copies all but the margins to an image (box, box).
  void write(int box, float* image) const;
};

/// A bead as it lies in the image.
struct PlacedBead {
  float x, y;  ///< pixels
  float amplitude;
  std::int32_t index;  ///< among the beads
};

/// Beads of one image sorted by the strip and then by the row that their windows begin in; those outside the
/// image left out.
struct BeadOrder {
  std::vector<PlacedBead> placed;  ///< (N) as they come
  std::vector<std::int32_t>
      keys;  ///< (N) strip · row_starts + first row + 2·reach; strips · row_starts for those outside
  std::vector<std::int32_t> start;  ///< first place of each key in `sorted`
  std::vector<PlacedBead> sorted;   ///< visible beads

  void resize(std::size_t beads, int lanes);
  void sort(const WindowPlan& plan, std::size_t beads);
  std::size_t visible() const { return start.back(); }
  /// Whether no strip with beads reaches beyond an image's columns, nor blocks of rows beyond its rows.
  bool inside(const WindowPlan& plan) const;
};

}  // namespace cryoscape::projection
