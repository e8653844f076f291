#include "cryoscape/density/neural_sampling.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/optics/spectrum.hpp"

namespace cryoscape::density {

bool turn_to_half_space(std::span<float, 3> k) {
  const float first = k[0] != 0 ? k[0] : k[1] != 0 ? k[1] : k[2];
  if (first >= 0) return false;
  for (float& c : k) c = -c;
  return true;
}

double at_radius(std::span<const double> by_shell, double radius) {
  const double last = static_cast<double>(by_shell.size() - 1), at = std::clamp(radius, 0.0, last);
  const auto below = static_cast<std::size_t>(at), above = std::min(below + 1, by_shell.size() - 1);
  const double part = at - static_cast<double>(below);
  return (1 - part) * by_shell[below] + part * by_shell[above];
}

FrequencySampler::FrequencySampler(int box, std::span<const double> scale, std::span<const double> noise)
    : box_(box), scale_(scale.begin(), scale.end()) {
  const auto rows = sphere_rows(box, {1, 0, 0, 0, 1, 0});
  double total = 0;
  for (int row = 0; row < box; ++row)
    for (int kx = rows[row].begin; kx < rows[row].end; ++kx) {
      const int ky = optics::row_frequency(row, box);
      const double radius = std::hypot(kx, ky);
      candidates_.push_back({kx, row, ky});
      probability_.push_back(at_radius(scale_, radius) / std::sqrt(at_radius(noise, radius)));
      total += probability_.back();
    }
  double sum = 0;
  for (double& p : probability_) {
    const double uniform = 1.0 / static_cast<double>(candidates_.size());
    p = total > 0 ? 0.5 * (uniform + p / total) : uniform;
    cumulative_.push_back(sum += p);
  }
}

void FrequencySampler::draw(const Slice& slice, std::size_t count, Philox& random,
                            FrequencyBatch& batch) const {
  const double pixels = static_cast<double>(box_) * box_;
  for (std::size_t n = 0; n < count; ++n) {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), random.uniform());
    const auto at = std::min<std::size_t>(found - cumulative_.begin(), candidates_.size() - 1);
    const auto& c = candidates_[at];
    if (c.kx < slice.rows[c.row].begin || c.kx >= slice.rows[c.row].end) continue;
    float k[3];
    for (int i = 0; i < 3; ++i)
      k[i] = static_cast<float>(c.kx) * slice.axes[i] + static_cast<float>(c.ky) * slice.axes[3 + i];
    const float sign = turn_to_half_space(k) ? -1.0f : 1.0f;
    const double scale = at_radius(scale_, std::hypot(k[0], k[1], k[2])),
                 factor = scale / (pixels * probability_[at] * static_cast<double>(count));
    const auto& s = slice.samples[static_cast<std::size_t>(c.row) * (box_ / 2 + 1) + c.kx];
    const auto value = static_cast<float>(factor), weight = static_cast<float>(factor * scale);
    batch.k.insert(batch.k.end(), k, k + 3);
    batch.samples.insert(batch.samples.end(),
                         {value * s.real, value * sign * s.imaginary, weight * s.weight});
  }
}

}  // namespace cryoscape::density
