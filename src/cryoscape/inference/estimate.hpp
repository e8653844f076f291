#pragma once
#include <vector>

namespace cryoscape::inference {

/// A number with its bootstrap error: standard error, and the ends of a 95 % interval: 1.96 errors about the
/// value for populations; for energies, whose resamples lie askew about the value, these and the resamples'
/// 2.5 and 97.5 % quantiles, whichever is farther.
struct Estimate {
  double value = 0, error = 0, low = 0, high = 0;
};

/// A population with what it is in resamples of the particles; of fewer than 2 there is no error.
Estimate estimate(double value, const std::vector<double>& resampled);

/// The same for an energy.
Estimate estimate_energy(double value, std::vector<double> resampled);

}  // namespace cryoscape::inference
