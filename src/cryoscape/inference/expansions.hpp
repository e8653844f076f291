#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace cryoscape::inference {

/// Likelihoods of particles around points of latent space, free of any prior (information form): entry m
/// belongs to particle particle[m] and says
///   ln p(x|z) − ln p(x|no particle) ≈ log_ratio + scoreᵀ(z − point) − ½ (z − point)ᵀ F (z − point).
/// A particle has one entry per mode of its posterior that was found; entries are in order of particles.
struct Expansions {
  std::size_t dim = 0;
  std::vector<std::uint32_t> particle;  ///< (M) row in the particle set, ascending
  std::vector<float> point, score;      ///< (M, d)
  std::vector<float> information;       ///< (M, d, d), F: symmetric, often singular
  std::vector<float> log_ratio;         ///< (M) nats
  std::vector<float> mass;  ///< (M) share of the particle's posterior under the prior of that time

  std::size_t size() const { return particle.size(); }
};

/// Writes and reads a run's likelihood/expansion_*.npy. Reading throws Error for missing files and for arrays
/// that do not fit each other.
void write_expansions(const std::filesystem::path& folder, const Expansions& expansions);
Expansions read_expansions(const std::filesystem::path& folder);

/// Likelihoods of particles at single latents, drawn from a proposal q with density: what is kept of
/// posteriors over bits. Entries are in order of particles.
struct ScoredDraws {
  std::size_t dim = 0;
  std::vector<std::uint32_t> particle;  ///< (M) row in the particle set, ascending
  std::vector<float> latent;            ///< (M, d), bits first and hard
  std::vector<float> log_ratio;         ///< (M) ln p(x|z) − ln p(x|no particle)
  std::vector<float> log_proposal;      ///< (M) ln q(z|x)

  std::size_t size() const { return particle.size(); }
};

/// The same for likelihood/draw_*.npy.
void write_scored_draws(const std::filesystem::path& folder, const ScoredDraws& draws);
ScoredDraws read_scored_draws(const std::filesystem::path& folder);

}  // namespace cryoscape::inference
