#pragma once
#include <span>
#include <vector>

#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/training/objective.hpp"

namespace cryoscape::training {

/// The restraints of RestraintEvaluator written plainly in libtorch: pairs gathered with index_select, edges
/// let go by sorting their running variances, clashes among all pairs that are closer than kClashListCutoff
/// in the reference.
class ReferenceRestraints {
 public:
  static constexpr float kClashListCutoff = 10;  ///< Å

  /// `reference`: (N, 3) Å, where the clash list is drawn up.
  ReferenceRestraints(const structure::RestraintTopology& topology, std::span<const float> reference);

  /// Energies (B) of coordinates (B, N, 3), kT, differentiable; also updates the running variances.
  torch::Tensor energy(const torch::Tensor& coordinates, const RestraintSchedule& schedule);

 private:
  struct Pairs {
    torch::Tensor i, j, distance;  ///< (P): beads, and distance or clash limit in Å
  };
  static Pairs gather(const std::vector<structure::Pair>& pairs);
  static torch::Tensor distances(const torch::Tensor& coordinates, const Pairs& pairs);
  torch::Tensor edge_mask(double drop_fraction) const;

  Pairs bonds_, edges_, clashes_;
  std::vector<std::int64_t> chain_start_;  ///< edges are sorted by chain
  torch::Tensor mean_, square_;            ///< (edges) float64, running sums of d − d₀ and its square
  double weight_ = 0;
};

/// The whitened Gaussian likelihood of model/image_likelihood.hpp written plainly in libtorch: whole
/// Gaussians on the full grid, torch's FFT, dense half-complex arrays.
class ReferenceLikelihood {
 public:
  explicit ReferenceLikelihood(model::HeterogeneityModel& model);

  /// Scores coordinates (B, N, 3); log_likelihood is differentiable in them. Gain and noise are the model's
  /// as they are now.
  model::Scores score(const torch::Tensor& coordinates, const particles::Batch& batch) const;

 private:
  torch::Tensor per_particle(const torch::Tensor& by_shell, const torch::Tensor& groups) const;
  std::vector<model::SpectralSums> sums(const torch::Tensor& spectra, const torch::Tensor& counted,
                                        const torch::Tensor& predicted, const torch::Tensor& mean,
                                        const torch::Tensor& mean_square, const torch::Tensor& groups) const;

  model::HeterogeneityModel& model_;
  torch::Tensor amplitudes_;    ///< (N)
  torch::Tensor shell_;         ///< (D·(D/2+1)) int64; 0 for coefficients that take no part
  torch::Tensor multiplicity_;  ///< (D, D/2+1)
};

/// One training step as one would write it in libtorch without any of this program's kernels: what `bench`
/// measures against and tests compare with. Networks and prior are the model's own; the optimiser is
/// torch::optim::AdamW.
class ReferenceStep {
 public:
  ReferenceStep(model::HeterogeneityModel& model, const structure::RestraintTopology& topology,
                double learning_rate);

  /// Same terms as evaluate_objective(), Gaussian likelihood only.
  Evaluation evaluate(const particles::Batch& batch, double beta, const RestraintSchedule& schedule,
                      double log_partition, torch::Generator& generator);
  /// Evaluates, moves the networks, and updates gain and noise over `memory` images. Returns the loss.
  double step(const particles::Batch& batch, double beta, const RestraintSchedule& schedule, double memory,
              torch::Generator& generator);

 private:
  model::HeterogeneityModel& model_;
  ReferenceRestraints restraints_;
  ReferenceLikelihood likelihood_;
  torch::optim::AdamW optimiser_;
};

}  // namespace cryoscape::training
