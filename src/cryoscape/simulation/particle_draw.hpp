#pragma once
#include <cstdint>
#include <vector>

#include "cryoscape/optics/ctf.hpp"
#include "cryoscape/simulation/imaging.hpp"
#include "cryoscape/simulation/profile.hpp"
#include "cryoscape/simulation/simulator.hpp"

namespace cryoscape::simulation {

enum class Content : std::uint8_t { molecule, wrong_molecule, noise };

/// Everything random about a particle but its noise.
struct ParticleDraw {
  Placement placement;  ///< also drawn for junk, where it means nothing
  Content content = Content::molecule;
  Pose pose;
  optics::CtfParameters ctf;
  int half = 1;
};

/// Streams of random numbers of one seed.
enum class Stream : std::uint64_t { particle = 0, noise = 1, data_set = 2 };
/// Number of the stream that particle `index` uses for one purpose.
inline std::uint64_t stream_of(Stream purpose, std::uint64_t index) {
  return index * 4 + static_cast<std::uint64_t>(purpose);
}

/// Draws particle after particle; each depends on (seed, index) only.
class ParticleSource {
 public:
  ParticleSource(const SimulationOptions& options, const Distribution& distribution);
  ParticleDraw draw(std::uint64_t index) const;

 private:
  void draw_view(Philox& random, Pose& pose) const;

  const SimulationOptions& options_;
  const Distribution& distribution_;
  std::vector<geometry::Vec3> preferred_;  ///< view directions that uneven data sets prefer
};

/// A molecule that is not the one sought: N points drawn uniformly in an ellipsoid of the given radius of
/// gyration, (3N) Å, centred.
std::vector<float> random_globule(std::size_t points, double radius_of_gyration, std::uint64_t seed);

}  // namespace cryoscape::simulation
