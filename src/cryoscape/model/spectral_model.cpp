#include "cryoscape/model/spectral_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::model {
namespace {

/// Weighted sum of a quantity over neighbouring shells: the gain is smooth, single shells are noisy.
template <class Get>
double over_neighbours(const SpectralSums* sums, int shell, int last, Get get) {
  static constexpr double kWeights[] = {0.1, 0.2, 0.4, 0.2, 0.1};
  double total = 0;
  for (int k = -2; k <= 2; ++k) total += kWeights[k + 2] * get(sums[std::clamp(shell + k, 1, last)]);
  return total;
}

}  // namespace

SpectralSums& SpectralSums::operator+=(const SpectralSums& other) {
  data_power += other.data_power;
  cross += other.cross;
  prediction_power += other.prediction_power;
  count += other.count;
  return *this;
}

SpectralModel::SpectralModel(int box, int max_shell, int groups)
    : box_(box),
      max_shell_(std::min(max_shell, box / 2)),
      groups_(groups),
      gain_(static_cast<std::size_t>(groups) * shells(), 1.0f),
      power_(static_cast<std::size_t>(groups) * shells(), static_cast<float>(box) * box),
      log_normaliser_(groups),
      shell_counts_(shells()),
      sums_(static_cast<std::size_t>(groups) * shells()) {
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx <= box / 2; ++kx) {
      const int ky = row < box / 2 ? row : row - box;
      const int shell = optics::shell_index(kx, ky);
      if (shell >= 1 && shell <= max_shell_) shell_counts_[shell] += kx == 0 || kx == box / 2 ? 1 : 2;
    }
  for (double count : shell_counts_) degrees_of_freedom_ += count;
  update_normalisers();
}

void SpectralModel::update(std::span<const SpectralSums> sums, double images, double memory) {
  if (sums.size() != sums_.size()) throw std::logic_error("SpectralModel::update: wrong number of sums");
  const double keep = remembered_images_ > memory ? memory / remembered_images_ : 1.0;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    auto& s = sums_[i];
    s.data_power *= keep, s.cross *= keep, s.prediction_power *= keep, s.count *= keep;
    s += sums[i];
  }
  remembered_images_ = remembered_images_ * keep + images;
  estimate();
}

void SpectralModel::forget() {
  std::fill(sums_.begin(), sums_.end(), SpectralSums{});
  remembered_images_ = 0;
}

void SpectralModel::estimate() {
  for (int group = 0; group < groups_; ++group) {
    estimate_gain(group);
    estimate_power(group);
  }
  update_normalisers();
}

void SpectralModel::estimate_gain(int group) {
  const auto* sums = sums_.data() + static_cast<std::size_t>(group) * shells();
  float* gain = gain_.data() + static_cast<std::size_t>(group) * shells();
  for (int s = 1; s <= max_shell_; ++s) {
    const double cross = over_neighbours(sums, s, max_shell_, [](const auto& t) { return t.cross; });
    const double power =
        over_neighbours(sums, s, max_shell_, [](const auto& t) { return t.prediction_power; });
    if (power > 0) gain[s] = static_cast<float>(std::max(0.0, cross / power));
  }
}

void SpectralModel::estimate_power(int group) {
  const auto* sums = sums_.data() + static_cast<std::size_t>(group) * shells();
  const float* gain = gain_.data() + static_cast<std::size_t>(group) * shells();
  float* power = power_.data() + static_cast<std::size_t>(group) * shells();
  for (int s = 1; s <= max_shell_; ++s) {
    const auto& t = sums[s];
    if (t.count <= 0) continue;
    const double residual = t.data_power - 2 * gain[s] * t.cross + gain[s] * gain[s] * t.prediction_power;
    // A floor of 1e-4 of the data keeps noise-free test data finite.
    power[s] = static_cast<float>(std::max(residual, 1e-4 * t.data_power + 1e-12) / t.count);
  }
}

void SpectralModel::update_normalisers() {
  for (int group = 0; group < groups_; ++group) {
    double sum = 0;
    for (int s = 1; s <= max_shell_; ++s)
      sum += shell_counts_[s] * std::log(2 * std::numbers::pi * power(group)[s]);
    log_normaliser_[group] = -0.5 * sum;
  }
}

std::vector<double> SpectralModel::state() const {
  std::vector<double> flat{double(box_), double(max_shell_), double(groups_), remembered_images_};
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const auto& s = sums_[i];
    flat.insert(flat.end(), {gain_[i], power_[i], s.data_power, s.cross, s.prediction_power, s.count});
  }
  return flat;
}

void SpectralModel::set_state(std::span<const double> flat) {
  if (flat.size() != 4 + 6 * sums_.size() || flat[0] != box_ || flat[1] != max_shell_ || flat[2] != groups_)
    fail("the saved noise spectra are not those of {} optics groups in a box of {} pixels up to shell {}",
         groups_, box_, max_shell_);
  remembered_images_ = flat[3];
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const double* v = flat.data() + 4 + 6 * i;
    gain_[i] = static_cast<float>(v[0]);
    power_[i] = static_cast<float>(v[1]);
    sums_[i] = {v[2], v[3], v[4], v[5]};
  }
  update_normalisers();
}

}  // namespace cryoscape::model
