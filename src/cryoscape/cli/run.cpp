#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/train_arguments.hpp"
#include "cryoscape/density/conformation_maps.hpp"
#include "cryoscape/inference/refine.hpp"
#include "cryoscape/inference/refitted_prior.hpp"
#include "cryoscape/landscape/landscape.hpp"
#include "cryoscape/report/page.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> run_command() {
  auto arguments = std::make_shared<TrainArguments>();
  auto refinement = std::make_shared<inference::RefineOptions>();
  auto refit = std::make_shared<inference::RefitOptions>();
  auto options = std::make_shared<landscape::LandscapeOptions>();
  struct Maps {
    density::MapOptions options;
    density::DensityOptions density;
  };
  auto maps = std::make_shared<Maps>();
  auto command = std::make_unique<Command>();
  command->name = "run";
  command->summary =
      "From particles to states and maps: train, refine, landscape, density and report in one go";
  command->example = "cryoscape run particles.star --model reference.cif --out run --prior mixture";
  command->prints_json = true;
  arguments->declare(*command);
  refinement->declare(command->options);
  refit->declare(command->options);
  options->declare(command->options);
  maps->options.declare(command->options);
  command->options
      .add("method", &maps->options.method,
           "maps: deform (all particles, each along rays bent by its conformation), kernel (those near a "
           "state), "
           "backproject (those assigned to it) or neural (a network)")
      .choices = {"deform", "kernel", "backproject", "neural"};
  command->options.add("mask", &maps->density.mask,
                       "mask for the FSC of maps (MRC, values 0 to 1, of the images' box and pixel size)");
  command->run = [arguments, refinement, refit, options, maps](const CommonOptions& common) {
    if (!arguments->train(common)) return 0;
    auto run = training::open_run(arguments->out);
    refinement->seed = run.settings.training.seed;
    if (inference::can_refine(run)) {
      auto refined = inference::refine_run(run, *refinement);
      inference::refit_refined(run, *refit, refined);
    } else {
      spdlog::info(
          "latents are the encoder's: refine does not go with --likelihood correlation or --energy-in-prior");
    }
    const auto summary = landscape::write_landscape(run, *options);
    maps->options.half_run = options->half_run;
    density::write_conformation_maps(run, maps->density, maps->options, {}, false, false);
    report::write_report(arguments->out);
    if (common.json)
      fmt::print("{}", read_text_file(run.folder.file("states.json")));
    else
      fmt::print("{}", landscape::states_table(summary));
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
