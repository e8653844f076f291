#include "cryoscape/training/restraint_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace cryoscape::training {
namespace {

constexpr double kFirm = 0.1;       ///< kT/Å², at the start
constexpr double kMildest = 0.003;  ///< kT/Å², the most that small data sets end with
constexpr double kRelaxedAt = 0.5;  ///< share of training
constexpr double kFirmer = 4;
constexpr double kStandardErrors = 2;

}  // namespace

EdgeRelaxation::EdgeRelaxation(const TrainingOptions& options, std::size_t particles)
    : judged_(!options.edge_weight),
      target_(options.edge_weight.value_or(
          std::min(kMildest, 1.0 / static_cast<double>(std::max<std::size_t>(1, particles))))) {
  start_ = target_ > 0 ? std::max(kFirm, target_) : 0;
  weight_ = start_;
}

void EdgeRelaxation::advance(double fraction_done) {
  if (relaxing_ && weight_ > target_) {
    const double share =
        (std::min(fraction_done, kRelaxedAt) - std::min(last_fraction_, kRelaxedAt)) / kRelaxedAt;
    weight_ = std::max(target_, weight_ * std::pow(target_ / start_, share));
  }
  last_fraction_ = fraction_done;
}

void EdgeRelaxation::judge(std::span<const float> bounds) {
  if (!judged_ || bounds.size() < 2) return;
  if (best_.size() != bounds.size()) {
    best_.assign(bounds.begin(), bounds.end());
    return;
  }
  double sum = 0, square = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double d = bounds[i] - best_[i];
    sum += d, square += d * d;
  }
  const double n = static_cast<double>(bounds.size()), mean = sum / n;
  const double error = std::sqrt(std::max(0.0, square / n - mean * mean) / n);
  if (mean > 0) best_.assign(bounds.begin(), bounds.end());
  if (relaxing_ && mean < -kStandardErrors * error) {
    relaxing_ = false;
    weight_ = std::min(start_, kFirmer * weight_);
  }
}

std::vector<double> EdgeRelaxation::state() const {
  std::vector<double> out{weight_, last_fraction_, relaxing_ ? 1.0 : 0.0};
  out.insert(out.end(), best_.begin(), best_.end());
  return out;
}

void EdgeRelaxation::set_state(std::span<const double> state) {
  if (state.size() < 3) throw std::logic_error("EdgeRelaxation::set_state: wrong size");
  weight_ = state[0], last_fraction_ = state[1], relaxing_ = state[2] != 0;
  best_.assign(state.begin() + 3, state.end());
}

}  // namespace cryoscape::training
