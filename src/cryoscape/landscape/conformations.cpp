#include "cryoscape/landscape/conformations.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/training/run_latents.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kBatchFloats = 8 << 20;  ///< 32 MiB of structures at a time
constexpr std::size_t kSmallestBatch = 16, kLargestBatch = 4096;

}  // namespace

Conformations::Conformations(model::HeterogeneityModel& model, io::FloatMatrix latents,
                             const std::string& source)
    : model_(model), latents_(std::move(latents)), length_(model.scene().coordinates.size()) {
  if (latents_.columns != static_cast<std::size_t>(model.latent_dim()))
    fail("{} has {} columns, but the model's latents have {} dimensions", source, latents_.columns,
         model.latent_dim());
  for (std::size_t i = 0; i < latents_.rows; ++i) {
    const auto z = latent(i);
    if (std::all_of(z.begin(), z.end(), [](float v) { return std::isfinite(v); })) usable_.push_back(i);
  }
}

std::span<const float> Conformations::latent(std::size_t particle) const {
  return {latents_.values.data() + particle * latents_.columns, latents_.columns};
}

std::vector<float> Conformations::decode(std::span<const std::size_t> particles) const {
  std::vector<float> z;
  z.reserve(particles.size() * latents_.columns);
  for (const auto p : particles) z.insert(z.end(), latent(p).begin(), latent(p).end());
  return training::decode_latents(model_, z);
}

void Conformations::stream(std::span<const std::size_t> particles, const std::string& label,
                           const std::function<void(std::size_t, std::span<const float>)>& take) const {
  const auto batch = std::clamp(kBatchFloats / length_, kSmallestBatch, kLargestBatch);
  Progress progress(label, particles.size(), "structures");
  for (std::size_t begin = 0; begin < particles.size(); begin += batch) {
    throw_if_interrupted();
    const auto count = std::min(batch, particles.size() - begin);
    take(begin, decode(particles.subspan(begin, count)));
    progress.advance(count);
  }
}

Conformations open_conformations(training::Run& run) {
  const auto name = training::best_latents(run);
  return Conformations(*run.model, training::read_latents(run, name), run.folder.file(name).string());
}

}  // namespace cryoscape::landscape
