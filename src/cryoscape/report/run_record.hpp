#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/report/landscape_record.hpp"

namespace cryoscape::report {

/// One line of a run's config.toml.
struct OptionRecord {
  std::string name, value, help;
};

/// Training up to the end of an epoch: means of the epoch's logged steps in nats per particle (chi_square per
/// component), the held-out bound at its end. NaN where the record has no value.
struct EpochRecord {
  double epoch = 0;
  double bound, kl, restraint, chi_square, beta, images_per_second;
  double held_out_bound, held_out_error;
};

/// log Z of the prior at the last epoch's end, with bounds; NaN where not recorded.
struct PartitionRecord {
  double value, lower, upper;
};

/// How many of the latents told particles apart at the last epoch's end.
struct LatentRecord {
  int active = 0, of = 0;
};

struct TrainingRecord {
  bool found = false;  ///< train.jsonl exists
  std::vector<EpochRecord> epochs;
  PartitionRecord partition;
  std::optional<LatentRecord> latents;
  long steps = 0;
  std::vector<std::size_t> damaged_lines;  ///< 1-based, left out
};

/// A state of states.json; fractions and kT, NaN where not given.
struct StateRecord {
  int id = 0;
  double population, population_error, energy, energy_error;
  long long particles = 0;
  std::string model, map;  ///< relative paths, empty where not given
};

struct StateTable {
  long long particles = 0;
  bool continuous = false;
  std::vector<StateRecord> states;
};

/// The free energy of the particles along a path of models: positions in even steps, F in kT.
struct PathEnergyRecord {
  std::vector<double> grid, energy;
};

/// A map of density.json: FSC of its half-maps by shell at frequencies in 1/Å, and where it falls below 0.143
/// (Å, NaN where it never reaches that).
struct MapRecord {
  std::string name;
  double resolution = 0;
  std::vector<double> frequency, fsc;
};

/// What a run's folder says about itself in text files.
struct RunRecord {
  std::filesystem::path folder;
  std::vector<OptionRecord> options;  ///< in the order of config.toml
  std::vector<OptionRecord> run;      ///< its [run] table
  TrainingRecord training;
  std::optional<StateTable> states;
  LandscapeRecord landscape;
  std::optional<PathEnergyRecord> path_energy;
  std::vector<MapRecord> maps;
  std::vector<std::string> warnings;  ///< of log.txt, each once

  /// The value of an option or of the [run] table; empty where there is none.
  std::string option(const std::string& name) const;
  std::string run_value(const std::string& name) const;
};

/// Reads config.toml, train.jsonl, states.json, landscape.json, maps/density.json and log.txt; only the first
/// must exist. Lines of train.jsonl that are no JSON are left out and noted. Throws Error for a folder
/// without config.toml and for a damaged file.
RunRecord read_run_record(const std::filesystem::path& folder);

}  // namespace cryoscape::report
