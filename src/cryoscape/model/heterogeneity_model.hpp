#pragma once
#include <memory>
#include <vector>

#include "cryoscape/latent/prior.hpp"
#include "cryoscape/model/device_backprojection.hpp"
#include "cryoscape/model/device_likelihood.hpp"
#include "cryoscape/model/image_likelihood.hpp"
#include "cryoscape/model/networks.hpp"
#include "cryoscape/model/options.hpp"
#include "cryoscape/model/spectral_model.hpp"
#include "cryoscape/particles/batch.hpp"
#include "cryoscape/torch.hpp"

namespace cryoscape::model {

/// What the images and the reference fix: grid, beads and the number of optics groups.
struct Scene {
  int box = 0;
  double pixel_size = 0;  ///< Å, of the training box
  int max_shell = 0;      ///< last shell of the likelihood
  int optics_groups = 1;
  std::vector<float> coordinates;  ///< (N, 3) Å, the centred reference
  std::vector<float> amplitudes;   ///< (N) electrons

  std::size_t beads() const { return amplitudes.size(); }
};

/// How contrast is treated in a score: as the options say, or fixed at 1 (to calibrate the gain from
/// scratch).
enum class Score { training, fixed_contrast };

/// Scores of one batch; every tensor is (B).
struct Scores {
  torch::Tensor log_likelihood;  ///< differentiable in the coordinates
  torch::Tensor contrast, chi_square;
  std::vector<SpectralSums> sums;  ///< filled on request
};

/// Encoder → posterior → latent → decoder → coordinates → projection → CTF → score, with the prior and the
/// spectral model of noise and gain. Networks and prior are submodules, so saving the module saves all of
/// them; the spectral model is saved beside them.
class HeterogeneityModel : public torch::nn::Module {
 public:
  /// Throws UsageError for options that do not go together.
  HeterogeneityModel(const ModelOptions& options, Scene scene, std::uint64_t seed);

  /// Moves networks and prior to a device, with all that encodes and scores there: batches, latents and
  /// coordinates are then to be on it. On a GPU images are scored by tensor operations, on the CPU by its own
  /// kernels, which are faster there; with `tensors` the CPU does as a GPU would.
  void move_to(torch::Device device, bool tensors = false);
  torch::Device device() const { return reference_.device(); }
  /// Whether images are scored by tensor operations.
  bool scores_with_tensors() const { return device_likelihood_ != nullptr; }

  /// q(z | image, pose, CTF) of a batch.
  latent::Posterior encode(const particles::Batch& batch);
  /// Coordinates (B, N, 3) Å, centred, of latents (B, d); bits may be smoothed, in [0, 1].
  torch::Tensor decode(const torch::Tensor& latents);
  /// The same twice, in one pass: gradients by the first reach latents and decoder, gradients by the second
  /// the decoder only.
  std::pair<torch::Tensor, torch::Tensor> decode_split(const torch::Tensor& latents);
  /// Coordinates (B, N, 3) of latents (B, d) and their exact derivatives ∂x/∂z (B, d, N, 3), in Å per unit of
  /// a latent; for bits those by their values in [0, 1]. Without gradients.
  std::pair<torch::Tensor, torch::Tensor> decode_with_jacobian(const torch::Tensor& latents) const;
  /// Scores coordinates (B, N, 3) against the batch's images. `with_sums` also collects the spectral sums.
  Scores score(const torch::Tensor& coordinates, const particles::Batch& batch, bool with_sums,
               Score how = Score::training);

  latent::Prior& prior() { return *prior_; }
  const Scene& scene() const { return scene_; }
  const ModelOptions& options() const { return options_; }
  SpectralModel& spectral() { return spectral_; }
  projection::ProjectionSpec projection() const;
  LikelihoodOptions likelihood_options() const;
  /// Latent dimension: of the vector that posteriors, files and the decoder use.
  std::int64_t latent_dim() const { return latent_dim_; }
  /// Parameters of encoder and decoder, which the main optimiser moves; the prior has its own.
  std::vector<torch::Tensor> network_parameters() const;

 private:
  torch::Tensor encoder_features(const particles::Batch& batch) const;
  torch::Tensor decoder_input(const torch::Tensor& latents) const;
  torch::Tensor lattice_values(const particles::Batch& batch) const;

  ModelOptions options_;
  Scene scene_;
  std::int64_t latent_dim_;
  SpectralModel spectral_;
  FeatureLattice lattice_;
  std::shared_ptr<latent::Prior> prior_;
  Mlp encoder_{nullptr}, decoder_{nullptr};
  std::shared_ptr<latent::BitGroups> groups_;  ///< null: bits independent in the posterior
  torch::Tensor reference_;
  std::unique_ptr<DeviceLikelihood> device_likelihood_;          ///< null: the CPU's kernels
  std::unique_ptr<DeviceBackprojection> device_backprojection_;  ///< null also without a lattice
};

/// The arrays of a batch, with coordinates (B, N, 3), as the kernels take them. The tensors must outlive the
/// view.
BatchView view(const particles::Batch& batch, const torch::Tensor& coordinates);

}  // namespace cryoscape::model
