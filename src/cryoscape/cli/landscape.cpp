#include "cryoscape/landscape/landscape.hpp"

#include <iostream>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/util/log.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> landscape_command() {
  struct Settings {
    std::string run;
    landscape::LandscapeOptions options;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "landscape";
  command->summary = "States of a trained run: populations, models, and motions along principal components";
  command->example = "cryoscape landscape run --criterion cross-validation --format both";
  command->positionals = {{"RUN", "folder of a trained run", &settings->run}};
  settings->options.declare(command->options);
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) {
    set_up_torch();
    auto run = training::open_run(settings->run);
    log::copy_to_file(run.folder.file("log.txt"));
    const auto summary = landscape::write_landscape(run, settings->options);
    std::cout << (common.json ? summary.states_json.dump(2) + "\n" : landscape::states_table(summary));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
