#include "cryoscape/report/landscape_record.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "cryoscape/report/json_values.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::report {
using nlohmann::json;
namespace {

/// Says which part of which file is damaged.
struct Part {
  const std::filesystem::path& file;
  std::string name;

  void require(bool sound) const {
    if (!sound) fail("{}: {} is damaged (cryoscape landscape writes it anew)", file.string(), name);
  }
};

bool finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

/// A number from 1 to `count`, counted from 0.
std::size_t index(double value, std::size_t count, const Part& part) {
  part.require(value >= 1 && value <= static_cast<double>(count) && value == std::floor(value));
  return static_cast<std::size_t>(value) - 1;
}

/// One list of numbers, or a list of such lists.
std::vector<std::vector<double>> grid_of(const json& entry, const Part& part) {
  std::vector<std::vector<double>> out;
  const auto found = entry.find("grid");
  part.require(found != entry.end() && found->is_array() && !found->empty());
  if (found->front().is_array())
    for (const auto& axis : *found) out.push_back(numbers(axis));
  else
    out.push_back(numbers(*found));
  for (const auto& axis : out)
    part.require(axis.size() >= 2 && finite(axis) &&
                 std::adjacent_find(axis.begin(), axis.end(), std::greater_equal<>()) == axis.end());
  return out;
}

std::vector<std::string> units_of(const json& entry, std::size_t variables) {
  std::vector<std::string> out(variables, text(entry, "unit"));
  if (const auto found = entry.find("unit"); found != entry.end() && found->is_array())
    for (std::size_t k = 0; k < std::min(variables, found->size()); ++k)
      if ((*found)[k].is_string()) out[k] = (*found)[k].get<std::string>();
  return out;
}

/// One number, or one per variable.
std::vector<double> position_of(const json& object, const Part& part, std::size_t variables) {
  auto out = numbers(object, "position");
  if (const double only = number(object, "position"); std::isfinite(only)) out = {only};
  part.require(out.size() == variables && finite(out));
  return out;
}

void read_basins(const json& entry, const Part& part, FreeEnergyRecord& record) {
  for (const auto& basin : objects(entry, "basins"))
    record.basins.push_back({number(basin, "population"), number(basin, "population_error"),
                             number(basin, "minimum"), position_of(basin, part, record.variables())});
  for (const auto& barrier : objects(entry, "barriers"))
    record.barriers.push_back({index(number(barrier, "from"), record.basins.size(), part),
                               index(number(barrier, "to"), record.basins.size(), part),
                               number(barrier, "energy"), number(barrier, "error"),
                               position_of(barrier, part, record.variables())});
}

FreeEnergyRecord free_energy_of(const json& entry, const Part& part) {
  FreeEnergyRecord record;
  record.variable = text(entry, "variable"), record.kind = text(entry, "kind");
  record.source = text(entry, "source"), record.bars = text(entry, "bars");
  record.grid = grid_of(entry, part);
  record.units = units_of(entry, record.variables());
  record.energy = numbers(entry, "energy");
  record.raw_histogram = numbers(entry, "raw_histogram");
  record.gaussian_factors = numbers(entry, "gaussian_factors");
  if (const auto found = entry.find("energy_interval"); found != entry.end()) {
    part.require(found->is_array() && found->size() == 2);
    record.low = numbers((*found)[0]), record.high = numbers((*found)[1]);
  }
  std::size_t points = 1;
  for (const auto& axis : record.grid) points *= axis.size();
  part.require(record.energy.size() == points && record.low.size() == record.high.size());
  for (const auto* values : {&record.raw_histogram, &record.gaussian_factors, &record.low})
    part.require(values->empty() || values->size() == points);
  read_basins(entry, part, record);
  return record;
}

void read_minima(const json& object, const std::filesystem::path& file, LandscapeRecord& record) {
  const Part minima{file, "the list of minima"}, tree{file, "the tree"}, paths{file, "a path"};
  for (const auto& minimum : objects(object, "minima")) {
    record.minima.push_back(
        {number(minimum, "energy"), number(minimum, "population"), number(minimum, "energy_error")});
    minima.require(std::isfinite(record.minima.back().energy));
  }
  for (const auto& fork : objects(object, "tree")) {
    const auto nodes = numbers(fork, "nodes");
    const std::size_t known = record.minima.size() + record.tree.size();
    tree.require(nodes.size() == 2 && std::isfinite(number(fork, "energy")));
    record.tree.push_back({number(fork, "energy"),
                           {index(nodes[0], known, tree), index(nodes[1], known, tree)},
                           number(fork, "energy_error")});
  }
  std::vector<std::size_t> joined;
  for (const auto& fork : record.tree) joined.insert(joined.end(), fork.nodes.begin(), fork.nodes.end());
  std::sort(joined.begin(), joined.end());
  tree.require(std::adjacent_find(joined.begin(), joined.end()) == joined.end());
  for (const auto& path : objects(object, "paths")) {
    record.paths.push_back({index(number(path, "from"), record.minima.size(), paths),
                            index(number(path, "to"), record.minima.size(), paths),
                            numbers(path, "positions_angstrom"), numbers(path, "energies"),
                            numbers(path, "energies_error")});
    const auto& last = record.paths.back();
    paths.require(last.energies.size() >= 2 && last.lengths.size() == last.energies.size() &&
                  finite(last.lengths) && finite(last.energies) &&
                  (last.energy_errors.empty() || last.energy_errors.size() == last.energies.size()));
  }
}

void read_particle_keys(const json& object, LandscapeRecord& record) {
  if (const auto found = object.find("embedding"); found != object.end() && found->is_object()) {
    record.embedding = text(*found, "method");
    record.trustworthiness = number(*found, "trustworthiness");
  }
  if (const auto found = object.find("outliers"); found != object.end() && found->is_object()) {
    if (const double at = number(*found, "threshold"); std::isfinite(at)) record.outlier_threshold = at;
    record.outlier_share = number(*found, "share");
  }
}

}  // namespace

LandscapeRecord landscape_record(const json& object, const std::filesystem::path& file) {
  LandscapeRecord record;
  for (const auto& component : objects(object, "components"))
    record.components.push_back({number(component, "standard_deviation"), number(component, "share")});
  for (const auto& entry : objects(object, "free_energy"))
    record.free_energy.push_back(free_energy_of(
        entry, {file, "the free energy along " +
                          (text(entry, "kind").empty() ? "a variable" : "the " + text(entry, "kind"))}));
  read_minima(object, file, record);
  record.energy_notice = text(object, "energy_notice");
  read_particle_keys(object, record);
  return record;
}

}  // namespace cryoscape::report
