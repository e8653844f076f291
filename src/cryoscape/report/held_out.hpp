#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "cryoscape/training/run.hpp"

namespace cryoscape::report {

/// Bounds of a run's held-out particles, nats, by row of the input file, with what they are bounds on.
struct HeldOut {
  std::filesystem::path particles;  ///< input file
  std::string images;               ///< grid and likelihood in words; bounds on different ones do not compare
  std::map<std::uint32_t, double> bound, importance_bound;  ///< from one sample each, and importance-weighted
};

/// Reads a run's held_out.npy; no bounds where it does not exist yet. Throws Error where it is damaged.
HeldOut read_held_out(const training::RunFolder& folder, const training::RunConfig& config);

/// Mean of bound − first bound, importance-weighted, over the particles that both runs held out, with its
/// standard error.
struct BoundDifference {
  std::optional<double> mean, standard_error;
  std::size_t particles = 0;  ///< that both held out
  std::string note;           ///< why there is no difference, else empty
};
BoundDifference bound_difference(const HeldOut& first, const HeldOut& other);

}  // namespace cryoscape::report
