#include <iostream>
#include <iterator>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/latent/ising_json.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::cli {
namespace {

struct Settings {
  std::string problem = "-";
  latent::IsingOptions options;
  std::optional<int> samples, seed;
  bool raw = false;
  int correction_limit = 1 << 16;
};

constexpr int kSamples = 1000, kSeed = 1;

latent::IsingRequest read_request(const std::string& file) {
  if (file != "-") return latent::read_ising_request(read_text_file(file), file);
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  return latent::read_ising_request(text, "standard input");
}

}  // namespace

std::unique_ptr<Command> ising_command() {
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "ising";
  command->summary = "Draw samples of an Ising problem, with any of the samplers";
  command->example = "cryoscape ising problem.json --sampler parallel-tempering --samples 1000";
  command->positionals = {
      {"PROBLEM", "JSON file of the problem (-: standard input)", &settings->problem, false}};
  auto& samples = command->options.add("samples", &settings->samples,
                                       "how many (default: what the problem asks for, else 1000)");
  samples.minimum = 1, samples.maximum = latent::kMostSamples;
  command->options
      .add("seed", &settings->seed, "of random numbers (default: what the problem asks for, else 1)")
      .minimum = 0;
  settings->options.declare(command->options);
  command->options.add("raw", &settings->raw,
                       "print samples of optimisers and annealers as they are, without correction");
  auto& limit = command->options.add("correction-limit", &settings->correction_limit,
                                     "Gibbs sweeps after which correction gives up");
  limit.minimum = 32, limit.maximum = 1 << 30;
  command->run = [settings](const CommonOptions&) {
    const auto sampler = latent::make_ising_sampler(settings->options);
    const auto request = read_request(settings->problem);
    const int count = settings->samples.value_or(request.samples.value_or(kSamples));
    const auto seed = settings->seed ? static_cast<std::uint64_t>(*settings->seed)
                                     : request.seed.value_or(static_cast<std::uint64_t>(kSeed));
    std::cout << latent::to_json(latent::draw_samples(*sampler, request.problem, count, seed, settings->raw,
                                                      settings->correction_limit));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
