#include "cryoscape/density/map_files.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <numeric>

#include "cryoscape/density/fsc_output.hpp"
#include "cryoscape/density/grid.hpp"
#include "cryoscape/density/radial_filter.hpp"
#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/density/residue_correlation.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::density {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

constexpr double kRadius = 5;                 ///< Å about a bead in which map and model are compared
constexpr double kSigmaByResolution = 0.225;  ///< of a Gaussian that has lost what is finer, per Å

/// Å where a curve falls below a threshold; nothing where it never reaches it.
ordered_json resolution(const MapFolder& folder, const std::vector<double>& curve, double threshold) {
  const double shell = crossing(curve, threshold);
  if (shell <= 0) return nullptr;
  return folder.grid.box * folder.grid.pixel_size / shell;
}

/// The map of both halves, filtered by what they agree on.
std::vector<float> filtered(int box, const std::array<std::vector<float>, 2>& halves,
                            const std::vector<double>& fsc) {
  std::vector<float> map(halves[0].size());
  for (std::size_t i = 0; i < map.size(); ++i) map[i] = 0.5f * (halves[0][i] + halves[1][i]);
  auto gains = noise_to_signal(fsc);
  for (double& n : gains) n = 1 / (1 + n);
  scale_shells(box, gains, map);
  return map;
}

/// Mean correlations of the beads of each residue; written as a table. Returns the mean over residues.
double write_residues(const MapFolder& folder, const Target& target, const std::vector<float>& map,
                      double fineness) {
  const auto& run = *folder.run;
  const auto scene = run.data.scene();
  const double sigma = std::hypot(run.settings.model.bead_sigma, kSigmaByResolution * fineness);
  const auto values = bead_correlations(folder.grid.box, folder.grid.pixel_size, map, target.model,
                                        scene.amplitudes, sigma, kRadius);
  const auto& atoms = run.data.beads.records.atoms;
  double total = 0, residues = 0;
  std::string text = "chain,residue,name,correlation\n";
  for (std::size_t begin = 0, end; begin < atoms.size(); begin = end) {
    double sum = 0;
    for (end = begin; end < atoms.size() && (end == begin || io::same_residue(atoms[end - 1], atoms[end]));
         ++end)
      sum += values[end];
    const double mean = sum / static_cast<double>(end - begin);
    text += fmt::format("{},{},{},{:.4f}\n", atoms[begin].chain, atoms[begin].residue_number,
                        atoms[begin].residue_name, mean);
    if (std::isfinite(mean)) total += mean, residues += 1;
  }
  replace_text_file(folder.path / (target.name + "_residues.csv"), text);
  return residues > 0 ? total / residues : std::nan("");
}

void write_model(const MapFolder& folder, const Target& target) {
  auto positions = target.model;
  for (std::size_t i = 0; i < positions.size(); ++i)
    positions[i] += static_cast<float>(folder.run->data.grid.centre[i % 3]);
  io::write_models(folder.path / (target.name + "_model.cif"),
                   {&folder.run->data.beads.records, {std::move(positions)}, {}});
}

FscCurves curves_of(const ordered_json& entry) {
  FscCurves fsc;
  const auto& json = entry.at("fsc");
  fsc.corrected = json.at("corrected").get<std::vector<double>>();
  fsc.masked = json.at("masked").get<std::vector<double>>();
  fsc.unmasked = json.at("unmasked").get<std::vector<double>>();
  fsc.randomised = json.at("randomised").get<std::vector<double>>();
  return fsc;
}

}  // namespace

ordered_json write_target(const MapFolder& folder, const Target& target, TargetMaps maps) {
  const int box = folder.grid.box;
  const auto fsc = measure_fsc(box, maps.halves[0], maps.halves[1], folder.mask);
  const auto map = filtered(box, maps.halves, fsc.corrected);
  std::array<double, 3> origin{};
  for (int c = 0; c < 3; ++c) origin[c] = folder.run->data.grid.centre[c] - box / 2 * folder.grid.pixel_size;
  ordered_json entry = std::move(maps.record);
  entry["name"] = target.name;
  entry["resolution"] = resolution(folder, fsc.corrected, 0.143);
  entry["resolution_half"] = resolution(folder, fsc.corrected, 0.5);
  const std::vector<std::string> files{target.name + ".mrc", target.name + "_half1.mrc",
                                       target.name + "_half2.mrc", target.name + "_model.cif",
                                       target.name + "_residues.csv"};
  write_map(folder.path / files[0], folder.grid, map, origin);
  write_map(folder.path / files[1], folder.grid, maps.halves[0], origin);
  write_map(folder.path / files[2], folder.grid, maps.halves[1], origin);
  write_model(folder, target);
  const double finest = 2 * folder.grid.pixel_size;
  const double mean =
      write_residues(folder, target, map,
                     entry["resolution"].is_null() ? box * folder.grid.pixel_size / 2
                                                   : std::max(finest, entry["resolution"].get<double>()));
  entry["model_correlation"] = std::isfinite(mean) ? ordered_json(mean) : ordered_json(nullptr);
  entry["files"] = files;
  entry["fsc"] = {{"corrected", fsc.corrected},
                  {"masked", fsc.masked},
                  {"unmasked", fsc.unmasked},
                  {"randomised", fsc.randomised}};
  return entry;
}

void write_summaries(const MapFolder& folder, const ordered_json& targets) {
  const double extent = folder.grid.box * folder.grid.pixel_size;
  replace_file_stream(folder.path / "fsc.star", [&](std::ostream& stream) {
    for (const auto& entry : targets)
      write_fsc_table(stream, "fsc_" + entry.at("name").get<std::string>(), extent, curves_of(entry));
  });
  // ChimeraX runs a script in the script's folder.
  std::string script = "# ChimeraX: open this file\n";
  for (const auto& entry : targets) {
    const auto name = entry.at("name").get<std::string>();
    script += "open " + name + ".mrc\nopen " + name + "_model.cif\n";
  }
  script += "volume all style surface transparency 0.5\nview\n";
  replace_text_file(folder.path / "maps.cxc", script);
}

void remove_earlier(const fs::path& folder) {
  const auto record = folder / "density.json";
  if (!fs::exists(record)) return;
  const auto json = ordered_json::parse(read_text_file(record), nullptr, false);
  if (!json.is_discarded() && json.contains("targets"))
    for (const auto& entry : json["targets"])
      for (const auto& file : entry.value("files", std::vector<std::string>()))
        if (fs::path(file).filename() == fs::path(file)) fs::remove(folder / file);
  for (const char* name : {"density.json", "fsc.star", "maps.cxc", "neural_half1.pt", "neural_half2.pt"})
    fs::remove(folder / name);
}

}  // namespace cryoscape::density
