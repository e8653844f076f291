#pragma once
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/particles/batch.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::inference {

/// Likelihoods of a batch's particles around R points of latent space, float64 (model::expand_likelihood).
struct ImageExpansion {
  torch::Tensor log_ratio;    ///< (R) ln p(x|z) − ln p(x|no particle)
  torch::Tensor score;        ///< (R, d) by latents; of bits by their values in [0, 1]
  torch::Tensor information;  ///< (R, d, d)
};

/// Point r, of points (R, d), is expanded against particle particles[r] (R, int64) of the batch.
ImageExpansion expand_images(model::HeterogeneityModel& model, const particles::Batch& batch,
                             const torch::Tensor& particles, const torch::Tensor& points);

/// Log ratios (R) alone, of structures (R, N, 3) float32.
torch::Tensor image_log_ratios(model::HeterogeneityModel& model, const particles::Batch& batch,
                               const torch::Tensor& particles, const torch::Tensor& structures);
/// The same of points (R, d).
torch::Tensor image_log_ratios_at(model::HeterogeneityModel& model, const particles::Batch& batch,
                                  const torch::Tensor& particles, const torch::Tensor& points);

}  // namespace cryoscape::inference
