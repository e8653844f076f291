#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace cryoscape::structure {

/// A smooth one-dimensional path through M models of N points: every coordinate is a Legendre polynomial of
/// degree min(5, M − 1) of the model number, fitted by least squares to all models. Positions along it are
/// arc length, s ∈ [0, 1], with |dx| the root mean square over points; the whole length is length() Å.
class SmoothPath {
 public:
  /// models: M ≥ 1 vectors of 3N. Throws Error when they differ in size or are empty.
  explicit SmoothPath(const std::vector<std::vector<float>>& models);

  std::size_t models() const { return models_; }
  std::size_t points() const { return coefficients_.size() / (3 * terms_); }
  /// Å, root mean square over points; 0 for a single model.
  double length() const { return length_; }

  /// Arc length s of a model number m ∈ [1, M], fractional between models; 0 for a single model.
  double position_of_model(double model) const;
  /// ds/dm at model number m; 0 for a single model.
  double slope_of_position(double model) const { return length_ > 0 ? speed(model) / length_ : 0; }
  /// The model number at arc length s.
  double model_at(double s) const;

  /// Coordinates (3N) at model number m, Å.
  std::vector<float> at_model(double model) const;
  /// dx/dm (3N) at model number m, Å per model.
  std::vector<float> slope_at_model(double model) const;

  /// Coordinates (3N) at arc length s.
  std::vector<float> at(double s) const { return at_model(model_at(s)); }
  /// dx/ds (3N) at arc length s: its root mean square over points is length().
  std::vector<float> tangent(double s) const;

  /// A point of the path and its distance.
  struct Nearest {
    double s = 0;
    double rmsd = 0;  ///< Å
  };
  /// The point of the path nearest to the given coordinates (3N) by r.m.s. distance: after superposition onto
  /// each point, or as they stand.
  Nearest nearest(std::span<const float> coordinates, bool superpose = true) const;

 private:
  double speed(double model) const;
  std::vector<float> combine(std::span<const double> weights) const;

  std::size_t models_ = 0, terms_ = 0;
  std::vector<double> coefficients_;  ///< (3N, terms)
  std::vector<double>
      gram_;  ///< (terms, terms): mean over points of the coefficients' products, so that |dx/dm| needs no N
  std::vector<double> arc_;  ///< cumulative arc length on a fine grid of model numbers, 0 … 1
  double length_ = 0;
};

}  // namespace cryoscape::structure
