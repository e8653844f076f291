#include "cryoscape/density/neural_learner.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/density/neural_consensus.hpp"
#include "cryoscape/density/neural_points.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::density {
namespace {

constexpr std::uint64_t kPointStream = (std::uint64_t{1} << 63) - 1;  ///< beyond every step and particle

/// What an output of 1 stands for, by shell: the geometric mean of the shell's amplitude and the largest.
/// With the amplitude itself the loss is as much flatter in high shells as their signal is weaker, and they
/// are learned last; with one amplitude for all, the network has to bring forth a range of a thousand.
std::vector<double> balanced(std::vector<double> amplitudes) {
  const double most = *std::max_element(amplitudes.begin(), amplitudes.end());
  for (double& a : amplitudes) a = std::sqrt(a * most);
  return amplitudes;
}

}  // namespace

NeuralDensity::Learner::Learner(const particles::ImageGrid& grid_, int latent_dim,
                                const NeuralOptions& options_)
    : grid(grid_),
      options(options_),
      field(FieldShape{latent_dim, options_.features, options_.hidden, options_.layers}, options_.seed),
      optimiser(field->parameters(), {}),
      mean(latent_dim, 0.0f),
      gain(latent_dim, 1.0f) {}

void NeuralDensity::Learner::begin(const NeuralImages& images) {
  auto consensus = measure_consensus(images.set, images.reader, grid, images.noise_power, images.members);
  scale = balanced(std::move(consensus.amplitudes));
  Philox random(options.seed, kPointStream);
  const double radius = 0.5 * grid.diameter / grid.pixel_size;
  const auto points = draw_points(grid.box, consensus.map, radius, options.features, random);
  field->set_points(rows_of(points, 3) / grid.box);
  const auto count = static_cast<double>(images.members.size());
  for (std::size_t j = 0; j < mean.size(); ++j) {
    double sum = 0, squares = 0;
    for (const auto i : images.members) sum += latents_of(images, i)[j];
    for (const auto i : images.members) squares += std::pow(latents_of(images, i)[j] - sum / count, 2);
    mean[j] = static_cast<float>(sum / count);
    gain[j] = squares > 0 ? static_cast<float>(1 / std::sqrt(squares / count)) : 1.0f;
  }
}

NeuralDensity::Learner::PartGradient NeuralDensity::Learner::evaluate(
    const NeuralImages& images, const SliceMaker& maker, const FrequencySampler& sampler,
    std::span<const std::uint32_t> particles) {
  auto mine = maker;
  Slice slice;
  FrequencyBatch batch;
  std::vector<float> z;
  for (const auto i : particles) {
    if (!mine.make(images.reader, i, slice)) continue;
    Philox random(options.seed, (step << 32) + i);
    const std::size_t before = batch.size();
    sampler.draw(slice, options.frequencies, random, batch);
    append_latents(latents_of(images, i), batch.size() - before, z);
  }
  if (batch.size() == 0) return {};
  const auto loss =
      field_loss(field->forward(rows_of(batch.k, 3), rows_of(z, mean.size())), rows_of(batch.samples, 3));
  return {loss.item<double>(), torch::autograd::grad({loss}, field->parameters())};
}

double NeuralDensity::Learner::take_step(const NeuralImages& images, const SliceMaker& maker,
                                         const FrequencySampler& sampler,
                                         std::span<const std::uint32_t> batch, double rate) {
  const std::size_t size = std::max<std::size_t>(1, kPartRows / options.frequencies),
                    count = (batch.size() + size - 1) / size;
  std::vector<PartGradient> parts(count);
  for_parts(count, [&](std::size_t p) {
    const std::size_t first = p * size;
    parts[p] = evaluate(images, maker, sampler, batch.subspan(first, std::min(size, batch.size() - first)));
  });
  auto parameters = field->parameters();
  double loss = 0;
  for (const auto& part : parts) {
    loss += part.loss;
    for (std::size_t i = 0; i < part.gradients.size(); ++i) {
      auto& gradient = parameters[i].mutable_grad();
      gradient = gradient.defined() ? gradient.add_(part.gradients[i]) : part.gradients[i];
    }
  }
  const auto particles = static_cast<double>(batch.size());
  if (!std::isfinite(loss)) fail("the density's network diverged at step {}: lower the learning rate", step);
  optimiser.step(rate, 1 / particles);
  ++step;
  return loss / particles;
}

}  // namespace cryoscape::density
