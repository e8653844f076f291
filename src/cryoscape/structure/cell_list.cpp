#include "cryoscape/structure/cell_list.hpp"

namespace cryoscape::structure {
namespace {

/// Farther out than any molecule: such coordinates overflow when squared, and count as not finite.
constexpr float kFarthest = 1e15f;
constexpr float kMostCellsPerAxis = 1024;

/// False also for NaN.
bool usable(const float* p) {
  return std::abs(p[0]) < kFarthest && std::abs(p[1]) < kFarthest && std::abs(p[2]) < kFarthest;
}

}  // namespace

void CellList::choose_cells(std::span<const float> points, float cutoff) {
  float high[3];
  std::fill_n(low_, 3, kFarthest);
  std::fill_n(high, 3, -kFarthest);
  for (std::size_t i = 0; i + 2 < points.size(); i += 3) {
    if (!usable(&points[i])) continue;
    for (int k = 0; k < 3; ++k) {
      low_[k] = std::min(low_[k], points[i + k]);
      high[k] = std::max(high[k], points[i + k]);
    }
  }
  for (int k = 0; k < 3; ++k)
    count_[k] = static_cast<int>(std::clamp((high[k] - low_[k]) / cutoff, 1.0f, kMostCellsPerAxis));
  // Structures that have flown apart, or are long and thin, get larger cells rather than more memory.
  const double most = 4.0 * static_cast<double>(points.size()) + 64;
  while (static_cast<double>(count_[0]) * count_[1] * count_[2] > most) {
    int& largest = *std::max_element(count_, count_ + 3);
    largest = (largest + 1) / 2;
  }
  for (int k = 0; k < 3; ++k) {
    const float extent = high[k] - low_[k];
    inverse_[k] = extent > 0 ? static_cast<float>(count_[k]) / extent : 0.0f;
  }
}

void CellList::build(std::span<const float> points, float cutoff) {
  choose_cells(points, cutoff);
  const std::size_t n = points.size() / 3;
  cell_of_.assign(n, -1);
  start_.assign(cell(0, 0, count_[2]) + 2, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const float* p = points.data() + 3 * i;
    if (!usable(p)) continue;
    cell_of_[i] = static_cast<std::int32_t>(cell(along(p[0], 0), along(p[1], 1), along(p[2], 2)));
    ++start_[cell_of_[i] + 2];
  }
  // start_[c + 1] counts up from where cell c begins to where it ends, which is where c + 1 begins.
  for (std::size_t c = 2; c < start_.size(); ++c) start_[c] += start_[c - 1];
  sorted_.resize(start_.back());
  for (std::size_t i = 0; i < n; ++i)
    if (cell_of_[i] >= 0)
      sorted_[start_[cell_of_[i] + 1]++] = {points[3 * i], points[3 * i + 1], points[3 * i + 2],
                                            static_cast<std::int32_t>(i)};
}

}  // namespace cryoscape::structure
