#include "cryoscape/structure/far_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cryoscape::structure {
namespace {

/// Beads of a cluster. Fewer: more pairs of clusters to test; more: larger boxes, which meet more often.
std::int32_t cluster_size(std::size_t beads) {
  return std::max(32, static_cast<std::int32_t>(0.5 * std::sqrt(static_cast<double>(beads))));
}

}  // namespace

FarPairs::FarPairs(std::span<const float> reference, float near, float clash)
    : reference_(reference.begin(), reference.end()), clash_(clash), beads_(reference.size() / 3) {
  std::iota(beads_.begin(), beads_.end(), 0);
  split(0, static_cast<std::int32_t>(beads_.size()), cluster_size(beads_.size()));
  set_slack(near);
}

/// Halves a range of beads across its longest side until it is a cluster.
void FarPairs::split(std::int32_t begin, std::int32_t end, std::int32_t most) {
  if (end - begin <= most) {
    if (end > begin) start_.push_back(end);
    return;
  }
  float widest = -1;
  int axis = 0;
  for (int k = 0; k < 3; ++k) {
    float low = 1e30f, high = -1e30f;
    for (auto b = begin; b < end; ++b) {
      low = std::min(low, reference_[3 * beads_[b] + k]);
      high = std::max(high, reference_[3 * beads_[b] + k]);
    }
    if (high - low > widest) widest = high - low, axis = k;
  }
  const auto middle = begin + (end - begin) / 2;
  std::nth_element(
      beads_.begin() + begin, beads_.begin() + middle, beads_.begin() + end,
      [&](std::int32_t a, std::int32_t b) { return reference_[3 * a + axis] < reference_[3 * b + axis]; });
  split(begin, middle, most);
  split(middle, end, most);
}

/// Beads at least r apart in the reference stay `clash` apart as long as they move less than r − clash
/// relative to each other.
void FarPairs::set_slack(float near) {
  const std::size_t n = clusters();
  std::vector<float> low(3 * n, 1e30f), high(3 * n, -1e30f);
  for (std::size_t c = 0; c < n; ++c)
    for (auto b = start_[c]; b < start_[c + 1]; ++b)
      for (int k = 0; k < 3; ++k) {
        low[3 * c + k] = std::min(low[3 * c + k], reference_[3 * beads_[b] + k]);
        high[3 * c + k] = std::max(high[3 * c + k], reference_[3 * beads_[b] + k]);
      }
  slack_.assign(n * n, 0);
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a; b < n; ++b) {
      float square = 0;
      for (int k = 0; k < 3; ++k) {
        const float gap =
            std::max({0.0f, low[3 * a + k] - high[3 * b + k], low[3 * b + k] - high[3 * a + k]});
        square += gap * gap;
      }
      slack_[a * n + b] = std::max(0.0f, std::max(near, std::sqrt(square)) - clash_);
    }
}

void FarPairs::push_apart(const PairList& pairs, std::span<const float> radii, float clash_stiffness,
                          const StructureGroup& group, Scratch& scratch) const {
  const std::size_t stride = 12 * static_cast<std::size_t>(restraint_lanes());
  scratch.boxes.resize(stride * clusters());
  for (std::size_t c = 0; c < clusters(); ++c)
    bound_cluster(reference_.data(), beads_.data() + start_[c],
                  static_cast<std::size_t>(start_[c + 1] - start_[c]), group,
                  scratch.boxes.data() + c * stride);
  scratch.meetings.clear();
  find_meetings(scratch.boxes.data(), clusters(), slack_.data(), clash_, scratch.meetings);
  for (const auto& [a, b] : scratch.meetings)
    for (auto i = start_[a]; i < start_[a + 1]; ++i) {
      const auto first = a == b ? i + 1 : start_[b];
      structure::push_apart(beads_[i], beads_.data() + first, static_cast<std::size_t>(start_[b + 1] - first),
                            pairs, radii.data(), clash_, clash_stiffness, group);
    }
}

}  // namespace cryoscape::structure
