#include "cryoscape/density/displacement_field.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace cryoscape::density {
namespace {

constexpr double kReach = 3;       ///< τ
constexpr std::size_t kWide = 32;  ///< components at a time

/// One node's field, C components wide.
template <int C>
void mean_of(const auto* entries, std::size_t count, const float* displacements, std::size_t stride,
             float* out) {
  float sum[C] = {};
  for (std::size_t e = 0; e < count; ++e) {
    const float* d = displacements + entries[e].bead * stride;
    for (int c = 0; c < C; ++c) sum[c] += entries[e].weight * d[c];
  }
  for (int c = 0; c < C; ++c) out[c] = sum[c];
}

double determinant(const std::array<std::array<double, 3>, 3>& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
         m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

}  // namespace

DisplacementField::DisplacementField(int box, double pixel_size, std::span<const float> beads, double width)
    : step_(std::max(1, static_cast<int>(2 * width / (3 * pixel_size)))),
      side_((box - 1 + step_ - 1) / step_ + 1),
      spacing_(step_ * pixel_size) {
  const double reach = kReach * width, centre = 0.5 * box * pixel_size;
  std::vector<std::vector<Entry>> by_node(nodes());
  for (std::uint32_t b = 0; b < beads.size() / 3; ++b) {
    double at[3];
    int first[3], last[3];
    for (int c = 0; c < 3; ++c) {
      at[c] = beads[3 * b + c] + centre;
      first[c] = std::max(0, static_cast<int>(std::ceil((at[c] - reach) / spacing_)));
      last[c] = std::min(side_ - 1, static_cast<int>(std::floor((at[c] + reach) / spacing_)));
    }
    for (int z = first[2]; z <= last[2]; ++z)
      for (int y = first[1]; y <= last[1]; ++y)
        for (int x = first[0]; x <= last[0]; ++x) {
          const double dx = x * spacing_ - at[0], dy = y * spacing_ - at[1], dz = z * spacing_ - at[2];
          const double square = dx * dx + dy * dy + dz * dz;
          if (square > reach * reach) continue;
          by_node[(static_cast<std::size_t>(z) * side_ + y) * side_ + x].push_back(
              {b, static_cast<float>(std::exp(-0.5 * square / (width * width)))});
        }
  }
  begin_.push_back(0);
  for (std::uint32_t n = 0; n < by_node.size(); ++n) {
    if (by_node[n].empty()) continue;
    double sum = std::exp(-0.5 * kReach * kReach), most = 0;
    for (const auto& e : by_node[n]) sum += e.weight, most = std::max<double>(most, e.weight);
    inside_.push_back(most > std::exp(-0.5));
    for (auto e : by_node[n]) {
      e.weight /= static_cast<float>(sum);
      entries_.push_back(e);
    }
    filled_.push_back(n);
    begin_.push_back(entries_.size());
  }
}

void DisplacementField::spread(std::span<const float> displacements, int components,
                               std::span<float> nodes) const {
  const auto stride = static_cast<std::size_t>(components);
  std::fill(nodes.begin(), nodes.end(), 0.0f);
  for (std::size_t i = 0; i < filled_.size(); ++i) {
    const Entry* entries = entries_.data() + begin_[i];
    const std::size_t count = begin_[i + 1] - begin_[i];
    float* out = nodes.data() + stride * filled_[i];
    if (components == 3)
      mean_of<3>(entries, count, displacements.data(), stride, out);
    else
      for (std::size_t c = 0; c < stride; c += kWide)
        mean_of<static_cast<int>(kWide)>(entries, count, displacements.data() + c, stride, out + c);
  }
}

double DisplacementField::folded(std::span<const float> displacements) const {
  std::vector<float> u(3 * nodes());
  spread(displacements, 3, u);
  const std::size_t strides[3] = {1, static_cast<std::size_t>(side_),
                                  static_cast<std::size_t>(side_) * side_};
  std::size_t inner = 0, folds = 0;
  for (std::size_t i = 0; i < filled_.size(); ++i) {
    const auto n = filled_[i];
    if (!inside_[i]) continue;
    const int at[3] = {static_cast<int>(n % side_), static_cast<int>(n / strides[1] % side_),
                       static_cast<int>(n / strides[2])};
    if (std::any_of(at, at + 3, [&](int i) { return i == 0 || i == side_ - 1; })) continue;
    std::array<std::array<double, 3>, 3> gradient{};
    for (int d = 0; d < 3; ++d)
      for (int c = 0; c < 3; ++c)
        gradient[c][d] =
            (c == d) + (double{u[3 * (n + strides[d]) + c]} - u[3 * (n - strides[d]) + c]) / (2 * spacing_);
    ++inner;
    folds += determinant(gradient) <= 0;
  }
  return inner ? static_cast<double>(folds) / static_cast<double>(inner) : 0;
}

}  // namespace cryoscape::density
