#pragma once
#include <span>
#include <vector>

#include "cryoscape/density/accumulator.hpp"

namespace cryoscape::density {

/// Mean weight per shell of the images' grid (D/2+1) over the sum of completed accumulators.
std::vector<double> shell_weights(std::span<const Accumulator* const> sums);

/// Map (D, D, D) z, y, x with its centre at voxel D/2, whose projections (sums along z) are the images: the
/// inverse transform of Σ value / (Σ weight + added), where `added` (D/2+1) is interpolated between shells,
/// divided by the transform of trilinear interpolation, sinc² of every coordinate over the padded box. Points
/// without weight are 0. In parallel over planes.
std::vector<float> reconstruct(std::span<const Accumulator* const> sums, std::span<const double> added);

/// What reconstruct adds to weights so that a map is not filtered, and points that hardly any slice has
/// reached are not noise: one thousandth of the shell's mean weight.
std::vector<double> unfiltered(std::span<const double> shell_weights);

/// What makes it a Wiener filter: the shell's mean weight over its signal-to-noise ratio FSC/(1 − FSC), the
/// FSC that of the map with the truth squared, 2·h/(1 + h) of half-maps' h, taken as at least `least`.
std::vector<double> wiener(std::span<const double> shell_weights, std::span<const double> half_map_fsc,
                           double least = 0.02);

}  // namespace cryoscape::density
