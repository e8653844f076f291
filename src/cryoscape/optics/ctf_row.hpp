#pragma once
#include <cstddef>

namespace cryoscape::optics {

/// One row of a CTF for the vector kernel: column k lies at (x0 + k·dx, y0 + k·dy) in 1/Å; phases are in
/// turns.
struct CtfRow {
  std::size_t columns;
  double x0, y0, dx, dy;
  double xx, xy2, yy;  ///< xx·x² + xy2·x·y + yy·y²
  double quartic;      ///< subtracted with |f|⁴
  double offset;
  float scale, decay;  ///< decay · |f|² in the exponent
  bool absolute;       ///< |CTF|
};

}  // namespace cryoscape::optics
