#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "cryoscape/util/random.hpp"

namespace cryoscape::simulation {

/// Where a particle lies along the models, and the state that it belongs to.
struct Placement {
  double model = 1;  ///< 1-based, fractional between models
  int state = 0;     ///< 1-based, 0 where there are no states
};

/// How particles are spread along M models.
class Distribution {
 public:
  virtual ~Distribution() = default;
  virtual Placement draw(Philox& random) const = 0;
  /// Number of states; 0 where there are none.
  virtual int states() const = 0;
};

/// One "model:weight" of --populations.
struct Population {
  double model = 1;
  double weight = 1;
};

/// Parses "10:0.65,50:0.05,85:0.30". Throws Error naming the part that is wrong.
std::vector<Population> parse_populations(const std::string& text);

/// Gaussian states: state k (in the order given) is drawn with its weight, then a normal of standard
/// deviation `spread` (in models, 0 allowed) about its model, drawn again while outside [1, M]. Weights are
/// normalised to sum 1.
class PopulationDistribution : public Distribution {
 public:
  /// Throws Error for a centre outside [1, M] or weights that are negative or all zero.
  PopulationDistribution(std::vector<Population> populations, double spread, int models);
  Placement draw(Philox& random) const override;
  int states() const override { return static_cast<int>(populations_.size()); }

 private:
  std::vector<Population> populations_;
  double spread_;
  int models_;
};

/// An energy profile along the models, in kT at positions from 0 (first model) to 1 (last).
struct EnergyProfile {
  std::vector<double> position, energy;
};

/// Reads a CSV file of two columns, position and energy in kT, with or without a heading; comment lines begin
/// with #. Throws Error naming file and line.
EnergyProfile read_profile(const std::filesystem::path& path);

/// Density exp(−E) along the models, E linear between the profile's positions. States are the basins between
/// its maxima, numbered along the path; ripples shallower than 0.05 kT make no state.
class ProfileDistribution : public Distribution {
 public:
  ProfileDistribution(const EnergyProfile& profile, int models);
  Placement draw(Philox& random) const override;
  int states() const override { return static_cast<int>(barriers_.size()) + 1; }

  /// Positions (0 … 1) of the maxima that part the basins.
  const std::vector<double>& barriers() const { return barriers_; }
  /// Share of the particles in each basin.
  std::vector<double> populations() const;
  /// State (1-based) of a position in [0, 1].
  int state_at(double position) const;

 private:
  double mass_below(double position) const;

  EnergyProfile profile_;
  std::vector<double> mass_;  ///< cumulative mass at the profile's positions, 0 … 1
  std::vector<double> barriers_;
  int models_;
};

/// Uniform along the models, without states.
class UniformDistribution : public Distribution {
 public:
  explicit UniformDistribution(int models) : models_(models) {}
  Placement draw(Philox& random) const override { return {1 + random.uniform() * (models_ - 1), 0}; }
  int states() const override { return 0; }

 private:
  int models_;
};

}  // namespace cryoscape::simulation
