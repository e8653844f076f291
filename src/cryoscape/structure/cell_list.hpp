#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace cryoscape::structure {

/// Points sorted into cubic cells, for all pairs within a distance in O(N). Buffers are reused between
/// structures.
class CellList {
 public:
  /// Calls visit(i, j, squared distance) once for every pair i < j of points (N, 3) closer than `cutoff`, in
  /// no particular order. Points that are not finite are left out.
  template <class Visit>
  void for_each_pair(std::span<const float> points, float cutoff, Visit&& visit) {
    build(points, cutoff);
    const float limit = cutoff * cutoff;
    const auto sweep = [&](std::int32_t a, std::int32_t begin, std::int32_t end) {
      const auto p = sorted_[a];
      for (auto b = begin; b < end; ++b) {
        const auto& q = sorted_[b];
        const float dx = p.x - q.x, dy = p.y - q.y, dz = p.z - q.z, d2 = dx * dx + dy * dy + dz * dz;
        if (d2 < limit) visit(std::min(p.index, q.index), std::max(p.index, q.index), d2);
      }
    };
    // Each cell meets itself and the half of its neighbours that come later; neighbours along x are
    // contiguous.
    for (int z = 0; z < count_[2]; ++z)
      for (int y = 0; y < count_[1]; ++y)
        for (int x = 0; x < count_[0]; ++x) {
          const auto own = cell(x, y, z);
          if (start_[own] == start_[own + 1]) continue;
          const int left = std::max(0, x - 1), right = std::min(count_[0] - 1, x + 1);
          const auto row = [&](int v, int w) {
            if (v < 0 || v >= count_[1] || w >= count_[2]) return;
            const auto begin = start_[cell(left, v, w)], end = start_[cell(right, v, w) + 1];
            for (auto a = start_[own]; a < start_[own + 1]; ++a) sweep(a, begin, end);
          };
          for (auto a = start_[own]; a < start_[own + 1]; ++a) sweep(a, a + 1, start_[cell(right, y, z) + 1]);
          row(y + 1, z);
          for (int v = y - 1; v <= y + 1; ++v) row(v, z + 1);
        }
  }

 private:
  struct Point {
    float x, y, z;
    std::int32_t index;
  };
  void build(std::span<const float> points, float cutoff);
  void choose_cells(std::span<const float> points, float cutoff);
  std::size_t cell(int x, int y, int z) const {
    return (static_cast<std::size_t>(z) * count_[1] + y) * count_[0] + x;
  }
  int along(float value, int axis) const {
    return std::clamp(static_cast<int>((value - low_[axis]) * inverse_[axis]), 0, count_[axis] - 1);
  }

  float low_[3] = {}, inverse_[3] = {};
  int count_[3] = {};
  std::vector<std::int32_t> start_, cell_of_;
  std::vector<Point> sorted_;
};

}  // namespace cryoscape::structure
