#pragma once
#include <array>
#include <filesystem>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cryoscape::report {

inline constexpr double kNoError = std::numeric_limits<double>::quiet_NaN();

/// A principal component of the decoded structures: standard deviation in Å (r.m.s. over beads), share of the
/// variance.
struct ComponentRecord {
  double standard_deviation, share;
};

/// A basin of a free energy: share of the molecules, F at its minimum (kT) and where that lies, one number
/// per variable.
struct BasinRecord {
  double population, population_error, minimum;
  std::vector<double> position;
};

/// The lowest way between two basins (from 0): kT above the minimum of `from`.
struct BarrierRecord {
  std::size_t from = 0, to = 0;
  double energy, error;
  std::vector<double> position;
};

/// A free energy along one variable or two. Arrays over the grid have the last variable fastest and NaN where
/// there is no value; those that the entry does not give are empty.
struct FreeEnergyRecord {
  std::string variable, kind, source;     ///< "pc1", "pc", "prior"
  std::vector<std::string> units;         ///< one per variable, "A" or "degrees", or empty
  std::vector<std::vector<double>> grid;  ///< one list of ascending, evenly spaced values per variable
  std::vector<double> energy;             ///< kT
  std::vector<double> low, high;          ///< ends of 95 % intervals, kT
  std::string bars;                       ///< what these hold: "given the decoder", or empty
  std::vector<double> raw_histogram;      ///< density of the posterior means, to a factor
  std::vector<double> gaussian_factors;   ///< kT, with one Gaussian per particle
  std::vector<BasinRecord> basins;
  std::vector<BarrierRecord> barriers;

  std::size_t variables() const { return grid.size(); }
};

/// A minimum of the energy of conformations. Errors here and below are standard errors in kT, NaN or empty
/// where there are none.
struct MinimumRecord {
  double energy, population, energy_error = kNoError;
};

/// Two nodes that are one above this energy: minima from 0, then forks.
struct ForkRecord {
  double energy;
  std::array<std::size_t, 2> nodes;
  double energy_error = kNoError;
};

/// A minimum-energy path between two minima (from 0).
struct EnergyPathRecord {
  std::size_t from = 0, to = 0;
  std::vector<double> lengths, energies;   ///< Å along the path, kT
  std::vector<double> energy_errors = {};  ///< one per energy, or empty
};

/// What landscape.json says, as far as figures and tables need it.
struct LandscapeRecord {
  std::vector<ComponentRecord> components;
  std::vector<FreeEnergyRecord> free_energy;
  std::vector<MinimumRecord> minima;
  std::vector<ForkRecord> tree;
  std::vector<EnergyPathRecord> paths;
  std::string energy_notice;                ///< why there are no minima; empty where there are
  std::string embedding;                    ///< method of the embedding
  double trustworthiness = 0;               ///< of the embedding; NaN where not given
  std::optional<double> outlier_threshold;  ///< of the evidence ratio, nats
  double outlier_share = 0;
};

/// Takes what is there; keys that are missing leave their part empty. Throws Error naming `file` and the part
/// where lists do not fit each other or numbers are missing within one.
LandscapeRecord landscape_record(const nlohmann::json& json, const std::filesystem::path& file);

}  // namespace cryoscape::report
