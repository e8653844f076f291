#include "cryoscape/cli/train_arguments.hpp"

#include "cryoscape/cli/torch_setup.hpp"

namespace cryoscape::cli {

void TrainArguments::declare(Command& command) {
  command.positionals = {{"PARTICLES", "RELION .star or cryoSPARC .cs file", &settings.input.particles}};
  command.options.add("out", &out, "folder of the run");
  command.options.add("resume", &resume,
                      "go on from the run's checkpoint, with the options it was started with");
  command.options.add("force", &force, "write into a folder that holds other files");
  settings.declare(command.options);
}

void TrainArguments::train(const CommonOptions& common) const {
  require_given(out, "out");
  set_up_torch();
  training::train_run(settings, out, resume, force, common.command_line);
}

}  // namespace cryoscape::cli
