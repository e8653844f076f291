#pragma once
#include <cstdint>

#include "cryoscape/particles/loader.hpp"

namespace cryoscape::training {

/// Bytes that a training cannot do without; it takes more than that.
struct MemoryNeed {
  double networks = 0;  ///< weights, their gradients and the optimiser's two moments
  double batches = 0;   ///< what the loader prepares ahead
  double particles = 0;
  double total() const { return networks + batches + particles; }
};

MemoryNeed memory_need(std::int64_t parameters, const particles::LoaderOptions& loader,
                       std::size_t particles);

/// Throws Error, naming --batch and --box, if not even this much memory is allowed to this process.
void check_memory(const MemoryNeed& need, const particles::LoaderOptions& loader);

}  // namespace cryoscape::training
