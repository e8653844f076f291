#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/training/run.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> train_command() {
  struct Settings {
    training::RunSettings run;
    std::string out;
    bool resume = false, force = false;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "train";
  command->summary = "Train the heterogeneity model: latents and a decoder of conformations";
  command->example = "cryoscape train particles.star --model reference.cif --out run --prior mixture";
  command->positionals = {
      {"PARTICLES", "RELION .star or cryoSPARC .cs file", &settings->run.input.particles}};
  command->options.add("out", &settings->out, "folder of the run");
  command->options.add("resume", &settings->resume,
                       "go on from the run's checkpoint, with the options it was started with");
  command->options.add("force", &settings->force, "write into a folder that holds other files");
  settings->run.declare(command->options);
  command->run = [settings](const CommonOptions& common) {
    require_given(settings->out, "out");
    set_up_torch();
    training::train_run(settings->run, settings->out, settings->resume, settings->force, common.command_line);
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
