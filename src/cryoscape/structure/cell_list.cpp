#include "cryoscape/structure/cell_list.hpp"

namespace cryoscape::structure {

void CellList::build(std::span<const float> points, float cutoff) {
  constexpr int kMostCells = 96;  // per axis: exploded structures get larger cells, not more memory
  const auto n = static_cast<std::int32_t>(points.size() / 3);
  float high[3];
  for (int k = 0; k < 3; ++k) low_[k] = 1e30f, high[k] = -1e30f;
  order_.clear();
  cell_of_.assign(n, -1);
  for (std::int32_t i = 0; i < n; ++i) {
    const float* p = points.data() + 3 * i;
    if (!std::isfinite(p[0]) || !std::isfinite(p[1]) || !std::isfinite(p[2])) continue;
    cell_of_[i] = 0;
    for (int k = 0; k < 3; ++k) low_[k] = std::min(low_[k], p[k]), high[k] = std::max(high[k], p[k]);
  }
  for (int k = 0; k < 3; ++k) {
    const float extent = std::max(high[k] - low_[k], 0.0f);
    count_[k] = std::clamp(static_cast<int>(std::min(extent / cutoff, static_cast<float>(kMostCells))), 1, kMostCells);
    inverse_[k] = extent > 0 ? static_cast<float>(count_[k]) / extent : 0.0f;
  }
  start_.assign(static_cast<std::size_t>(count_[0]) * count_[1] * count_[2] + 1, 0);
  for (std::int32_t i = 0; i < n; ++i) {
    if (cell_of_[i] < 0) continue;
    int cell[3];
    locate(points.data() + 3 * i, cell);
    cell_of_[i] = (cell[2] * count_[1] + cell[1]) * count_[0] + cell[0];
    ++start_[cell_of_[i] + 1];
  }
  for (std::size_t c = 1; c < start_.size(); ++c) start_[c] += start_[c - 1];
  order_.resize(start_.back());
  auto next = start_;
  for (std::int32_t i = 0; i < n; ++i)
    if (cell_of_[i] >= 0) order_[next[cell_of_[i]]++] = i;
}

}  // namespace cryoscape::structure
