#include "cryoscape/density/displacement_field.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace cryoscape::density {
namespace {

constexpr double kReach = 3;  ///< τ

template <int C>
void spread_components(const std::vector<std::uint32_t>& filled, const std::vector<std::size_t>& begin,
                       const auto& entries, const float* displacements, float* nodes) {
  for (std::size_t i = 0; i < filled.size(); ++i) {
    float sum[C] = {};
    for (std::size_t e = begin[i]; e < begin[i + 1]; ++e)
      for (int c = 0; c < C; ++c) sum[c] += entries[e].weight * displacements[C * entries[e].bead + c];
    for (int c = 0; c < C; ++c) nodes[C * filled[i] + c] = sum[c];
  }
}

double determinant(const std::array<std::array<double, 3>, 3>& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
         m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

}  // namespace

DisplacementField::DisplacementField(int box, double pixel_size, std::span<const float> beads, double width)
    : box_(box),
      step_(std::max(1, static_cast<int>(width / (2 * pixel_size)))),
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
    double sum = std::exp(-0.5 * kReach * kReach);
    for (const auto& e : by_node[n]) sum += e.weight;
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
  std::fill(nodes.begin(), nodes.end(), 0.0f);
  if (components == 2)
    spread_components<2>(filled_, begin_, entries_, displacements.data(), nodes.data());
  else
    spread_components<3>(filled_, begin_, entries_, displacements.data(), nodes.data());
}

double DisplacementField::folded(std::span<const float> displacements) const {
  std::vector<float> u(3 * nodes());
  spread(displacements, 3, u);
  const std::size_t strides[3] = {1, static_cast<std::size_t>(side_),
                                  static_cast<std::size_t>(side_) * side_};
  std::size_t inner = 0, folds = 0;
  for (const auto n : filled_) {
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
