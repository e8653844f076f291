#pragma once
#include <cstdint>
#include <span>

#include "cryoscape/model/image_likelihood.hpp"

namespace cryoscape::model {

/// Structures to expand likelihoods at: each is scored against one particle of a batch, several may be
/// against the same.
struct ExpansionPoints {
  int size = 0;
  int directions = 0;                      ///< d; 0 for the value alone
  const std::int64_t* particle = nullptr;  ///< (size) of the batch; null: the i-th against the i-th
  const float* coordinates = nullptr;      ///< (size, N, 3) Å, centred
  const float* displacements = nullptr;    ///< (size, d, N, 3) ∂x/∂z, Å per unit of z
};

/// What is known of a likelihood around a point; null pointers are skipped.
struct ExpansionOutput {
  float* log_ratio = nullptr;    ///< (size) nats: ln p(x|z) − ln p(x|no particle)
  float* score = nullptr;        ///< (size, d) ∂ log_ratio/∂z, exact
  float* information = nullptr;  ///< (size, d, d)
  float* contrast = nullptr;     ///< (size) posterior mean of α
};

/// Value, score and information of ln p(x|z) by d displacements of the structure, with the contrast
/// integrated out, fused per structure and parallel over them; never with LikelihoodOptions::correlation.
///
/// With whitened tangents t_i = S^−½ ∂m/∂z_i of the prediction m (c = |m|², τ = 1/sd², α̂ = (x·m + τ)v,
/// v = 1/(c + τ)) the score is α̂ x·t_i − (α̂² + v) m·t_i, and the information, averaged over the noise at the
/// image's own contrast,
///   F_ij = α̂² (t_i·t_j − b_i b_j/c) + v (τ + 2cv) b_i b_j/c,   b_i = m·t_i:
/// what changes the prediction's shape counts by the square of the contrast; what changes only its scale, by
/// what is left once the contrast may explain it. Its mean over images is Fisher's information of
/// N(x; m, S + sd² m mᵀ). Positive semidefinite. Results do not depend on the number of threads.
void expand_likelihood(const projection::ProjectionSpec& projection, std::span<const float> amplitudes,
                       const SpectralModel& spectral, const LikelihoodOptions& options,
                       const BatchView& batch, const ExpansionPoints& points, const ExpansionOutput& output);

}  // namespace cryoscape::model
