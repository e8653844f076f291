#include "cryoscape/density/conformation_maps.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "cryoscape/density/deform_maps.hpp"
#include "cryoscape/density/grid.hpp"
#include "cryoscape/density/half_sets.hpp"
#include "cryoscape/density/half_sums.hpp"
#include "cryoscape/density/kernel_maps.hpp"
#include "cryoscape/density/map_files.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/neural_maps.hpp"
#include "cryoscape/density/noise_power.hpp"
#include "cryoscape/density/reconstruction.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::density {
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace {

constexpr std::size_t kFewParticles = 100;  ///< of a state, below which its map is warned of
constexpr double kFolded = 0.01;

/// One run that particles are taken from.
struct Source {
  training::Run* run = nullptr;
  RunConformations conformations;
  particles::ParticleSet set;  ///< with half-sets
  std::optional<Proximity> proximity;
};

/// The runs, one or two, and the half-sets that they make.
struct Sources {
  std::vector<std::unique_ptr<Source>> runs;
  std::unique_ptr<training::Run> other;  ///< that of --half-run
  std::array<HalfSource, 2> halves;
};

std::unique_ptr<Source> open_source(training::Run& run) {
  auto source = std::make_unique<Source>();
  source->run = &run;
  source->conformations = open_conformations(run);
  source->set = run.data.particles;
  const auto known = source->set.notes.size();
  divide_half_sets(source->set);
  for (std::size_t n = known; n < source->set.notes.size(); ++n) spdlog::info("{}", source->set.notes[n]);
  return source;
}

void check_other(const training::Run& run, const training::Run& other, const std::string& name) {
  const int ours = run.settings.input.half, theirs = other.settings.input.half;
  if (ours == 0 || theirs == 0 || ours == theirs)
    throw UsageError(
        fmt::format("--half-run {}: maps of independent halves need two runs, one trained with --half 1 "
                    "and one with --half 2",
                    name));
  if (run.data.scene().coordinates.size() != other.data.scene().coordinates.size())
    fail("--half-run {}: its model has {} beads, but that of {} has {}", name, other.data.scene().beads(),
         run.folder.path().string(), run.data.scene().beads());
}

/// Members of one half-set of a source; `half` 0: all.
HalfSource half_of(const Source& source, int half) {
  HalfSource out;
  out.set = &source.set;
  for (const auto i : source.conformations.usable)
    if (half == 0 || source.set.particles[i].half == half) out.members.push_back(i);
  if (out.members.empty())
    fail("{}: no usable particles in half-set {}", source.run->folder.path().string(), half);
  out.conformations = [&source](std::span<const std::uint32_t> rows) {
    return source.conformations.decode(rows);
  };
  return out;
}

Sources open_sources(training::Run& run, const MapOptions& options) {
  Sources out;
  out.runs.push_back(open_source(run));
  if (options.half_run) {
    out.other = std::make_unique<training::Run>(training::open_run(*options.half_run));
    check_other(run, *out.other, *options.half_run);
    out.runs.push_back(open_source(*out.other));
    out.halves = {half_of(*out.runs[0], 0), half_of(*out.runs[1], 0)};
  } else {
    out.halves = {half_of(*out.runs[0], 1), half_of(*out.runs[0], 2)};
    spdlog::info(
        "half-maps share the run's decoder: --half-run takes that of the other half-set from a run of its "
        "own");
  }
  return out;
}

particles::ImageGrid grid_of(const Source& source, const DensityOptions& density) {
  DensityOptions own = density;
  const auto& grid = source.run->data.grid;
  own.diameter = grid.diameter;
  own.invert = grid.sign < 0;
  if (own.box == 0) own.box = grid.box;
  return choose_grid(own, source.set);
}

std::vector<std::vector<float>> models_of(const std::vector<Target>& targets) {
  std::vector<std::vector<float>> models;
  for (const auto& target : targets) models.push_back(target.model);
  return models;
}

/// Measures the noise of every source on the grid, and for kernels how near its particles are.
void prepare(Sources& sources, const particles::ImageGrid& grid, io::StackReader& reader,
             const std::vector<Target>& targets, const MapOptions& options) {
  for (auto& source : sources.runs) {
    const auto noise_power = measure_noise_power(source->set, reader, grid);
    if (options.method == "kernel")
      source->proximity = measure_proximity(source->conformations, models_of(targets));
    for (auto& half : sources.halves)
      if (half.set == &source->set) {
        half.noise_power = noise_power;
        half.proximity = source->proximity ? &*source->proximity : nullptr;
      }
  }
}

/// Numbers of the states that a source's particles are assigned to.
std::vector<int> assignments(const Source& source) {
  const auto path = source.run->folder.file("assignments.npy");
  if (!fs::exists(path)) fail("{} does not exist: run cryoscape landscape first", path.string());
  const auto array = io::read_npy_matrix(path);
  if (array.rows != source.set.size())
    fail("{} does not fit the particles: run cryoscape landscape again", path.string());
  return {array.values.begin(), array.values.end()};
}

/// Half-maps of the particles that are assigned to a state; `state_of` every particle is read once.
TargetMaps class_maps(const Sources& sources, io::StackReader& reader, const particles::ImageGrid& grid,
                      const std::vector<int>& state_of, const Target& state) {
  TargetMaps out;
  std::array<std::size_t, 2> counts{};
  for (std::size_t h = 0; h < 2; ++h) {
    const auto& half = sources.halves[h];
    std::vector<std::uint32_t> members;
    for (const auto i : half.members)
      if (state_of[i] == state.id) members.push_back(i);
    counts[h] = members.size();
    if (members.empty()) fail("{}: half-set {} has no particle of this state", state.name, h + 1);
    const std::vector<float> equal(members.size(), 1.0f);
    out.halves[h] = unfiltered_map(
        back_project_weighted(*half.set, reader, grid, half.noise_power, members, equal, state.name));
    clear_corners(grid.box, out.halves[h]);
  }
  out.record["particles"] = counts;
  return out;
}

TargetMaps near_maps(const Sources& sources, io::StackReader& reader, const particles::ImageGrid& grid,
                     std::size_t target, const std::string& label) {
  TargetMaps out;
  auto maps = kernel_half_maps(sources.halves, reader, grid, target, label);
  out.halves = std::move(maps.halves);
  out.record["particles"] = maps.effective;
  out.record["bandwidths"] = maps.bandwidths;
  out.record["bandwidth_of_shell"] = maps.chosen;
  return out;
}

std::vector<TargetMaps> bent_maps(const Sources& sources, io::StackReader& reader,
                                  const particles::ImageGrid& grid, const std::vector<Target>& targets,
                                  double width) {
  auto maps = deform_half_maps(sources.halves, reader, grid, models_of(targets), width);
  std::vector<TargetMaps> out;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    auto& made = out.emplace_back();
    made.halves = std::move(maps.halves[t]);
    made.record["particles"] = {sources.halves[0].members.size(), sources.halves[1].members.size()};
    made.record["folded"] = maps.folded[t];
    if (maps.folded[t] > kFolded)
      spdlog::warn(
          "warning: {}: {:.1f} % of the space near the molecule folds over: conformations are too far for "
          "one "
          "field, trust the map of --method kernel there",
          targets[t].name, 100 * maps.folded[t]);
  }
  return out;
}

