#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cryoscape/landscape/mixture.hpp"
#include "cryoscape/particles/particle_set.hpp"

namespace cryoscape::landscape {

/// Mutual information between two sets of variables, nats, and what the same estimate gives where there is
/// none.
struct MutualInformation {
  double nats = 0;
  double null = 0, null_error = 0;  ///< mean and standard deviation over permutations

  /// Standard deviations above the null.
  double excess() const { return null_error > 0 ? (nats - null) / null_error : 0; }
  bool significant() const;
};

/// I(x; y) of paired points x (a, N) and y (b, N) by their nearest neighbours (first estimator of Kraskov,
/// Stögbauer and Grassberger, Phys. Rev. E 2004, Euclidean within x and within y): no bias at independence,
/// and lower than the truth where the dependence is finer than the spacing of points. Beside it the same for
/// `permutations` of y. Time and memory grow as N². Deterministic for a seed.
MutualInformation mutual_information(const Points& x, const Points& y, int permutations, std::uint64_t seed);

/// What a particle's pose tells of its conformation: of the view's direction, of the angle in the plane, of
/// the shift.
struct PoseInformation {
  struct Part {
    std::string name;  ///< "view", "in-plane" or "shift"
    MutualInformation information;
  };
  std::vector<Part> parts;

  /// The part farthest above its null.
  const Part& strongest() const;
};

/// Between the poses of particles and their points (d, M) in the space of structures, from up to 2,000 of
/// them. Shifts that are all the same are left out. Nothing for fewer than 50 particles
/// and for structures that vary by less than 0.05 Å.
PoseInformation pose_information(const particles::ParticleSet& set, const std::vector<std::size_t>& particles,
                                 const Points& points, std::uint64_t seed);

/// {"nats", "null", "null_error"} of the strongest part, its name, and those of all parts; null where there
/// are none.
nlohmann::json pose_information_json(const PoseInformation& information);

}  // namespace cryoscape::landscape
