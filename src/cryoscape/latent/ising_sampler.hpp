#pragma once
#include <memory>
#include <string>

#include "cryoscape/latent/ising.hpp"
#include "cryoscape/util/options.hpp"

namespace cryoscape::latent {

/// Which sampler and its settings; every field is an option. 0 means the sampler's own default.
struct IsingOptions {
  std::string sampler = "gibbs";  ///< a name of ising_sampler_names(), or external:COMMAND
  int sweeps = 0;    ///< gibbs, simulated-annealing: of every sample; parallel-tempering, sqa: before the
                     ///< first sample; population-annealing: at every temperature; cim, simcim: steps
  int interval = 0;  ///< parallel-tempering, sqa: sweeps between samples of one chain
  std::string order = "sequential";  ///< gibbs: or coloured
  int temperatures = 16;             ///< parallel-tempering
  double hottest = 0.1;     ///< parallel-tempering, simulated-annealing: lowest β over the problem's
  double coldest = 1;       ///< simulated-annealing: last β over the problem's
  int population = 0;       ///< population-annealing
  double gamma = 1;         ///< sqa: transverse field
  double gamma_start = 3;   ///< sqa: transverse field at first
  int slices = 16;          ///< sqa: of imaginary time
  double time_limit = 600;  ///< external: seconds

  void declare(OptionSet& set);
};

/// Names of the samplers that are built in.
std::vector<std::string> ising_sampler_names();

/// The sampler that the options name. Throws UsageError for an unknown one.
std::unique_ptr<IsingSampler> make_ising_sampler(const IsingOptions& options);

/// Samples as the program prints them.
struct IsingResult {
  IsingSamples samples;
  std::optional<double> raw_beta_effective;  ///< before correction, where there was one
  std::optional<int> correction_sweeps;
};

/// Draws samples; those of a sampler without equilibrium are corrected by at most `correction_limit` Gibbs
/// sweeps, unless `raw`. Throws Error for a problem that `check` refuses, and as the sampler and `corrected`.
IsingResult draw_samples(const IsingSampler& sampler, const IsingProblem& problem, int count,
                         std::uint64_t seed, bool raw = false, int correction_limit = 1 << 16);

}  // namespace cryoscape::latent
