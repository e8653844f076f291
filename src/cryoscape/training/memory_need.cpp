#include "cryoscape/training/memory_need.hpp"

#include <algorithm>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/memory.hpp"

namespace cryoscape::training {
namespace {

double particle_bytes(const particles::LoaderOptions& loader) {
  const int box = loader.grid.box;
  auto floats = 3 * static_cast<double>(optics::half_size(box));  // spectrum and CTF
  if (loader.with_images) floats += static_cast<double>(box) * box;
  if (loader.with_wide_ctf) floats += static_cast<double>(optics::half_size(2 * box));
  return floats * sizeof(float);
}

}  // namespace

MemoryNeed memory_need(std::int64_t parameters, const particles::LoaderOptions& loader,
                       std::size_t particles) {
  const double held =
      std::min(static_cast<double>(particles), static_cast<double>(loader.batch) * (loader.queue + 1));
  return {4 * sizeof(float) * static_cast<double>(parameters), held * particle_bytes(loader),
          static_cast<double>(particles) * sizeof(particles::Particle)};
}

void check_memory(const MemoryNeed& need, const particles::LoaderOptions& loader) {
  const auto limit = memory_limit();
  if (need.total() <= static_cast<double>(limit.bytes)) return;
  fail(
      "training needs more than {} of memory ({} for the networks, {} for batches read ahead), but {} {}: "
      "lower --box (now {}) or --batch (now {})",
      format_bytes(need.total()), format_bytes(need.networks), format_bytes(need.batches), limit.reason,
      format_bytes(static_cast<double>(limit.bytes)), loader.grid.box, loader.batch);
}

}  // namespace cryoscape::training
