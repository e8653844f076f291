#include "cryoscape/latent/ising_sampler.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cryoscape/latent/ising_cim.hpp"
#include "cryoscape/latent/ising_correction.hpp"
#include "cryoscape/latent/ising_exact.hpp"
#include "cryoscape/latent/ising_external.hpp"
#include "cryoscape/latent/ising_gibbs.hpp"
#include "cryoscape/latent/ising_population.hpp"
#include "cryoscape/latent/ising_sqa.hpp"
#include "cryoscape/latent/ising_tempering.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::latent {
namespace {

constexpr std::string_view kExternal = "external:";

void bounded(Option& option, double minimum, double maximum) {
  option.minimum = minimum;
  option.maximum = maximum;
}

void override_default(int& setting, int given) {
  if (given > 0) setting = given;
}

std::unique_ptr<IsingSampler> make_gibbs(const IsingOptions& o) {
  GibbsSettings settings;
  override_default(settings.sweeps, o.sweeps);
  settings.coloured = o.order == "coloured";
  return std::make_unique<GibbsSampler>(settings);
}

std::unique_ptr<IsingSampler> make_annealing(const IsingOptions& o) {
  AnnealingSettings settings;
  override_default(settings.sweeps, o.sweeps);
  settings.hottest = o.hottest, settings.coldest = o.coldest;
  return std::make_unique<AnnealingSampler>(settings);
}

std::unique_ptr<IsingSampler> make_tempering(const IsingOptions& o) {
  TemperingSettings settings;
  override_default(settings.sweeps, o.sweeps);
  override_default(settings.interval, o.interval);
  settings.temperatures = o.temperatures, settings.hottest = o.hottest;
  return std::make_unique<TemperingSampler>(settings);
}

std::unique_ptr<IsingSampler> make_population(const IsingOptions& o) {
  PopulationSettings settings;
  override_default(settings.sweeps, o.sweeps);
  settings.population = o.population;
  return std::make_unique<PopulationSampler>(settings);
}

std::unique_ptr<IsingSampler> make_sqa(const IsingOptions& o) {
  SqaSettings settings;
  override_default(settings.sweeps, o.sweeps);
  override_default(settings.interval, o.interval);
  settings.gamma = o.gamma, settings.gamma_start = o.gamma_start, settings.slices = o.slices;
  return std::make_unique<SqaSampler>(settings);
}

template <class Sampler>
std::unique_ptr<IsingSampler> make_machine(const IsingOptions& o) {
  CimSettings settings;
  override_default(settings.steps, o.sweeps);
  return std::make_unique<Sampler>(settings);
}

struct Entry {
  const char* name;
  std::unique_ptr<IsingSampler> (*make)(const IsingOptions&);
};

const Entry kSamplers[] = {
    {"exact",
     [](const IsingOptions&) -> std::unique_ptr<IsingSampler> { return std::make_unique<ExactSampler>(); }},
    {"gibbs", make_gibbs},
    {"parallel-tempering", make_tempering},
    {"population-annealing", make_population},
    {"simulated-annealing", make_annealing},
    {"sqa", make_sqa},
    {"cim", make_machine<CimSampler>},
    {"simcim", make_machine<SimCimSampler>},
};

}  // namespace

void IsingOptions::declare(OptionSet& set) {
  set.add("sampler", &sampler,
          fmt::format("{}, or external:COMMAND, a program that answers the problem on its standard input",
                      fmt::join(ising_sampler_names(), ", ")));
  bounded(
      set.add("sweeps", &sweeps,
              "of every sample; of parallel-tempering and sqa before the first; of population-annealing at "
              "every temperature; steps of cim and simcim (0: the sampler's own)"),
      0, 1e9);
  bounded(set.add("interval", &interval,
                  "sweeps between samples of one chain of parallel-tempering and sqa (0: the sampler's own)"),
          0, 1e9);
  set.add("order", &order, "in which gibbs visits spins").choices = {"sequential", "coloured"};
  bounded(set.add("temperatures", &temperatures, "of parallel-tempering"), 1, 1024);
  bounded(
      set.add("hottest", &hottest,
              "lowest inverse temperature of parallel-tempering and simulated-annealing, over the problem's"),
      1e-6, 1);
  bounded(set.add("coldest", &coldest, "last inverse temperature of simulated-annealing, over the problem's"),
          1e-6, 1e6);
  bounded(set.add("population", &population, "states of population-annealing, at least as many as samples"),
          0, 1 << 24);
  bounded(set.add("gamma", &gamma, "transverse field of sqa"), 0, 1e6);
  bounded(set.add("gamma-start", &gamma_start, "transverse field of sqa at its first sweep"), 0, 1e6);
  bounded(set.add("slices", &slices, "of imaginary time of sqa"), 1, 4096);
  bounded(set.add("time-limit", &time_limit, "seconds that an external program may take"), 0.001, 1e7);
}

std::vector<std::string> ising_sampler_names() {
  std::vector<std::string> names;
  for (const auto& entry : kSamplers) names.emplace_back(entry.name);
  return names;
}

std::unique_ptr<IsingSampler> make_ising_sampler(const IsingOptions& options) {
  if (options.sampler.starts_with(kExternal)) {
    const auto command = options.sampler.substr(kExternal.size());
    if (command.find_first_not_of(' ') == std::string::npos)
      throw UsageError("--sampler external: names no command: give external:COMMAND");
    return std::make_unique<ExternalSampler>(command, options.time_limit);
  }
  for (const auto& entry : kSamplers)
    if (options.sampler == entry.name) return entry.make(options);
  throw UsageError(fmt::format("--sampler is '{}', but must be one of: {}, external:COMMAND", options.sampler,
                               fmt::join(ising_sampler_names(), ", ")));
}

IsingResult draw_samples(const IsingSampler& sampler, const IsingProblem& problem, int count,
                         std::uint64_t seed, bool raw, int correction_limit) {
  check(problem);
  auto samples = sampler.sample(problem, count, seed);
  if (raw || sampler.equilibrium()) return {std::move(samples), std::nullopt, std::nullopt};
  const double beta = samples.beta_effective;
  auto [better, sweeps] = corrected(problem, samples, seed, correction_limit);
  return {std::move(better), beta, sweeps};
}

}  // namespace cryoscape::latent
