#include "cryoscape/inference/refine.hpp"

#include <fmt/format.h>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/inference/refitted_prior.hpp"
#include "cryoscape/util/log.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> refine_command() {
  struct Settings {
    std::string run;
    inference::RefineOptions options;
    inference::RefitOptions refit;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "refine";
  command->summary =
      "Posteriors of single particles by their images themselves, and likelihoods free of the prior, and the "
      "prior "
      "refitted on them";
  command->example = "cryoscape refine run --starts 5";
  command->positionals = {{"RUN", "folder of a trained run", &settings->run}};
  settings->options.declare(command->options);
  settings->refit.declare(command->options);
  auto& seed = command->options.add("seed", &settings->options.seed, "seed of all random numbers");
  seed.minimum = 0, seed.maximum = 1e9;
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) {
    set_up_torch();
    auto run = training::open_run(settings->run);
    log::copy_to_file(run.folder.file("log.txt"));
    auto summary = inference::refine_run(run, settings->options);
    inference::refit_refined(run, settings->refit, summary);
    fmt::print("{}", common.json ? summary.dump(2) + "\n" : inference::refine_table(summary));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
