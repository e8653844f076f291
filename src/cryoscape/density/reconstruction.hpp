#pragma once
#include <span>
#include <vector>

#include "cryoscape/density/accumulator.hpp"

namespace cryoscape::density {

/// Mean weight per shell of the images' grid (D/2+1) over the sum of completed accumulators.
std::vector<double> shell_weights(std::span<const Accumulator* const> sums);

/// Map (D, D, D) z, y, x with its centre at voxel D/2, whose projections (sums along z) are the images: the
/// inverse transform of Σ value / Σ weight, divided by the transform of trilinear interpolation, sinc² of
/// every coordinate over the padded box. `noise_to_signal` n (D/2+1) is that of each shell at its mean
/// weight, 0 for half-maps: directions that fewer views reach are damped as a Wiener filter does, by
///   (1 + n) / (1 + n · shell's mean weight / weight nearby),
/// so that what all directions of a shell have in common, 1/(1 + n), is left to scale_shells. Points without
/// weight are 0; a thousandth of the shell's mean is added to every weight. In parallel over planes, the same
/// for any number of threads.
std::vector<float> reconstruct(std::span<const Accumulator* const> sums,
                               std::span<const double> noise_to_signal);

/// The same of one completed accumulator without any filter: a half-map.
std::vector<float> unfiltered_map(const Accumulator& sums);

/// Noise over signal (1 − C)/C of a map of all particles from the FSC h of its half-maps, C = 2h/(1 + h)
/// (Rosenthal and Henderson, J. Mol. Biol. 2003), taken as at least `least`.
std::vector<double> noise_to_signal(std::span<const double> half_map_fsc, double least = 0.02);

}  // namespace cryoscape::density
