#include "cryoscape/landscape/half_free_energy.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "cryoscape/landscape/decoder_spread.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// A barrier between two basins (from 0): kT above the minimum of `from`.
struct Pass {
  std::size_t from = 0, to = 0;
  Measured energy;
};

/// The numbers of an entry, with the errors of the bootstrap alone.
struct Numbers {
  EnergyCurve curve;
  std::vector<Measured> populations;
  std::vector<double> minima;  ///< kT
  std::vector<Pass> passes;
};

/// An error without the decoders' part of it, which the run's own --half-run has put in.
double without_decoders(double error, double decoder_error) {
  return std::sqrt(std::max(0.0, error * error - decoder_error * decoder_error));
}

Measured measured(const json& object, const char* value, const char* error) {
  return {object.at(value), without_decoders(object.at(error), object.value("decoder_error", 0.0))};
}

std::size_t basin_of(const json& barrier, const char* end, std::size_t basins) {
  const auto number = barrier.at(end).get<std::size_t>();
  if (number < 1 || number > basins) fail("a barrier is of basin {} of {}", number, basins);
  return number - 1;
}

EnergyCurve curve_of(const json& entry) {
  EnergyCurve out{entry.at("grid"), entry.at("energy"), entry.at("energy_error")};
  const auto decoders = entry.value("decoder_error", std::vector<double>(out.at.size(), 0.0));
  const auto size = out.at.size();
  if (out.energy.size() != size || out.error.size() != size || decoders.size() != size)
    fail("lists of different lengths");
  for (std::size_t k = 0; k < size; ++k) out.error[k] = without_decoders(out.error[k], decoders[k]);
  return out;
}

/// Throws Error or json::exception for an entry that lacks some of it.
Numbers numbers_of(const json& entry) {
  Numbers out{curve_of(entry), {}, {}, {}};
  for (const auto& basin : entry.at("basins")) {
    out.populations.push_back(measured(basin, "population", "population_error"));
    out.minima.push_back(basin.at("minimum"));
  }
  for (const auto& barrier : entry.at("barriers"))
    out.passes.push_back({basin_of(barrier, "from", out.minima.size()),
                          basin_of(barrier, "to", out.minima.size()), measured(barrier, "energy", "error")});
  return out;
}

/// The command that makes the other run's entry.
std::string command_for(const json& entry, const fs::path& run) {
  auto out = fmt::format("cryoscape landscape {} --variable '{}'", run.string(),
                         entry.at("variable").get<std::string>());
  if (const auto nodes = entry.at("nodes").get<std::string>(); nodes != "decoder") out += " --nodes " + nodes;
  return out;
}

/// The numbers of the run's entry of the same variable and nodes. Throws Error, saying what to run, where it
/// has none that can be read.
Numbers read_numbers(const json& entry, const fs::path& run) {
  const auto path = run / "landscape.json";
  std::optional<Numbers> found;
  bool still = false;
  try {
    const auto landscape = fs::exists(path) ? json::parse(read_text_file(path)) : json::object();
    const auto entries = landscape.value("free_energy", json());
    still = entries.is_array() && entries.empty();
    for (const auto& theirs : entries)
      if (theirs.at("source") == "likelihood" && theirs.at("variable") == entry.at("variable") &&
          theirs.at("nodes") == entry.at("nodes"))
        found = numbers_of(theirs);
  } catch (const std::exception& e) {
    fail("{} is damaged ({}): run {} again", path.string(), e.what(), command_for(entry, run));
  }
  if (still) fail("{} has no free energy, as its decoder moves nothing", run.string());
  if (!found)
    fail("{} has no free energy of its particles along it: run {} first, then this again", run.string(),
         command_for(entry, run));
  return *found;
}

/// Why the free energies of two runs along a variable cannot be compared, whatever these are.
void check_variable(const json& entry) {
  const auto kind = entry.at("kind").get<std::string>();
  if (kind.find(';') != std::string::npos)
    fail("free energies of two variables are not compared between half-sets");
  if (kind == "pc")
    fail(
        "principal components are each run's own axes and cannot be compared: give --variable distance:, "
        "angle:, dihedral:, rmsd: or path:");
}

