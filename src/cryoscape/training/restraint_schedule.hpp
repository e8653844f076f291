#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/training/options.hpp"

namespace cryoscape::training {

/// Stiffness of the restraints at one moment of training, kT/Å², and the share of elastic edges let go.
struct RestraintSchedule {
  structure::RestraintWeights weights;
  float drop_fraction = 0;
};

/// How stiff the elastic edges are as training goes on. They start firm and relax geometrically over its
/// first half: to the weight asked for; or, without one, to 1/N kT/Å² for N particles, so that over the whole
/// data set they weigh about as much as one physical elastic network (stiffness 1 kT/Å²), and only while the
/// held-out bound does not fall. The same springs act on every particle: what looks mild beside one image's
/// tens of nats would hold the whole ensemble at the reference's own distances.
class EdgeRelaxation {
 public:
  EdgeRelaxation(const TrainingOptions& options, std::size_t particles);

  /// Stiffness now, kT/Å².
  double weight() const { return weight_; }
  /// Called after every step with the share of training that is done.
  void advance(double fraction_done);
  /// Called at epoch ends with the bound of every held-out particle, always the same ones. A mean that falls
  /// below the best by more than two standard errors of the paired difference makes the edges firmer again
  /// and ends the relaxation.
  void judge(std::span<const float> bounds);

  /// For checkpoints.
  std::vector<double> state() const;
  void set_state(std::span<const double> state);

 private:
  bool judged_;
  double start_, target_, weight_, last_fraction_ = 0;
  bool relaxing_ = true;
  std::vector<float> best_;  ///< bounds of the best epoch
};

}  // namespace cryoscape::training
