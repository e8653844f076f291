#include "cryoscape/landscape/decode.hpp"

#include <spdlog/spdlog.h>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> decode_command() {
  struct Settings {
    std::string run, out;
    std::optional<std::string> latents;
    bool particles = false, force = false;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "decode";
  command->summary = "Conformations of given latents, or of every particle, as models or coordinates";
  command->example = "cryoscape decode run --particles --out conformations.npy";
  command->positionals = {{"RUN", "folder of a trained run", &settings->run}};
  command->options.add("latents", &settings->latents, "NPY file of latents (M, d) to decode");
  command->options.add("particles", &settings->particles, "decode the posterior mean of every particle");
  command->options.add("out", &settings->out,
                       "file to write: .cif or .pdb (models), .npy ((M, N, 3) float32, A)");
  command->options.add("force", &settings->force, "overwrite an existing file");
  command->run = [settings](const CommonOptions&) {
    require_given(settings->out, "out");
    if (settings->latents.has_value() == settings->particles)
      throw UsageError("what to decode is not clear: give either --latents or --particles");
    set_up_torch();
    auto run = training::open_run(settings->run);
    landscape::DecodeRequest request{{}, settings->out, settings->force};
    if (settings->latents) request.latents = *settings->latents;
    const auto count = landscape::decode_to_file(run, request);
    spdlog::info("{} conformations in {}", count, settings->out);
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
