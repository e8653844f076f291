#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "cryoscape/density/accumulator.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::density {

/// Turns k to the half space x > 0 (y > 0 where x = 0, z ≥ 0 where y is 0 too); true if that changed its
/// sign. The transform of a real map on this half is the whole of it: V(−k) = conj V(k).
bool turn_to_half_space(std::span<float, 3> k);

/// A quantity given per shell, interpolated at a radius (grid steps); the last shell's beyond.
double at_radius(std::span<const double> by_shell, double radius);

/// Coefficients that a network of frequencies learns from, a row each.
struct FrequencyBatch {
  std::vector<float> k;        ///< (N, 3), grid steps, in the half space
  std::vector<float> samples;  ///< (N, 3): real and imaginary part of weight · value, weight
  std::size_t size() const { return k.size() / 3; }
};

/// Draws coefficients of slices at random. A slice's loss Σ w|V − X|²/D² (nats; V = scale · o, the sum over
/// half of the coefficients, w = 1/S of SliceMaker) is estimated from the drawn ones without bias: each is
/// divided by its probability times the number drawn. Half of the draws are uniform, which bounds that
/// divisor, half go by scale/√noise: a draw's gradient by o has a standard deviation of about scale · √w, and
/// noise of the estimate is least with probabilities in proportion to it. The few coefficients of the low
/// shells, where most of the signal is, would else hardly be drawn in large boxes.
class FrequencySampler {
 public:
  /// `scale`: what a network's output of 1 stands for; `noise`: power of the noise; by shell (D/2+1).
  FrequencySampler(int box, std::span<const double> scale, std::span<const double> noise);

  /// Appends `count` draws, with replacement, as samples of o: scale · value/D² and scale² · weight/D², times
  /// the correction. One that falls outside the slice's sphere (of an image with magnification) is left out.
  void draw(const Slice& slice, std::size_t count, Philox& random, FrequencyBatch& batch) const;

 private:
  struct Candidate {
    int kx, row, ky;
  };
  int box_;
  std::vector<double> scale_;
  std::vector<Candidate> candidates_;
  std::vector<double> cumulative_, probability_;  ///< of the candidates
};

}  // namespace cryoscape::density
