#pragma once
#include <vector>

#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/training/restraint_schedule.hpp"

namespace cryoscape::training {

/// RestraintEvaluator (restraints.hpp) for structures on any device: energies and gradients by the kernel of
/// that device, the edges' running moments and what is let go by tensor operations, so a step never waits for
/// the host. A structure that is not finite gets the energy NaN and no gradient.
class DeviceRestraints {
 public:
  DeviceRestraints(const structure::RestraintTopology& topology, torch::Device device);

  /// Energy of structures (B, N, 3) Å, (B) kT, differentiable in the coordinates.
  torch::Tensor energy(const torch::Tensor& coordinates, const RestraintSchedule& schedule,
                       structure::Moments moments = structure::Moments::update);

  /// As RestraintEvaluator's: from now on a batch's moments wait in batch_moments() until absorb() gets them.
  void defer_moments() { deferred_ = true; }
  std::vector<double> batch_moments() const;
  void absorb(std::span<const double> batch_moments);

  /// (edges) 1 for edges in force, 0 for those let go.
  const torch::Tensor& edge_mask() const { return mask_; }
  /// As RestraintEvaluator's, for checkpoints.
  std::vector<double> state() const;
  void set_state(std::span<const double> state);

  /// Energies (B), and gradients (B, N, 3).
  std::pair<torch::Tensor, torch::Tensor> evaluate(const torch::Tensor& coordinates,
                                                   const RestraintSchedule& schedule,
                                                   structure::Moments moments = structure::Moments::update);

 private:
  void update_mask(double drop_fraction);
  void absorb(const torch::Tensor& batch_moments);

  std::int64_t beads_, edges_;
  float clash_distance_;
  std::vector<std::int64_t> edges_of_chain_;
  /// The arrays of structure::cuda::RestraintArrays, as bytes on the device.
  torch::Tensor start_, neighbours_, pairs_, clash_radii_, own_limit_start_, own_limits_;
  torch::Tensor mask_;                    ///< (edges) float32
  torch::Tensor weight_, mean_, square_;  ///< scalar, (edges), (edges) float64
  bool deferred_ = false;
  torch::Tensor batch_;  ///< (1 + 2 edges) float64: number of structures, sums and sums of squares of d − d₀
};

}  // namespace cryoscape::training
