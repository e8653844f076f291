#include "cryoscape/cli/commands.hpp"
#include "cryoscape/simulation/simulator.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> simulate_command() {
  struct Settings {
    std::vector<std::string> models;
    std::string out;
    bool force = false;
    simulation::SimulationOptions options;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "simulate";
  command->summary = "Particles with known truth from a series of models";
  command->example =
      "cryoscape simulate path.pdb --out data --populations 10:0.65,50:0.05,85:0.30 --spread 4 --particles "
      "10000 --snr 0.05";
  command->positionals = {{"MODELS", "multi-model PDB or mmCIF, or several files", &settings->models}};
  command->options.add("out", &settings->out,
                       "folder to write particles.star, particles.mrcs and truth.star into");
  command->options.add("force", &settings->force, "overwrite an existing data set");
  settings->options.declare(command->options);
  command->run = [settings](const CommonOptions&) {
    require_given(settings->out, "out");
    simulation::simulate({settings->models.begin(), settings->models.end()}, settings->out, settings->options,
                         settings->force);
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