double memory_need(const MapOptions& options, const particles::ImageGrid& grid, std::size_t targets) {
  const double base = back_projection_bytes(grid.box);
  if (options.method == "kernel") return base + kernel_bytes(grid.box);
  if (options.method == "deform")
    return base + deform_bytes(grid.box, grid.pixel_size, options.field_width, targets);
  return base;
}

std::vector<TargetMaps> learned_maps(const Sources& sources, io::StackReader& reader,
                                     const particles::ImageGrid& grid, const std::vector<Target>& targets,
                                     const fs::path& folder, bool resume) {
  const std::array<const RunConformations*, 2> known{&sources.runs.front()->conformations,
                                                     &sources.runs.back()->conformations};
  spdlog::info(
      "half-maps of networks agree by chance up to 0.2 in all shells: take their resolution at FSC 0.5");
  auto maps = neural_half_maps(sources.halves, known, reader, grid, targets, folder, resume);
  std::vector<TargetMaps> out;
  for (auto& halves : maps) {
    auto& made = out.emplace_back();
    made.halves = std::move(halves);
    made.record["particles"] = {sources.halves[0].members.size(), sources.halves[1].members.size()};
  }
  return out;
}

/// What a pass was told, to be the same where it goes on.
ordered_json settings_of(const MapOptions& options, const particles::ImageGrid& grid) {
  return {{"method", options.method},
          {"at", options.at},
          {"half_run", options.half_run ? ordered_json(*options.half_run) : ordered_json(nullptr)},
          {"field_width", options.field_width},
          {"box", grid.box},
          {"pixel_size", grid.pixel_size}};
}

/// density.json as it grows.
class MapRecord {
 public:
  /// Goes on from an interrupted pass, or else removes what an earlier one left. Throws Error for one of
  /// other settings.
  MapRecord(const fs::path& folder, const ordered_json& settings, bool resume)
      : path_(folder / "density.json"), json_{{"settings", settings}, {"targets", ordered_json::array()}} {
    if (resume)
      go_on();
    else
      remove_earlier(folder);
    write();
  }

  std::vector<Target> unfinished(const std::vector<Target>& targets) const {
    std::vector<Target> out;
    for (const auto& target : targets)
      if (std::none_of(json_["targets"].begin(), json_["targets"].end(),
                       [&](const auto& entry) { return entry["name"] == target.name; }))
        out.push_back(target);
    return out;
  }
  void add(ordered_json entry) {
    json_["targets"].push_back(std::move(entry));
    write();
  }
  const ordered_json& json() const { return json_; }

 private:
  void go_on() {
    if (!fs::exists(path_)) return;
    auto earlier = ordered_json::parse(read_text_file(path_), nullptr, false);
    if (earlier.is_discarded() || earlier.value("settings", ordered_json()) != json_["settings"])
      fail("{} was made with other options: give them, or --force in place of --resume", path_.string());
    json_ = std::move(earlier);
  }
  void write() const { replace_text_file(path_, json_.dump(2) + "\n"); }

