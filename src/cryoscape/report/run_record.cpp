#include "cryoscape/report/run_record.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cryoscape/report/json_values.hpp"
#include "cryoscape/training/run_folder.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::report {
namespace fs = std::filesystem;
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kWarnings = 200;  ///< kept of a log

std::string toml_text(const toml::node& node) {
  if (const auto value = node.value<std::string>()) return *value;
  std::ostringstream stream;
  node.visit([&](const auto& concrete) { stream << concrete; });
  return stream.str();
}

/// The options of one table in the order of the file, each with the comment on the line above it.
std::vector<OptionRecord> options_of(const toml::table& table, const std::vector<std::string>& lines) {
  std::vector<std::pair<std::size_t, OptionRecord>> found;
  for (const auto& [key, node] : table) {
    if (node.is_table()) continue;
    const std::size_t line = node.source().begin.line;
    OptionRecord option{std::string(key.str()), toml_text(node), ""};
    if (line >= 2 && line - 2 < lines.size() && lines[line - 2].starts_with("# "))
      option.help = lines[line - 2].substr(2);
    found.emplace_back(line, std::move(option));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<OptionRecord> out;
  for (auto& [line, option] : found) out.push_back(std::move(option));
  return out;
}

void read_options(const fs::path& path, RunRecord& record) {
  const auto content = read_text_file(path);
  std::vector<std::string> lines;
  std::istringstream stream(content);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  try {
    const auto table = toml::parse(content);
    record.options = options_of(table, lines);
    if (const auto* run = table["run"].as_table()) record.run = options_of(*run, lines);
  } catch (const toml::parse_error& e) {
    fail("{}:{}: {}", path.string(), e.source().begin.line, std::string(e.description()));
  }
}

/// Means over the logged steps of an epoch.
class StepMeans {
 public:
  void add(const nlohmann::json& step) {
    for (std::size_t k = 0; k < kKeys.size(); ++k)
      if (const double value = number(step, kKeys[k]); std::isfinite(value)) sums_[k] += value, ++counts_[k];
  }
  /// The mean, or the value at the epoch's end where no step was logged within.
  double mean(std::size_t k, const nlohmann::json& end) const {
    return counts_[k] > 0 ? sums_[k] / static_cast<double>(counts_[k]) : number(end, kKeys[k]);
  }

 private:
  static constexpr std::array<const char*, 4> kKeys{"bound", "kl", "restraint", "chi_square"};
  std::array<double, 4> sums_{};
  std::array<std::size_t, 4> counts_{};
};

PartitionRecord partition_of(const nlohmann::json& prior) {
  return {number(prior, "log_partition"), number(prior, "log_partition_lower"),
          number(prior, "log_partition_upper")};
}

TrainingRecord read_training(const fs::path& path) {
  TrainingRecord out;
  out.partition = {kNaN, kNaN, kNaN};
  std::ifstream stream(path);
  out.found = static_cast<bool>(stream);
  StepMeans means;
  std::string line;
  for (std::size_t row = 1; std::getline(stream, line); ++row) {
    if (line.empty()) continue;
    const auto step = nlohmann::json::parse(line, nullptr, false);
    if (!step.is_object()) {
      out.damaged_lines.push_back(row);
      continue;
    }
    if (const double at = number(step, "step"); std::isfinite(at)) out.steps = std::lround(at);
    if (!step.contains("prior")) {
      means.add(step);
      continue;
    }
    out.epochs.push_back({number(step, "epoch"), means.mean(0, step), means.mean(1, step),
                          means.mean(2, step), means.mean(3, step), number(step, "beta"),
                          number(step, "images_per_second"), number(step, "held_out_bound"),
                          number(step, "held_out_error")});
    if (step["prior"].is_object()) out.partition = partition_of(step["prior"]);
    if (step.contains("latents"))
      out.latents = LatentRecord{step["latents"].value("active", 0), step["latents"].value("of", 0)};
    means = {};
  }
  if (stream.bad()) fail("cannot read {}", path.string());
  return out;
}

/// A JSON object; nothing where the file does not exist.
std::optional<nlohmann::json> read_object(const fs::path& path, const char* command = "landscape") {
  if (!fs::exists(path)) return std::nullopt;
  auto json = nlohmann::json::parse(read_text_file(path), nullptr, false);
  if (!json.is_object())
    fail("{} is damaged: it holds no JSON object (cryoscape {} writes it anew)", path.string(), command);
  return json;
}

StateTable states_of(const nlohmann::json& json, const fs::path& path) {
  if (!json.contains("states") || !json["states"].is_array())
    fail("{} has no list \"states\" (cryoscape landscape writes it anew)", path.string());
  StateTable table;
  table.particles = std::isfinite(number(json, "particles")) ? std::llround(number(json, "particles")) : 0;
  table.continuous =
      json.contains("continuous") && json["continuous"].is_boolean() && json["continuous"].get<bool>();
  for (const auto& state : json["states"]) {
    const double id = state.is_object() ? number(state, "id") : kNaN;
    const double particles = state.is_object() ? number(state, "particles") : kNaN;
    if (!(id >= 1 && id < 1e6))
      fail("{}: state {} has no id (cryoscape landscape writes it anew)", path.string(),
           table.states.size() + 1);
    table.states.push_back(
        {static_cast<int>(id), number(state, "population"), number(state, "population_error"),
         number(state, "energy"), number(state, "energy_error"),
         std::isfinite(particles) ? std::llround(particles) : 0, text(state, "model"), text(state, "map")});
  }
  return table;
}

/// The particles' first free energy along a path; nothing where there is none.
std::optional<PathEnergyRecord> path_energy_of(const LandscapeRecord& landscape, const fs::path& path) {
  for (const auto& entry : landscape.free_energy) {
    if (entry.kind != "path" || entry.source == "prior") continue;
    const auto finite = [](double v) { return std::isfinite(v); };
    if (entry.grid[0].size() < 4 || !std::all_of(entry.energy.begin(), entry.energy.end(), finite))
      fail("{}: the free energy along the path is damaged (cryoscape landscape writes it anew)",
           path.string());
    return PathEnergyRecord{entry.grid[0], entry.energy};
  }
  return std::nullopt;
}

std::vector<MapRecord> maps_of(const nlohmann::json& json) {
  std::vector<MapRecord> out;
  const auto settings = json.value("settings", nlohmann::json::object());
  const double extent = number(settings, "box") * number(settings, "pixel_size");
  for (const auto& target : objects(json, "targets")) {
    MapRecord map{text(target, "name"), number(target, "resolution"), {}, {}};
    if (target.contains("fsc") && target["fsc"].is_object()) map.fsc = numbers(target["fsc"], "corrected");
    for (std::size_t s = 0; s < map.fsc.size(); ++s) map.frequency.push_back(static_cast<double>(s) / extent);
    if (!map.fsc.empty()) out.push_back(std::move(map));
  }
  return out;
}

/// Lines "warning: …", after the log's time stamp or without one.
std::vector<std::string> read_warnings(const fs::path& path) {
  static const std::string kMark = "warning:", kStamp = "0000-00-00 00:00:00 ";
  std::vector<std::string> out;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line) && out.size() < kWarnings;) {
    if (!line.starts_with(kMark) && line.size() > kStamp.size() && line[4] == '-' && line[13] == ':')
      line.erase(0, kStamp.size());
    if (!line.starts_with(kMark)) continue;
    line.erase(0, line.find_first_not_of(' ', kMark.size()));
    if (std::find(out.begin(), out.end(), line) == out.end()) out.push_back(line);
  }
  return out;
}

std::string value_of(const std::vector<OptionRecord>& options, const std::string& name) {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& option) { return option.name == name; });
  return found == options.end() ? std::string() : found->value;
}

}  // namespace

std::string RunRecord::option(const std::string& name) const { return value_of(options, name); }
std::string RunRecord::run_value(const std::string& name) const { return value_of(run, name); }

RunRecord read_run_record(const fs::path& path) {
  const auto folder = training::RunFolder::open(path);
  RunRecord record;
  record.folder = folder.path();
  read_options(folder.file("config.toml"), record);
  record.training = read_training(folder.file("train.jsonl"));
  if (const auto json = read_object(folder.file("states.json")))
    record.states = states_of(*json, folder.file("states.json"));
  if (const auto json = read_object(folder.file("landscape.json"))) {
    record.landscape = landscape_record(*json, folder.file("landscape.json"));
    record.path_energy = path_energy_of(record.landscape, folder.file("landscape.json"));
  }
  if (const auto json = read_object(folder.file("maps/density.json"), "density"))
    record.maps = maps_of(*json);
  record.warnings = read_warnings(folder.file("log.txt"));
  return record;
}

}  // namespace cryoscape::report
