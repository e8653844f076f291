#include <iostream>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/density/backproject.hpp"
#include "cryoscape/density/conformation_maps.hpp"
#include "cryoscape/density/fsc_output.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::cli {
namespace {

struct DensitySettings {
  std::string source, out;
  std::optional<std::string> method;
  bool force = false, resume = false;
  density::DensityOptions options;
  density::MapOptions maps;
};

/// Options that make no sense with a run: what they say is in the run.
void check_run_options(const density::DensityOptions& o) {
  const char* name = o.dir                ? "dir"
                     : o.subset           ? "subset"
                     : o.diameter > 0     ? "diameter"
                     : o.invert           ? "invert"
                     : o.symmetry != "C1" ? "symmetry"
                     : o.check            ? "check"
                     : o.b_factor         ? "b-factor"
                     : o.local            ? "local"
                                          : nullptr;
  if (name) throw UsageError(std::string("--") + name + " goes with a particle file, not with a run");
}

void map_run(const DensitySettings& settings, bool json) {
  check_run_options(settings.options);
  auto maps = settings.maps;
  if (settings.method) maps.method = *settings.method;
  auto run = training::open_run(settings.source);
  const auto summary = density::write_conformation_maps(run, settings.options, maps, settings.out,
                                                        settings.force, settings.resume);
  std::cout << (json ? summary.dump(2) + "\n" : density::conformation_maps_table(summary));
}

void map_particles(const DensitySettings& settings, bool json) {
  if (settings.method && *settings.method != "backproject")
    throw UsageError("--method " + *settings.method +
                     " needs the conformations of a run: give a run's folder, not " + settings.source);
  require_given(settings.out, "out");
  auto options = settings.options;
  options.particles = settings.source;
  const auto result = density::back_project_particles(options, settings.out, settings.force);
  std::cout << (json ? density::reconstruction_json(result).dump(2) + "\n"
                     : density::reconstruction_text(result));
}

}  // namespace

std::unique_ptr<Command> density_command() {
  auto settings = std::make_shared<DensitySettings>();
  auto command = std::make_unique<Command>();
  command->name = "density";
  command->summary =
      "Density maps of a run's conformations, or of all particles of a file, with half-maps and FSC";
  command->example = "cryoscape density run";
  command->positionals = {
      {"SOURCE", "folder of a run, or a RELION .star or cryoSPARC .cs file of particles", &settings->source}};
  command->options.add("out", &settings->out, "folder to write the maps into (of a run: its folder maps)");
  command->options
      .add("method", &settings->method,
           "deform: all particles, each along rays bent by its conformation (default of a run); kernel: the "
           "particles "
           "near a conformation; neural: a network of frequency and latents; backproject: those assigned to "
           "a state, "
           "or all of a file")
      .choices = {"deform", "kernel", "backproject", "neural"};
  command->options.add("resume", &settings->resume,
                       "of a run: keep the maps that an interrupted pass has finished");
  command->options.add("force", &settings->force, "overwrite existing maps");
  settings->options.declare(command->options);
  settings->maps.declare(command->options);
  command->options.add(
      "half-run", &settings->maps.half_run,
      "of a run trained with --half 1 or 2: the run of the other half-set, whose decoder makes the "
      "second half-maps");
  command->prints_json = true;
  command->run = [settings](const CommonOptions& common) {
    if (!std::filesystem::exists(settings->source))
      fail("{} does not exist: give a run's folder or a particle file", settings->source);
    if (density::is_run(settings->source))
      map_run(*settings, common.json);
    else
      map_particles(*settings, common.json);
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
