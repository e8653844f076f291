#pragma once
#include <complex>
#include <vector>

namespace cryoscape::model {

/// Applies CTFs as an extraction does: a CTF spreads fine detail far (λ·Δf·f, 74 Å for 4 Å detail at 1.5 µm),
/// and what leaves the box is lost. The image is set into a box of twice the size, filtered there, and cut
/// out again. Within the image's own box the same detail would wrap around instead, and a prediction would
/// hold what no image has. One instance per thread.
class WideCtf {
 public:
  explicit WideCtf(int box);

  /// image (D, D) ← its place in the filtered, zero-padded image; ctf (2D, D+1), on the image's own pixel
  /// size. The CTF is real and even, so this is its own adjoint.
  void apply(const float* ctf, float* image);

 private:
  int box_;
  std::vector<std::complex<float>> spectrum_;
};

}  // namespace cryoscape::model
