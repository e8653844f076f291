#include "cryoscape/landscape/local_structures.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/landscape/structure_space.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kFewestStructures = 20;
constexpr double kFirstPercentile = 0.005, kLastPercentile = 0.995;
constexpr std::size_t kFewestNeighbours = 20, kMostNeighbours = 200, kShareOfNeighbours = 50;

}  // namespace

LocalStructures::LocalStructures(std::span<const float> structures, std::size_t length)
    : placed_(structures), length_(length), shapes_(structures.begin(), structures.end()) {
  superpose_all(shapes_, mean_structure(structures, length));
}

std::size_t LocalStructures::neighbours() const {
  const std::size_t count = placed_.size() / length_;
  return std::min(count, std::clamp(count / kShareOfNeighbours, kFewestNeighbours, kMostNeighbours));
}

std::vector<float> LocalStructures::shape(std::span<const StructureWeight> weights) const {
  return average(shapes_, weights);
}

std::vector<float> LocalStructures::structure(std::span<const StructureWeight> weights) const {
  const auto own = shape(weights);
  return geometry::transformed(geometry::superpose(own, average(placed_, weights)), own);
}

std::vector<float> LocalStructures::average(std::span<const float> structures,
                                            std::span<const StructureWeight> weights) const {
  std::vector<double> sum(length_, 0.0);
  for (const auto& w : weights) {
    const auto own = structures.subspan(w.structure * length_, length_);
    for (std::size_t k = 0; k < length_; ++k) sum[k] += w.weight * own[k];
  }
  return {sum.begin(), sum.end()};
}

double tricube(double distance) {
  const double a = std::min(1.0, std::abs(distance));
  return std::pow(1 - a * a * a / 1.1, 3);
}

std::pair<double, double> range_of_nodes(const CollectiveVariable& variable, std::vector<double> values,
                                         double reach) {
  if (values.size() < kFewestStructures)
    fail("'{}': {} particles have latents, but conformations along a variable need at least {}",
         variable.text, values.size(), kFewestStructures);
  std::sort(values.begin(), values.end());
  const auto percentile = [&](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  const double first = percentile(kFirstPercentile), last = percentile(kLastPercentile);
  if (!(variable.unit_interval ? values.back() > values.front() : last > first))
    fail("'{}' has the same value in all structures", variable.text);
  if (variable.unit_interval) return {0, 1};
  return {first - reach * (last - first), last + reach * (last - first)};
}

}  // namespace cryoscape::landscape
