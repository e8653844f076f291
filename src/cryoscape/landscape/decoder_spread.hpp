#pragma once
#include <vector>

#include "cryoscape/inference/free_energy.hpp"

/// How far decoders that learned from different particles lead to different numbers. Each of two runs on
/// independent halves has its own; the difference of a number between them holds that spread beside the noise
/// of either sample, which a bootstrap over particles knows.
namespace cryoscape::landscape {

/// A number with the standard error of its bootstrap.
struct Measured {
  double value = 0, error = 0;
};

/// The variance σ² that decoders add to a number, by those of two independent halves: from
/// E(a − b)² = s_a² + s_b² + 2σ², and 0 where the bootstrap errors s say it all. One degree of freedom.
double decoder_variance(Measured own, Measured other);

/// A free energy along one variable to a constant, with the bootstrap's standard errors, kT, at evenly spaced
/// ascending values of the variable.
struct EnergyCurve {
  std::vector<double> at, energy, error;
};

/// The same at every point of the own curve, where both are −ln of densities normalised over the values that
/// both reach; the other is interpolated linearly. Points beyond these values have the variance of the last
/// one within. Empty where the other reaches less than half of the own points.
std::vector<double> decoder_variance(const EnergyCurve& own, const EnergyCurve& other);

/// An estimate whose error and 95 % interval hold one more independent variance.
inference::Estimate widened(inference::Estimate estimate, double variance);

}  // namespace cryoscape::landscape
