#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace cryoscape::latent {

/// Bits in a transverse field, H = −Σ b_i z_i − Σ_{i<j} J_ij z_i z_j − Γ Σ σˣ_i, z = (1 + σᶻ)/2, as paths of
/// `slices` classical states in imaginary time (Suzuki 1976): weight exp{(1/P) Σ_k (b·z^k + ½ z^kᵀJz^k) + K
/// Σ_k s^k·s^{k+1}}, s = 2z − 1, K = −½ ln tanh(Γ/P). Every slice of a path is distributed as the diagonal of
/// e^{−H}/Z, up to an error of second order in Γ/P.
struct TransverseMachine {
  std::size_t units = 0, slices = 0;
  const float* biases = nullptr;     ///< (units)
  const float* couplings = nullptr;  ///< (units, units), symmetric with a diagonal of 0
  double field = 0;                  ///< Γ > 0
};

/// Sweeps over all units of paths (n, slices, units) of 0 and 1, in place. A unit's line in imaginary time is
/// cut into clusters (Swendsen, Wang 1987), each then drawn given the other units, so that lines change as
/// wholes. Path k's random numbers are those of stream k of the seed.
void move_paths(const TransverseMachine& machine, std::span<float> paths, int sweeps, std::uint64_t seed);

/// Draws paths (n, slices, units) without biases and couplings, exactly.
void draw_free_paths(const TransverseMachine& machine, std::span<float> paths, std::uint64_t seed);

}  // namespace cryoscape::latent