  fs::path path_;
  ordered_json json_;
};

/// Makes the maps of targets and hands them on; those of one pass over the particles when all are made.
void make_maps(const Sources& sources, io::StackReader& reader, const MapFolder& files,
               const std::vector<Target>& targets, const MapOptions& options, bool resume,
               const std::function<void(const Target&, TargetMaps)>& take) {
  std::vector<TargetMaps> all;
  std::vector<int> state_of;
  if (options.method == "backproject") state_of = assignments(*sources.runs.front());
  if (options.method == "deform") all = bent_maps(sources, reader, files.grid, targets, options.field_width);
  if (options.method == "neural")
    all = learned_maps(sources, reader, files.grid, targets, files.path, resume);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    if (!all.empty())
      take(targets[t], std::move(all[t]));
    else if (options.method == "kernel")
      take(targets[t], near_maps(sources, reader, files.grid, t, targets[t].name));
    else
      take(targets[t], class_maps(sources, reader, files.grid, state_of, targets[t]));
  }
}

/// Enters maps into states.json.
void enter_maps(const training::Run& run, const ordered_json& targets) {
  const auto path = run.folder.file("states.json");
  auto json = ordered_json::parse(read_text_file(path));
  for (auto& state : json["states"])
    for (const auto& entry : targets) {
      if (entry["name"] != fmt::format("state_{:02}", state["id"].get<int>())) continue;
      state["map"] = "maps/" + entry["name"].get<std::string>() + ".mrc";
      state["map_resolution"] = entry["resolution"];
      state.erase("map_warning");
      if (state["particles"].get<std::size_t>() < kFewParticles)
        state["map_warning"] = fmt::format("a map of {} particles", state["particles"].get<std::size_t>());
    }
  replace_text_file(path, json.dump(2) + "\n");
}

void check_folder(const fs::path& folder, const std::vector<Target>& targets) {
  std::vector<std::string> names{"density.json", "fsc.star", "maps.cxc"};
  for (const auto& target : targets) names.push_back(target.name + ".mrc");
  for (const auto& name : names)
    if (fs::exists(folder / name))
      fail("{} exists: choose another --out, or give --force to replace it", (folder / name).string());
}

}  // namespace

void MapOptions::declare(OptionSet& set) {
  set.add("at", &at,
          "of a run: conformations to make maps of: states, a model file that landscape or decode wrote, or "
          "latents "
          "(.npy)");
  set.add("field-width", &field_width,
          "of deform: width of the Gaussian over which beads take density along, A")
      .minimum = 1;
}

bool is_run(const fs::path& path) { return fs::is_directory(path); }

ordered_json write_conformation_maps(training::Run& run, const DensityOptions& density,
                                     const MapOptions& options, fs::path folder, bool force, bool resume) {
  const auto own = run.folder.file("maps");
  if (folder.empty()) folder = own;
  const bool in_run = fs::weakly_canonical(folder) == fs::weakly_canonical(own);
  if (options.method == "backproject" && (options.at != "states" || options.half_run))
    throw UsageError(
        "--method backproject makes maps of a run's states from one run: leave out --at and --half-run");
  auto sources = open_sources(run, options);
  const auto grid = grid_of(*sources.runs.front(), density);
  const MapFolder files{&run, grid, folder, fsc_mask(density, grid)};
  const auto targets = find_targets(sources.runs.front()->conformations, options.at);
  if (!in_run && !force && !resume) check_folder(folder, targets);
  check_memory(density, grid.box, memory_need(options, grid, targets.size()));
  MapRecord record(folder, settings_of(options, grid), resume);
  if (const auto open = record.unfinished(targets); !open.empty()) {
    io::StackReader reader;
    prepare(sources, grid, reader, open, options);
    make_maps(sources, reader, files, open, options, resume, [&](const Target& target, TargetMaps maps) {
      record.add(write_target(files, target, std::move(maps)));
    });
  }
  write_summaries(files, record.json()["targets"]);
  if (in_run && options.at == "states") enter_maps(run, record.json()["targets"]);
  return record.json();
}

std::string conformation_maps_table(const ordered_json& summary) {
  std::string text =
      fmt::format("{:>12} {:>17} {:>12} {:>20}\n", "map", "particles", "resolution", "model correlation");
  for (const auto& entry : summary.at("targets")) {
    const auto& count = entry["particles"];
    text += fmt::format(
        "{:>12} {:>17} {:>12} {:>20}\n", entry["name"].get<std::string>(),
        fmt::format("{:.0f} + {:.0f}", count[0].get<double>(), count[1].get<double>()),
        entry["resolution"].is_null() ? "none" : fmt::format("{:.2f} A", entry["resolution"].get<double>()),
        entry["model_correlation"].is_null()
            ? "none"
            : fmt::format("{:.3f}", entry["model_correlation"].get<double>()));
  }
  return text;
}

}  // namespace cryoscape::density
