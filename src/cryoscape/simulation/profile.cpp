#include "cryoscape/simulation/profile.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string_view>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::simulation {
namespace {

constexpr double kRipple = 0.05;  // kT

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first, last - first + 1);
}

bool to_number(std::string_view text, double& value) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} && result.ptr == text.data() + text.size() && std::isfinite(value) &&
         !text.empty();
}

/// ∫ exp(−E) from 0 to `fraction` of an interval of unit length on which E goes linearly from `a` to `b`.
double segment_mass(double a, double b, double fraction) {
  const double slope = b - a;
  if (std::abs(slope) < 1e-9) return std::exp(-a) * fraction;
  return std::exp(-a) * -std::expm1(-slope * fraction) / slope;
}

/// The fraction of that interval below which a share `u` of its mass lies.
double segment_quantile(double a, double b, double u) {
  const double slope = b - a;
  if (std::abs(slope) < 1e-9) return u;
  return std::clamp(-std::log1p(u * std::expm1(-slope)) / slope, 0.0, 1.0);
}

}  // namespace

std::vector<Population> parse_populations(const std::string& text) {
  std::vector<Population> out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto colon = part.find(':');
    Population p;
    if (colon == std::string::npos || !to_number(std::string_view(part).substr(0, colon), p.model) ||
        !to_number(std::string_view(part).substr(colon + 1), p.weight))
      fail("--populations: '{}' is not model:weight (for example 10:0.65,50:0.05,85:0.30)", part);
    out.push_back(p);
  }
  if (out.empty())
    fail("--populations is empty: give model:weight pairs (for example 10:0.65,50:0.05,85:0.30)");
  return out;
}

PopulationDistribution::PopulationDistribution(std::vector<Population> populations, double spread, int models)
    : populations_(std::move(populations)), spread_(spread), models_(models) {
  double total = 0;
  for (const auto& p : populations_) {
    if (!(p.model >= 1 && p.model <= models))
      fail("--populations: model {} does not exist: the models are numbered 1 to {}", p.model, models);
    if (!(p.weight >= 0)) fail("--populations: the weight {} of model {} is negative", p.weight, p.model);
    total += p.weight;
  }
  if (!(total > 0)) fail("--populations: all weights are zero");
  for (auto& p : populations_) p.weight /= total;
}

Placement PopulationDistribution::draw(Philox& random) const {
  double u = random.uniform();
  std::size_t k = 0;
  while (k + 1 < populations_.size() && u >= populations_[k].weight) u -= populations_[k++].weight;
  while (populations_[k].weight == 0) --k;  // rounding may carry u past the last state with a weight
  Placement placement{populations_[k].model, static_cast<int>(k) + 1};
  if (spread_ > 0) do
      placement.model = populations_[k].model + spread_ * random.normal();
    while (placement.model < 1 || placement.model > models_);
  return placement;
}

EnergyProfile read_profile(const std::filesystem::path& path) {
  std::istringstream lines(read_text_file(path));
  EnergyProfile out;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto text = trimmed(line);
    if (text.empty() || text.front() == '#') continue;
    const auto comma = text.find(',');
    double position = 0, energy = 0;
    const bool numbers = comma != std::string_view::npos && to_number(text.substr(0, comma), position) &&
                         to_number(text.substr(comma + 1, text.find(',', comma + 1) - comma - 1), energy);
    if (!numbers) {
      if (out.position.empty() && comma != std::string_view::npos &&
          !to_number(text.substr(0, comma), position))
        continue;  // heading
      fail("{}, line {}: '{}' is not 'position,energy'", path.string(), number, text);
    }
    if (position < 0 || position > 1)
      fail("{}, line {}: the position {} is not between 0 and 1", path.string(), number, position);
    if (!out.position.empty() && position <= out.position.back())
      fail("{}, line {}: positions must increase ({} follows {})", path.string(), number, position,
           out.position.back());
    out.position.push_back(position);
    out.energy.push_back(energy);
  }
  if (out.position.size() < 2)
    fail("{}: an energy profile needs at least two lines of 'position,energy'", path.string());
  return out;
}

ProfileDistribution::ProfileDistribution(const EnergyProfile& profile, int models)
    : profile_(profile), models_(models) {
  if (models < 2) fail("--profile needs at least two models to lie along, but there is {}", models);
  auto& e = profile_.energy;
  const auto& x = profile_.position;
  const double lowest = *std::min_element(e.begin(), e.end());
  for (auto& v : e) v -= lowest;
  mass_.assign(x.size(), 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i)
    mass_[i + 1] = mass_[i] + (x[i + 1] - x[i]) * segment_mass(e[i], e[i + 1], 1);
  for (auto& m : mass_) m /= mass_.back();

  // Minima and maxima in turn; one counts when the profile has moved away from it by more than a ripple.
  bool rising = false;
  std::size_t extreme = 0;
  for (std::size_t i = 1; i < e.size(); ++i) {
    if (rising ? e[i] > e[extreme] : e[i] < e[extreme]) extreme = i;
    if (std::abs(e[i] - e[extreme]) <= kRipple) continue;
    if (rising) barriers_.push_back(x[extreme]);
    rising = !rising;
    extreme = i;
  }
}

Placement ProfileDistribution::draw(Philox& random) const {
  const double u = random.uniform();
  const auto above = std::upper_bound(mass_.begin() + 1, mass_.end() - 1, u);
  const auto i = static_cast<std::size_t>(above - mass_.begin()) - 1;
  const double share = std::clamp((u - mass_[i]) / (mass_[i + 1] - mass_[i]), 0.0, 1.0);
  const auto& x = profile_.position;
  const double position =
      x[i] + (x[i + 1] - x[i]) * segment_quantile(profile_.energy[i], profile_.energy[i + 1], share);
  return {1 + position * (models_ - 1), state_at(position)};
}

double ProfileDistribution::mass_below(double position) const {
  const auto& x = profile_.position;
  if (position <= x.front()) return 0;
  if (position >= x.back()) return 1;
  const auto i = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), position) - x.begin()) - 1;
  const auto &a = profile_.energy[i], &b = profile_.energy[i + 1];
  const double share = segment_mass(a, b, (position - x[i]) / (x[i + 1] - x[i])) / segment_mass(a, b, 1);
  return mass_[i] + share * (mass_[i + 1] - mass_[i]);
}

std::vector<double> ProfileDistribution::populations() const {
  std::vector<double> out;
  double below = 0;
  for (const double barrier : barriers_) {
    const double mass = mass_below(barrier);
    out.push_back(mass - below);
    below = mass;
  }
  out.push_back(1 - below);
  return out;
}

int ProfileDistribution::state_at(double position) const {
  return 1 +
         static_cast<int>(std::upper_bound(barriers_.begin(), barriers_.end(), position) - barriers_.begin());
}

}  // namespace cryoscape::simulation
