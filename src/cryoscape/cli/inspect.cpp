#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "cryoscape/cli/commands.hpp"
#include "cryoscape/cli/torch_setup.hpp"
#include "cryoscape/density/consensus_check.hpp"
#include "cryoscape/particles/inspection.hpp"
#include "cryoscape/training/dataset.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::cli {
namespace {

constexpr double kPoorDocking = 0.2;
constexpr double kMirrorMargin =
    0.05;  ///< by which the mirrored model must fit better to speak of a wrong hand

void add_docking(const std::string& path, const structure::BeadModel& beads,
                 particles::Inspection& inspection) {
  const auto map = io::read_mrc_volume(path);
  const auto fit = structure::correlate_with_map(map, beads.coordinates, beads.amplitudes,
                                                 std::max(3.0, 1.5 * map.pixel_size));
  inspection.more.emplace_back(
      "docking",
      fmt::format("correlation with the map {:.3f} (mirrored model {:.3f})", fit.as_given, fit.mirrored));
  if (fit.mirrored > fit.as_given + kMirrorMargin)
    inspection.warnings.emplace_back(
        "the mirrored model fits the map better: the map may have the wrong hand");
  else if (fit.as_given < kPoorDocking)
    inspection.warnings.emplace_back("the model does not fit the map: dock it again (ChimeraX: fitmap)");
}

/// Where the model lies in the particles' box, and how it fits the map: needs no images. False if the model
/// cannot be placed.
bool add_placement(const training::InputOptions& input, const particles::ParticleSet& set,
                   particles::Inspection& inspection) {
  const auto beads =
      structure::make_beads(io::read_models(input.model).front(), structure::parse_bead_level(input.beads));
  std::optional<io::MrcHeader> header;
  if (input.map) {
    header = io::read_mrc_header(*input.map);
    if (header->pixel_size <= 0) fail("{} has no pixel size in its header", *input.map);
  }
  std::optional<structure::ModelOrigin> origin;
  if (input.model_origin)
    origin =
        *input.model_origin == "corner" ? structure::ModelOrigin::corner : structure::ModelOrigin::centre;
  auto how = fmt::format("{} beads", beads.size());
  const auto& group = set.optics_groups.front();
  const double extent = group.box * group.pixel_size;
  bool placed = true;
  if (extent > 0) {
    try {
      how += ", " + structure::find_model_centre(beads.coordinates, extent, header, origin).how;
    } catch (const Error& e) {
      placed = false;
      inspection.warnings.emplace_back(e.what());
    }
  } else {
    inspection.notes.emplace_back("the box is unknown without the images: the model's place was not checked");
  }
  inspection.more.emplace_back("model", how);
  if (input.map) add_docking(*input.map, beads, inspection);
  return placed;
}

/// Compares images with projections of the placed model: their correlation and the sign of their contrast.
void add_agreement(const training::InputOptions& input, particles::Inspection& inspection) {
  set_up_torch();
  try {
    auto data = training::open_dataset(input, std::nullopt);
    data.notes.clear(), data.warnings.clear();  // those of the placement are in the table
    training::decide_contrast(data, input, model::ModelOptions().bead_sigma);
    const bool undecided = !data.warnings.empty();
    inspection.more.emplace_back("contrast", undecided ? "undecided: the model does not match"
                                             : data.grid.sign > 0
                                                 ? "particles are bright"
                                                 : "particles are dark, training inverts them");
    std::move(data.notes.begin(), data.notes.end(), std::back_inserter(inspection.notes));
    std::move(data.warnings.begin(), data.warnings.end(), std::back_inserter(inspection.warnings));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& e) {
    inspection.warnings.push_back(fmt::format("images and model were not compared: {}", e.what()));
  }
}

/// Compares a quick reconstruction with the map that the poses come from.
void add_consensus(const std::string& path, const particles::ParticleSet& set,
                   particles::Inspection& inspection) {
  try {
    const auto check = density::check_consensus(set, path);
    const bool found = std::isfinite(check.resolution);
    inspection.more.emplace_back(
        "consensus", fmt::format("{} particles back-projected: FSC 0.5 with the map at {}{}", check.particles,
                                 found ? fmt::format("{:.1f} A", check.resolution) : "no shell",
                                 check.dark ? ", images inverted" : ""));
    if (!found)
      inspection.warnings.emplace_back(
          "the particles do not give the map: poses, shifts, pixel size or CTFs belong to another one");
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& e) {
    inspection.warnings.push_back(fmt::format("particles and map were not compared: {}", e.what()));
  }
}

int run_inspect(const training::InputOptions& input, bool json) {
  particles::ReadOptions read;
  read.images_required = false;
  if (input.dir) read.dir = *input.dir;
  const auto set = particles::read_particles(input.particles, read);
  auto inspection = particles::inspect(set);
  const auto untested = [&](const char* why) {
    inspection.more.emplace_back("contrast", fmt::format("not tested: {}", why));
  };
  if (input.model.empty()) {
    untested("give --model");
  } else if (!add_placement(input, set, inspection)) {
    untested("the model lies outside the box");
  } else if (inspection.stacks_missing) {
    untested("images are missing");
  } else {
    add_agreement(input, inspection);
  }
  if (input.map && !inspection.stacks_missing) add_consensus(*input.map, set, inspection);
  std::cout << (json ? particles::inspection_json(inspection).dump(2) + "\n"
                     : particles::inspection_text(inspection));
  return 0;
}

}  // namespace

std::unique_ptr<Command> inspect_command() {
  auto input = std::make_shared<training::InputOptions>();
  auto command = std::make_unique<Command>();
  command->name = "inspect";
  command->summary = "Check particles, model and map before hours are spent on them";
  command->example = "cryoscape inspect particles.star --model reference.cif --map consensus.mrc";
  command->prints_json = true;
  command->positionals = {{"PARTICLES", "RELION .star or cryoSPARC .cs file", &input->particles}};
  auto& options = command->options;
  options.add("model", &input->model, "reference atomic model (PDB or mmCIF, plain or gzipped)");
  options.add("map", &input->map,
              "consensus map: its header places the model, the docking is checked against it, and a quick "
              "reconstruction compared with it");
  options
      .add("model-origin", &input->model_origin,
           "where the model's coordinates start: corner or centre of the box")
      .choices = {"corner", "centre"};
  options.add("dir", &input->dir, "folder where relative image paths start");
  command->run = [input](const CommonOptions& common) { return run_inspect(*input, common.json); };
  return command;
}

}  // namespace cryoscape::cli
