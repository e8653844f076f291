#pragma once
#include <optional>
#include <string>

#include "cryoscape/latent/ising_sampler.hpp"

namespace cryoscape::latent {

/// What a problem's JSON asks for beside the problem.
struct IsingRequest {
  IsingProblem problem;
  std::optional<int> samples;
  std::optional<std::uint64_t> seed;
};

/// Largest number of samples that can be asked for.
inline constexpr int kMostSamples = 100'000'000;

/// Reads {"spins": n, "fields": [h…], "couplings": [[i, j, J]…], "beta": 1.0}, and "samples" and "seed" where
/// they are given; fields and couplings may be absent (all 0), beta too (1). `name` is what errors call the
/// text. Throws Error for anything else than a usable problem.
IsingRequest read_ising_request(const std::string& text, const std::string& name);

/// The same object, in one line.
std::string to_json(const IsingRequest& request);

/// Reads samples as a program answers them: {"samples": [[1, -1, …]…]} and perhaps "log_partition", a number
/// or null. Throws Error unless there are `count` samples of the problem's spins; of more, the first are
/// taken.
IsingSamples read_ising_samples(const std::string& text, const IsingProblem& problem, int count,
                                const std::string& name);

/// {"samples": …, "beta_effective": …, "beta_error": …, "log_partition": …}, with "raw_beta_effective" and
/// "correction_sweeps" where samples were corrected; one line per sample. "beta_error" is null where it is
/// not finite.
std::string to_json(const IsingResult& result);

}  // namespace cryoscape::latent
