#include "cryoscape/landscape/conformation_path.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/landscape/local_structures.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

constexpr std::size_t kFewestNodes = 3;
constexpr double kReach = 0.15;       ///< beyond the structures, in shares of their range
constexpr double kTolerance = 0.01;   ///< of ξ, in spacings
constexpr double kShareBeyond = 0.1;  ///< of the structures, that a line beyond the last one is drawn through
constexpr double kFlat = 1e-6;        ///< windows narrower than this share of the bandwidth have no slope
constexpr int kRootSteps = 40;

/// Structures in order of ξ.
class Regression {
 public:
  Regression(const std::vector<double>& values, std::span<const float> structures, std::size_t length)
      : structures_(structures, length), order_(values.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](auto a, auto b) { return values[a] < values[b]; });
    for (const auto i : order_) sorted_.push_back(values[i]);
  }

  const std::vector<double>& sorted() const { return sorted_; }
  std::vector<float> shape(double t) const { return structures_.shape(weights(t)); }
  std::vector<float> structure(double t) const { return structures_.structure(weights(t)); }

 private:
  /// Beyond the structures a few of them would carry their noise far: the line is drawn through more.
  std::size_t wanted_neighbours(double t) const {
    const double beyond = std::max({sorted_.front() - t, t - sorted_.back(), 0.0}),
                 share = std::min(1.0, beyond / (kReach / 3 * (sorted_.back() - sorted_.front())));
    const auto few = structures_.neighbours();
    const auto most = static_cast<double>(
        std::max(few, static_cast<std::size_t>(kShareBeyond * static_cast<double>(sorted_.size()))));
    return few + static_cast<std::size_t>(share * (most - static_cast<double>(few)));
  }

  std::vector<StructureWeight> weights(double t) const {
    // The nearest are neighbours in order of ξ; one beyond them is where their weight ends.
    const std::size_t count = sorted_.size();
    const auto at =
        static_cast<std::size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), t) - sorted_.begin());
    std::size_t begin = at, end = at;
    double width = 0;
    const auto wanted = wanted_neighbours(t);
    while (end - begin < wanted) {
      const bool left = begin > 0 && (end == count || t - sorted_[begin - 1] <= sorted_[end] - t);
      width = left ? t - sorted_[--begin] : sorted_[end++] - t;
    }
    width = std::max(std::abs(width), kFlat * (sorted_.back() - sorted_.front()));
    std::vector<StructureWeight> window;
    double s0 = 0, s1 = 0, s2 = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double u = (sorted_[i] - t) / width, w = tricube(u);
      window.push_back({order_[i], w});
      s0 += w, s1 += w * u, s2 += w * u * u;
    }
    const double determinant = s0 * s2 - s1 * s1;
    const bool flat = determinant < kFlat * s0 * s0;
    for (std::size_t i = begin; i < end; ++i) {
      const double u = (sorted_[i] - t) / width;
      window[i - begin].weight *= flat ? 1 / s0 : (s2 - s1 * u) / determinant;
    }
    return window;
  }

  LocalStructures structures_;
  std::vector<std::size_t> order_;
  std::vector<double> sorted_;
};

/// A t in [low, high] where excess(t) is 0 to `tolerance`, by bisection and false position (Illinois);
/// nothing where the ends do not bracket one.
template <class Function>
std::optional<double> root(const Function& excess, double low, double high, double tolerance) {
  double at_low = excess(low), at_high = excess(high);
  if (std::abs(at_low) <= tolerance) return low;
  if (std::abs(at_high) <= tolerance) return high;
  if (at_low > 0 || at_high < 0) return std::nullopt;
  double t = low;
  for (int i = 0; i < kRootSteps; ++i) {
    // Every third step halves, so that flat stretches and jumps do not stall it.
    t = i % 3 == 2 ? (low + high) / 2 : (low * at_high - high * at_low) / (at_high - at_low);
    const double value = excess(t);
    if (std::abs(value) <= tolerance) break;
    if (value < 0) {
      low = t, at_low = value, at_high /= 2;
    } else {
      high = t, at_high = value, at_low /= 2;
    }
  }
  return t;
}

/// dx/dξ by differences of second order of evenly spaced rows (K, 3N), K ≥ 3.
std::vector<float> differences(const std::vector<float>& rows, std::size_t length, double spacing) {
  const std::size_t count = rows.size() / length;
  std::vector<float> out(rows.size());
  const auto combine = [&](std::size_t row, std::array<std::size_t, 3> of, std::array<double, 3> factor) {
    for (std::size_t i = 0; i < length; ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) sum += factor[k] * rows[of[k] * length + i];
      out[row * length + i] = static_cast<float>(sum / (2 * spacing));
    }
  };
  combine(0, {0, 1, 2}, {-3, 4, -1});
  for (std::size_t k = 1; k + 1 < count; ++k) combine(k, {k - 1, k, k + 1}, {-1, 0, 1});
  combine(count - 1, {count - 3, count - 2, count - 1}, {1, -4, 3});
  return out;
}

}  // namespace

ConformationPath conformations_along(const CollectiveVariable& variable, std::span<const float> structures,
                                     std::size_t length, std::size_t nodes) {
  const auto values = evaluate(variable, structures, length);
  const auto ends = range_of_nodes(variable, values, kReach);
  const Regression regression(values, structures, length);
  const auto& sorted = regression.sorted();
  const double range = sorted.back() - sorted.front();
  const double first = ends.first, spacing = (ends.second - first) / static_cast<double>(nodes - 1);

  std::vector<std::optional<std::vector<float>>> found(nodes);
  parallel_for(nodes, [&](std::size_t k) {
    const double target = first + spacing * static_cast<double>(k);
    const auto excess = [&](double t) { return variable.value(regression.shape(t)) - target; };
    if (const auto t = root(excess, sorted.front() - kReach * range, sorted.back() + kReach * range,
                            kTolerance * spacing))
      found[k] = regression.structure(*t);
  });
  ConformationPath path;
  for (std::size_t k = 0; k < nodes; ++k) {
    if (!found[k]) continue;
    path.values.push_back(first + spacing * static_cast<double>(k));
    path.structures.insert(path.structures.end(), found[k]->begin(), found[k]->end());
  }
  if (path.size() < kFewestNodes)
    fail("'{}' varies too little among the structures: {} of {} values are reached", variable.text,
         path.size(), nodes);
  path.tangents = differences(path.structures, length, spacing);
  return path;
}

ConformationPath models_along(const structure::SmoothPath& path, std::span<const float> reference,
                              std::size_t nodes) {
  const auto nearest = path.at(path.nearest(reference).s);
  const auto placement = geometry::superpose(nearest, reference);
  ConformationPath out;
  for (std::size_t k = 0; k < nodes; ++k) {
    const double s = static_cast<double>(k) / static_cast<double>(nodes - 1);
    const auto x = path.at(s), t = path.tangent(s);
    std::vector<float> ahead(x.size());
    std::transform(x.begin(), x.end(), t.begin(), ahead.begin(), std::plus<>());
    const auto here = geometry::transformed(placement, x), there = geometry::transformed(placement, ahead);
    out.values.push_back(s);
    out.structures.insert(out.structures.end(), here.begin(), here.end());
    std::transform(there.begin(), there.end(), here.begin(), std::back_inserter(out.tangents),
                   std::minus<>());
  }
  return out;
}

}  // namespace cryoscape::landscape
