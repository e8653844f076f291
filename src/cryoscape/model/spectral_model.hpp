#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::model {

/// Sums over images, per optics group and shell, from which gain and noise power follow for any gain. Q is
/// the predicted spectrum times the CTF, α the image's contrast; E[·] is over α's posterior. Half-complex
/// columns are counted with their multiplicity.
struct SpectralSums {
  double data_power = 0;        ///< Σ |X|²
  double cross = 0;             ///< Σ E[α] Re(X* Q)
  double prediction_power = 0;  ///< Σ E[α²] |Q|²
  double count = 0;             ///< number of coefficients

  SpectralSums& operator+=(const SpectralSums& other);
};

/// Radial gain h(shell) of the prediction and noise power S(shell) of the data, per optics group: x =
/// α·h·CTF·I + noise with E|N|² = S in the unnormalised FFT. Both are running means of the
/// expectation–maximisation estimates h = Σ E[α] Re(X* Q) / Σ E[α²]|Q|² and S = mean |X − α h Q|².
class SpectralModel {
 public:
  SpectralModel() = default;
  /// Unit gain and unit-variance white noise (S = box²). Shells 1 … max_shell take part in likelihoods; the
  /// mean of an image is a matter of its normalisation, so shell 0 does not.
  SpectralModel(int box, int max_shell, int groups);

  int box() const { return box_; }
  int groups() const { return groups_; }
  int shells() const { return box_ / 2 + 1; }
  int max_shell() const { return max_shell_; }

  /// (shells()) gain and noise power of a group.
  std::span<const float> gain(int group) const { return row(gain_, group); }
  std::span<const float> power(int group) const { return row(power_, group); }

  /// −½ Σ_f ln(2π S(f)) over the coefficients that take part.
  double log_normaliser(int group) const { return log_normaliser_[group]; }
  /// Number of real degrees of freedom of an image's likelihood.
  double degrees_of_freedom() const { return degrees_of_freedom_; }

  /// Forgets all but `memory` images' worth of earlier sums, adds new ones (groups × shells) of `images`
  /// images and re-estimates gain and power. A group whose sums are still empty keeps its values.
  void update(std::span<const SpectralSums> sums, double images, double memory);

  /// Forgets all sums, so that the next update starts afresh.
  void forget();

  /// Flat copies of the whole state, for checkpoints. Throws Error for the state of another box, last shell
  /// or number of groups.
  std::vector<double> state() const;
  void set_state(std::span<const double> state);

 private:
  std::span<const float> row(const std::vector<float>& values, int group) const {
    return {values.data() + static_cast<std::size_t>(group) * shells(), static_cast<std::size_t>(shells())};
  }
  void estimate();
  void estimate_gain(int group);
  void estimate_power(int group);
  void update_normalisers();

  int box_ = 0, max_shell_ = 0, groups_ = 0;
  std::vector<float> gain_, power_;
  std::vector<double> log_normaliser_;
  std::vector<double> shell_counts_;
  double degrees_of_freedom_ = 0;
  std::vector<SpectralSums> sums_;
  double remembered_images_ = 0;
};

}  // namespace cryoscape::model
