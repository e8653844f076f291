#include "cryoscape/cli/train_arguments.hpp"

#include "cryoscape/cli/processes.hpp"
#include "cryoscape/cli/torch_setup.hpp"

namespace cryoscape::cli {

void TrainArguments::declare(Command& command) {
  command.positionals = {{"PARTICLES", "RELION .star or cryoSPARC .cs file", &settings.input.particles}};
  command.options.add("out", &out, "folder of the run");
  command.options.add("resume", &resume,
                      "go on from the run's checkpoint, with the options it was started with");
  command.options.add("force", &force, "write into a folder that holds other files");
  auto& count = command.options.add(
      "processes", &processes, "processes that share the training (0: as torchrun or SLURM say, else one)");
  count.minimum = 0, count.maximum = 4096;
  settings.declare(command.options);
}

bool TrainArguments::train(const CommonOptions& common) const {
  require_given(out, "out");
  Processes together(processes);
  set_up_torch(together.first());
  together.run([&](training::ProcessGroup& group) {
    training::train_run(settings, out, resume, force, common.command_line, group);
  });
  return together.first();
}

}  // namespace cryoscape::cli
