#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "cryoscape/density/neural_density.hpp"
#include "cryoscape/density/neural_field.hpp"
#include "cryoscape/density/neural_sampling.hpp"
#include "cryoscape/density/slice_maker.hpp"
#include "cryoscape/training/adamw.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {

/// Rows of a part of a batch, each part with its own pass through the network: activations that fit a cache.
inline constexpr std::size_t kPartRows = 1024;

/// Calls body(part) for every part, in parallel, each on one thread even if there is only one part: a matrix
/// product that threads share rounds differently.
template <class Body>
void for_parts(std::size_t count, Body&& body) {
  parallel_for(std::max<std::size_t>(count, 2), [&](std::size_t part) {
    if (part < count) body(part);
  });
}

/// Wraps (does not copy) rows of `columns` values.
inline torch::Tensor rows_of(std::span<const float> values, std::size_t columns) {
  return torch::from_blob(
      const_cast<float*>(values.data()),
      {static_cast<std::int64_t>(values.size() / columns), static_cast<std::int64_t>(columns)});
}

/// A NeuralDensity's network, its optimiser and how far both are.
struct NeuralDensity::Learner {
  struct PartGradient {
    double loss = 0;
    std::vector<torch::Tensor> gradients;
  };

  particles::ImageGrid grid;
  NeuralOptions options;
  NeuralField field;
  training::AdamW optimiser;
  std::uint64_t step = 0;         ///< done
  std::vector<double> scale;      ///< by shell; empty before training
  std::vector<float> mean, gain;  ///< of the latents: standardised (z − mean) · gain

  Learner(const particles::ImageGrid& grid, int latent_dim, const NeuralOptions& options);

  /// Measures what the members have in common, and their latents' mean and variance.
  void begin(const NeuralImages& images);
  /// Appends the network's input for latents z, `count` times.
  void append_latents(std::span<const float> z, std::size_t count, std::vector<float>& rows) const {
    for (std::size_t n = 0; n < count; ++n)
      for (std::size_t j = 0; j < mean.size(); ++j) rows.push_back((z[j] - mean[j]) * gain[j]);
  }
  std::span<const float> latents_of(const NeuralImages& images, std::size_t particle) const {
    return std::span(images.latents.values).subspan(particle * mean.size(), mean.size());
  }
  /// Loss (nats) of some particles, of coefficients drawn for this step, and its gradients.
  PartGradient evaluate(const NeuralImages& images, const SliceMaker& maker, const FrequencySampler& sampler,
                        std::span<const std::uint32_t> particles);
  /// One step of the optimiser; the loss per particle.
  double take_step(const NeuralImages& images, const SliceMaker& maker, const FrequencySampler& sampler,
                   std::span<const std::uint32_t> batch, double rate);
};

}  // namespace cryoscape::density
