#pragma once
#include <functional>
#include <string>
#include <vector>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/refine.hpp"
#include "cryoscape/particles/batch.hpp"

/// Parts of refine_run.
namespace cryoscape::inference {

/// What a pass over all particles finds: rows of those it leaves out stay NaN.
struct RefinedLatents {
  std::size_t particles, dim;
  std::vector<float> mean;        ///< (particles, d)
  std::vector<float> covariance;  ///< (particles, d, d)

  RefinedLatents(std::size_t particles, std::size_t dim);
  void set(std::size_t particle, const double* mean, const double* covariance);
  /// Beside and renamed; removes what an earlier pass left in likelihood/.
  void write(const training::RunFolder& folder) const;
};

/// What a run keeps of the encoder's posteriors, (particles, d) float32: "latents.npy", the means, or
/// "latent_std.npy", the standard deviations.
torch::Tensor encoder_latents(const training::Run& run, const std::string& name);

/// Calls body(batch) for all usable particles in order. Throws Interrupted between batches.
void for_all_particles(training::Run& run, const std::string& label,
                       const std::function<void(const particles::Batch&)>& body);

/// The passes for real latents and for those with bits; both write all files but refine.json.
nlohmann::ordered_json refine_reals(training::Run& run, const RefineOptions& options);
nlohmann::ordered_json refine_bits(training::Run& run, const RefineOptions& options);

}  // namespace cryoscape::inference
