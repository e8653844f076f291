#include "cryoscape/latent/ising_external.hpp"

#include "cryoscape/latent/ising_json.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/shell_command.hpp"

namespace cryoscape::latent {
namespace {

/// A sample takes at most 4 bytes per spin and 4 around them; indented JSON perhaps ten times as much.
std::size_t largest_answer(const IsingProblem& problem, int count) {
  return (std::size_t{1} << 20) + 64 * static_cast<std::size_t>(count) * (problem.fields.size() + 1);
}

}  // namespace

IsingSamples ExternalSampler::sample(const IsingProblem& problem, int count, std::uint64_t seed) const {
  const ShellCommand command{"external sampler '" + command_ + "'", command_, time_limit_,
                             largest_answer(problem, count), " (--time-limit)"};
  // Whole numbers are signed in many JSON libraries.
  const auto signed_seed = seed & static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto answer = run_shell_command(command, to_json(IsingRequest{problem, count, signed_seed}));
  return read_ising_samples(answer, problem, count, "answer of the " + command.name);
}

}  // namespace cryoscape::latent
