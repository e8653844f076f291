#include "cryoscape/landscape/samples.hpp"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"

namespace cryoscape::cli {
namespace {

nlohmann::json json_of(const landscape::SampleSummary& s) {
  return {{"samples", s.count}, {"broken", s.broken}, {"clashing", s.clashing}, {"intact", s.intact}};
}

std::string text_of(const landscape::SampleSummary& s) {
  const auto share = [&](std::size_t n) {
    return 100 * static_cast<double>(n) / static_cast<double>(s.count);
  };
  return fmt::format("{} conformations: {:.1f} % with broken bonds, {:.1f} % with clashes, {:.1f} % intact\n",
                     s.count, share(s.broken), share(s.clashing), share(s.intact));
}

}  // namespace

std::unique_ptr<Command> sample_command() {
  struct Settings {
    std::string run;
    landscape::SampleRequest request;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "sample";
  command->summary = "Conformations drawn from the learned prior, with their energies";
  command->example = "cryoscape sample run -n 200 --seed 1";
  command->positionals = {{"RUN", "folder of a trained run", &settings->run}};
  auto& count = command->options.add("n", &settings->request.count, "number of conformations");
  count.minimum = 1, count.maximum = 10000;
  auto& seed = command->options.add("seed", &settings->request.seed, "seed of all random numbers");
  seed.minimum = 0;
  command->options.add("format", &settings->request.format, "format of the models written").choices = {
      "cif", "pdb", "both"};
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) {
    set_up_torch();
    auto run = training::open_run(settings->run);
    const auto summary = landscape::write_samples(run, settings->request);
    std::cout << (common.json ? json_of(summary).dump(2) + "\n" : text_of(summary));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
