#include <iostream>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/density/backproject.hpp"
#include "cryoscape/density/fsc_output.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> density_command() {
  struct Settings {
    std::string out, method = "backproject";
    bool force = false;
    density::DensityOptions options;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "density";
  command->summary = "Reconstruct a map from particles of known poses, with half-maps and their FSC";
  command->example = "cryoscape density particles.star --method backproject --out maps --mask mask.mrc";
  command->positionals = {{"PARTICLES", "RELION .star or cryoSPARC .cs file", &settings->options.particles}};
  command->options.add("out", &settings->out,
                       "folder to write map.mrc, half1.mrc, half2.mrc and fsc.star into");
  command->options.add("method", &settings->method, "how: backproject inserts particles into Fourier space")
      .choices = {"backproject"};
  command->options.add("force", &settings->force, "overwrite an existing reconstruction");
  settings->options.declare(command->options);
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) {
    require_given(settings->out, "out");
    const auto result = density::back_project_particles(settings->options, settings->out, settings->force);
    std::cout << (common.json ? density::reconstruction_json(result).dump(2) + "\n"
                              : density::reconstruction_text(result));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
