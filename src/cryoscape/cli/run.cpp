#include <fmt/format.h>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/landscape/landscape.hpp"
#include "cryoscape/report/page.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> run_command() {
  struct Settings {
    training::RunSettings run;
    landscape::LandscapeOptions landscape;
    std::string out;
    bool resume = false, force = false;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "run";
  command->summary = "From particles to states: train, landscape and report in one go";
  command->example = "cryoscape run particles.star --model reference.cif --out run --prior mixture";
  command->positionals = {
      {"PARTICLES", "RELION .star or cryoSPARC .cs file", &settings->run.input.particles}};
  command->options.add("out", &settings->out, "folder of the run");
  command->options.add("resume", &settings->resume,
                       "go on from the run's checkpoint, with the options it was started with");
  command->options.add("force", &settings->force, "write into a folder that holds other files");
  command->prints_json = true;
  settings->run.declare(command->options);
  settings->landscape.declare(command->options);
  command->run = [settings](const CommonOptions& common) {
    require_given(settings->out, "out");
    set_up_torch();
    training::train_run(settings->run, settings->out, settings->resume, settings->force, common.command_line);
    auto run = training::open_run(settings->out);
    const auto summary = landscape::write_landscape(run, settings->landscape);
    report::write_report(settings->out);
    if (common.json)
      fmt::print("{}\n", summary.states_json.dump(2));
    else
      fmt::print("{}", landscape::states_table(summary));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