void notice(json& entry, const std::string& why) {
  entry["bars_notice"] = why;
  spdlog::warn("{}: {}", entry.at("variable").get<std::string>(), why);
}

/// Widens one number's error and interval where they stand.
void widen(json& error, json& interval_low, json& interval_high, double value, double variance) {
  const auto wide = widened({value, error, interval_low, interval_high}, variance);
  error = wide.error, interval_low = wide.low, interval_high = wide.high;
}

void widen_curve(json& entry, const Numbers& own, const std::vector<double>& variance) {
  auto& interval = entry.at("energy_interval");
  auto& decoders = entry["decoder_error"] = json::array();
  for (std::size_t k = 0; k < variance.size(); ++k) {
    widen(entry.at("energy_error")[k], interval[0][k], interval[1][k], own.curve.energy[k], variance[k]);
    decoders.push_back(std::sqrt(variance[k]));
  }
}

/// The barrier between the same two basins, above the minimum of the same one: which of two is the deeper may
/// differ between runs. None where the other run's basins do not touch.
std::optional<Measured> same_pass(const Pass& pass, const Numbers& other) {
  const auto found = std::find_if(other.passes.begin(), other.passes.end(), [&](const Pass& p) {
    return std::minmax(p.from, p.to) == std::minmax(pass.from, pass.to);
  });
  if (found == other.passes.end()) return std::nullopt;
  auto energy = found->energy;
  energy.value += other.minima[found->from] - other.minima[pass.from];
  return energy;
}

void widen_states(json& entry, const Numbers& own, const Numbers& other) {
  for (std::size_t k = 0; k < own.populations.size(); ++k) {
    auto& basin = entry.at("basins")[k];
    const double variance = decoder_variance(own.populations[k], other.populations[k]);
    auto& interval = basin.at("population_interval");
    widen(basin.at("population_error"), interval[0], interval[1], own.populations[k].value, variance);
    basin["decoder_error"] = std::sqrt(variance);
  }
  for (std::size_t k = 0; k < own.passes.size(); ++k) {
    const auto theirs = same_pass(own.passes[k], other);
    if (!theirs) continue;
    auto& barrier = entry.at("barriers")[k];
    const double variance = decoder_variance(own.passes[k].energy, *theirs);
    auto& interval = barrier.at("interval");
    widen(barrier.at("error"), interval[0], interval[1], own.passes[k].energy.value, variance);
    barrier["decoder_error"] = std::sqrt(variance);
  }
}

/// What the log says instead of the bootstrap's errors alone.
void report(const json& entry) {
  const auto variable = entry.at("variable").get<std::string>();
  spdlog::info("{}: error bars now {}", variable, kWithHalfSets);
  for (const auto& basin : entry.at("basins"))
    spdlog::info("{}: state at {:.3g}, {:.1f} +- {:.1f} %", variable, basin.at("position").get<double>(),
                 100 * basin.at("population").get<double>(),
                 100 * basin.at("population_error").get<double>());
  for (const auto& barrier : entry.at("barriers"))
    spdlog::info("{}: barrier of {:.2f} +- {:.2f} kT at {:.3g}", variable, barrier.at("energy").get<double>(),
                 barrier.at("error").get<double>(), barrier.at("position").get<double>());
}

}  // namespace

void add_half_run(json& entry, const fs::path& other_run) {
  try {
    check_variable(entry);
    const auto own = numbers_of(entry), other = read_numbers(entry, other_run);
    const auto variance = decoder_variance(own.curve, other.curve);
    if (variance.empty())
      fail("the free energy of {} covers less than half of this one's range", other_run.string());
    widen_curve(entry, own, variance);
    entry["bars"] = kWithHalfSets;
    if (own.minima.size() == other.minima.size())
      widen_states(entry, own, other);
    else
      notice(entry, fmt::format("{} basins, but {} in {}: errors of populations and barriers stay {}",
                                own.minima.size(), other.minima.size(), other_run.string(), kGivenDecoder));
    report(entry);
  } catch (const Error& e) {
    notice(entry, fmt::format("error bars stay {}: {}", kGivenDecoder, e.what()));
  }
}

}  // namespace cryoscape::landscape
