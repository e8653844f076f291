#include "cryoscape/report/sample_quality.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "cryoscape/util/parallel.hpp"

namespace cryoscape::report {
namespace {

double mean_square_deviation(std::span<const float> structures, std::size_t size) {
  const auto count = structures.size() / size;
  double sum = 0;
  for (std::size_t k = 0; k < size; ++k) {
    double mean = 0, square = 0;
    for (std::size_t m = 0; m < count; ++m) {
      const double v = structures[m * size + k];
      mean += v, square += v * v;
    }
    mean /= static_cast<double>(count);
    sum += square / static_cast<double>(count) - mean * mean;
  }
  return 3 * sum / static_cast<double>(size);
}

}  // namespace

SampleQuality sample_quality(std::span<const float> structures,
                             const structure::RestraintTopology& topology) {
  const auto size = 3 * topology.beads, count = structures.size() / size;
  if (count == 0) return {};
  std::atomic<std::size_t> intact = 0;
  parallel_ranges(count, [&](std::size_t begin, std::size_t end) {
    for (auto m = begin; m < end; ++m) {
      const auto found = structure::count_violations(topology, structures.subspan(m * size, size));
      intact += found.broken_bonds == 0 && found.clashes == 0;
    }
  });
  return {static_cast<double>(intact) / static_cast<double>(count),
          std::sqrt(std::max(0.0, mean_square_deviation(structures, size)))};
}

}  // namespace cryoscape::report
