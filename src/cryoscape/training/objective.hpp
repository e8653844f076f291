#pragma once
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/torch.hpp"
#include "cryoscape/training/restraint_schedule.hpp"
#include "cryoscape/training/restraint_term.hpp"

namespace cryoscape::training {

/// Named terms of one batch, means over particles, in nats (correlation: dimensionless).
struct Terms {
  torch::Tensor loss;  ///< what encoder and decoder minimise
  double log_likelihood = 0, kl = 0, restraint = 0, bound = 0, chi_square = 0, contrast = 0;
};

/// Energy of structures (B, N, 3) under the restraints, (B) kT, differentiable in the coordinates.
torch::Tensor restraint_energy(const torch::Tensor& coordinates, RestraintTerm restraints,
                               const RestraintSchedule& schedule,
                               structure::Moments moments = structure::Moments::update);

/// What an evaluation of the objective is for, beside the batch.
struct ObjectiveSettings {
  double beta = 1;  ///< weight of the KL term
  RestraintSchedule schedule;
  double log_partition = 0;    ///< of the density of latents, for reporting the KL in full
  int importance_samples = 1;  ///< K
  bool energy_in_prior = false;
  double prior_log_partition = 0;  ///< with it: of the prior without the restraints
};

/// One evaluation of the training objective  −E_q[log p(x|z)] + β KL(q‖p) + E_restraint  on a batch, which
/// may be a `part` of a larger one. The restraints' gradient reaches the decoder only, so the encoder targets
/// p(x|z)p(z).
/// With K > 1 the first two terms are the importance-weighted bound −E ln (1/K) Σ_k p(x|z_k)
/// (p(z_k)/q(z_k|x))^β (Burda, Grosse, Salakhutdinov 2016), and `sample` is one of the K per particle, drawn
/// by weight: what the prior learns from. With the correlation likelihood: CryoSTAR's objective, −correlation
/// + β KL/D² with the KL clamped at 3 nats per dimension; K = 1.
struct Evaluation {
  Terms terms;
  latent::Posterior posterior;
  latent::Sample sample;
  torch::Tensor draws, draw_weights;  ///< with energy_in_prior: RestrainedDraws
  std::vector<model::SpectralSums> sums;
};
Evaluation evaluate_objective(model::HeterogeneityModel& model, const particles::Batch& batch,
                              const ObjectiveSettings& settings, RestraintTerm restraints,
                              torch::Generator& generator, const latent::BatchPart& part = {});

/// Fills the terms of an evaluation but its loss, from the (B) values of a batch; `kl` includes log Z.
void record_terms(model::Scores scores, const torch::Tensor& kl, const torch::Tensor& restraint,
                  Evaluation& out);

}  // namespace cryoscape::training
