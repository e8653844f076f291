#pragma once
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cryoscape/latent/prior.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::latent {

/// How a prior is trained on vectors alone; every field is an option of `prior-fit`.
struct VectorFitOptions {
  PriorOptions prior;
  int latent_dim = 8;
  bool vae = false;
  int steps = 5000, batch = 256;
  double learning_rate = 1e-3;
  double beta = 1, warm_up = 0.2;
  double held_out = 0.1;
  int seed = 0;

  void declare(OptionSet& set);
};

struct VectorFit {
  std::shared_ptr<Prior> prior;
  bool vae = false;
  /// Nats per row: ln p(x) of the prior itself, or the importance-weighted bound of the autoencoder with hard
  /// bits; nothing where log Z is not known to half a nat.
  std::optional<double> held_out, held_out_error;
  LogPartition partition;
  nlohmann::json diagnostics;
  int active_latents = 0;
};

/// Trains the prior on the rows of `data` (M, n), float32: directly where rows can be latents (a continuous
/// prior, or a prior of bits on zeros and ones), else, and with `vae`, as the prior of a small autoencoder.
/// `record` gets one object every hundred steps. Throws Error for values that are not finite, columns that do
/// not vary, fewer than 20 rows, or training that diverges.
VectorFit fit_vectors(const torch::Tensor& data, const VectorFitOptions& options,
                      const std::function<void(const nlohmann::json&)>& record = {});

}  // namespace cryoscape::latent
