#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "cryoscape/structure/restraint_kernel.hpp"

namespace cryoscape::structure {

/// Clashes of beads that are far apart in the reference, found without looking at most of them: beads are
/// gathered into compact clusters, and two clusters are looked into only if the displacements of their beads
/// could bring any of them together and their boxes meet. Exact: no clash is missed.
class FarPairs {
 public:
  /// reference: (N, 3) Å. `near`: no pair closer than that in the reference is asked about.
  FarPairs(std::span<const float> reference, float near, float clash);

  /// Buffers of one thread.
  struct Scratch {
    std::vector<float> boxes;
    std::vector<std::pair<std::int32_t, std::int32_t>> meetings;
  };

  /// Adds the clash term of all pairs that are not in the list to a group's energy and gradient.
  void push_apart(const PairList& pairs, std::span<const float> radii, float clash_stiffness,
                  const StructureGroup& group, Scratch& scratch) const;

 private:
  void split(std::int32_t begin, std::int32_t end, std::int32_t most);
  void set_slack(float near);
  std::size_t clusters() const { return start_.size() - 1; }

  std::vector<float> reference_;
  float clash_;
  std::vector<std::int32_t> beads_;     ///< cluster by cluster
  std::vector<std::int32_t> start_{0};  ///< (clusters + 1)
  std::vector<float> slack_;            ///< (clusters, clusters) Å of relative displacement without a clash
};

}  // namespace cryoscape::structure
