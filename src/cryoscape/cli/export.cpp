#include <spdlog/spdlog.h>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/landscape/selection_export.hpp"

namespace cryoscape::cli {

std::unique_ptr<Command> export_command() {
  struct Settings {
    std::string run, out;
    landscape::ExportRequest request;
  };
  auto settings = std::make_shared<Settings>();
  auto command = std::make_unique<Command>();
  command->name = "export";
  command->summary = "Particles of a state or of a region of the landscape, for RELION or cryoSPARC";
  command->example = "cryoscape export run --region \"U < 2 and pc1 > 0\" --out near_minimum.star";
  command->positionals = {{"RUN", "folder of a run, after landscape", &settings->run}};
  auto& state = command->options.add("state", &settings->request.state, "particles of this state");
  state.minimum = 1, state.maximum = 1e6;
  command->options.add("region", &settings->request.region,
                       "particles for which a condition holds, on state, U (kT), outlier, contrast, "
                       "chi_square, neighbour_distance, pc1 …, umap1, umap2, z1 …; joined by and, or");
  auto& outliers =
      command->options.add("outliers", &settings->request.outliers,
                           "what to leave out: the per cent of the particles that look least like "
                           "the molecule");
  outliers.minimum = 0, outliers.maximum = 100;
  command->options.add("out", &settings->out, "file to write: .star, or .cs where the input was a .cs");
  command->options.add("force", &settings->request.force, "overwrite an existing file");
  command->run = [settings](const CommonOptions&) {
    require_given(settings->out, "out");
    settings->request.out = settings->out;
    const auto count = landscape::export_particles(settings->run, settings->request);
    spdlog::info("{} of {} particles in {}", count.written, count.of, settings->out);
    return 0;
  };
  return command;
}

}  // namespace cryoscape::cli
