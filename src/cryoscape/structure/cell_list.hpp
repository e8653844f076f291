#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::structure {

/// Points sorted into cubic cells, for all pairs within a distance in O(N). Buffers are reused between structures.
class CellList {
 public:
  /// Calls visit(i, j, squared distance) for every pair i < j of points (N, 3) closer than `cutoff`. Points that are not finite are
  /// left out.
  template <class Visit>
  void for_each_pair(std::span<const float> points, float cutoff, Visit&& visit) {
    build(points, cutoff);
    const float limit = cutoff * cutoff;
    for (std::size_t a = 0; a < order_.size(); ++a) {
      const std::int32_t i = order_[a];
      const float* p = points.data() + 3 * i;
      int cell[3];
      locate(p, cell);
      for (int z = std::max(0, cell[2] - 1); z <= std::min(count_[2] - 1, cell[2] + 1); ++z)
        for (int y = std::max(0, cell[1] - 1); y <= std::min(count_[1] - 1, cell[1] + 1); ++y) {
          // Neighbouring cells along x are contiguous.
          const std::size_t row = (static_cast<std::size_t>(z) * count_[1] + y) * count_[0];
          const auto begin = start_[row + std::max(0, cell[0] - 1)], end = start_[row + std::min(count_[0] - 1, cell[0] + 1) + 1];
          for (auto b = begin; b < end; ++b) {
            const std::int32_t j = order_[b];
            if (j <= i) continue;
            const float* q = points.data() + 3 * j;
            const float dx = p[0] - q[0], dy = p[1] - q[1], dz = p[2] - q[2], d2 = dx * dx + dy * dy + dz * dz;
            if (d2 < limit) visit(i, j, d2);
          }
        }
    }
  }

 private:
  void build(std::span<const float> points, float cutoff);
  void locate(const float* p, int* cell) const {
    for (int k = 0; k < 3; ++k) cell[k] = std::clamp(static_cast<int>((p[k] - low_[k]) * inverse_[k]), 0, count_[k] - 1);
  }

  float low_[3] = {}, inverse_[3] = {};
  int count_[3] = {};
  std::vector<std::int32_t> start_, order_, cell_of_;
};

}  // namespace cryoscape::structure
