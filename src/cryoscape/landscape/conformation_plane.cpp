#include "cryoscape/landscape/conformation_plane.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "cryoscape/landscape/local_structures.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::landscape {
namespace {

using Place = Eigen::Vector2d;  ///< values of the two variables, in spacings of the grid from its first point

constexpr std::size_t kFewestNear = 5, kFewestNodes = 9;
constexpr double kReach = 0.1;       ///< beyond the structures, in shares of their range
constexpr double kTolerance = 0.05;  ///< of the variables, in spacings
constexpr double kFarthest = 2;      ///< spacings that a node's regression may be moved
constexpr double kRidge = 1e-6;      ///< of the regression's moments, where structures lie on one line
constexpr int kMoves = 20;

/// Structures by where they stand.
class Regression {
 public:
  Regression(std::vector<Place> places, std::span<const float> structures, std::size_t length)
      : structures_(structures, length), places_(std::move(places)) {}

  std::vector<float> shape(const Place& at) const { return structures_.shape(weights(at)); }
  std::vector<float> structure(const Place& at) const { return structures_.structure(weights(at)); }

  /// Whether enough structures lie within one spacing of a point.
  bool reaches(const Place& at) const {
    std::size_t near = 0;
    for (const auto& p : places_) near += (p - at).cwiseAbs().maxCoeff() <= 1;
    return near >= kFewestNear;
  }

 private:
  /// What a plane fitted to the nearest structures, tricube weights, has at a point.
  std::vector<StructureWeight> weights(const Place& at) const {
    std::vector<std::size_t> order(places_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto distance = [&](std::size_t i) { return (places_[i] - at).norm(); };
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(structures_.neighbours());
    std::nth_element(order.begin(), end - 1, order.end(),
                     [&](auto a, auto b) { return std::pair(distance(a), a) < std::pair(distance(b), b); });
    const double width = std::max(distance(*(end - 1)), kRidge);
    std::vector<StructureWeight> window;
    Eigen::Matrix3d moments = Eigen::Matrix3d::Zero();
    for (auto i = order.begin(); i < end; ++i) {
      const double w = tricube(distance(*i) / width);
      const auto u = line(*i, at, width);
      window.push_back({*i, w});
      moments += w * u * u.transpose();
    }
    moments.diagonal().tail<2>().array() += kRidge * moments(0, 0);
    const Eigen::Vector3d first = moments.ldlt().solve(Eigen::Vector3d::UnitX());
    for (auto& w : window) w.weight *= first.dot(line(w.structure, at, width));
    return window;
  }

  Eigen::Vector3d line(std::size_t structure, const Place& at, double width) const {
    const Place u = (places_[structure] - at) / width;
    return {1, u[0], u[1]};
  }

  LocalStructures structures_;
  std::vector<Place> places_;
};

}  // namespace

ConformationPlane conformations_over(const std::array<CollectiveVariable, 2>& variables,
                                     std::span<const float> structures, std::size_t length,
                                     std::size_t nodes_per_axis) {
  ConformationPlane out;
  std::array<std::vector<double>, 2> values;
  for (std::size_t v = 0; v < 2; ++v) {
    values[v] = evaluate(variables[v], structures, length);
    const auto [first, last] = range_of_nodes(variables[v], values[v], kReach);
    out.grid.axes.push_back({first, last, nodes_per_axis});
  }
  const auto& axes = out.grid.axes;
  std::vector<Place> places;
  for (std::size_t i = 0; i < values[0].size(); ++i)
    places.emplace_back(axes[0].place(values[0][i]), axes[1].place(values[1][i]));
  const Regression regression(std::move(places), structures, length);

  const auto conformation_at = [&](const Place& target) -> std::optional<std::vector<float>> {
    if (!regression.reaches(target)) return std::nullopt;
    Place at = target;
    for (int i = 0; i < kMoves && (at - target).norm() <= kFarthest; ++i) {
      const auto shape = regression.shape(at);
      const Place excess =
          Place(axes[0].place(variables[0].value(shape)), axes[1].place(variables[1].value(shape))) - target;
      if (excess.cwiseAbs().maxCoeff() <= kTolerance) return regression.structure(at);
      at -= excess;
    }
    return std::nullopt;
  };
  std::vector<std::optional<std::vector<float>>> found(out.grid.size());
  parallel_for(found.size(), [&](std::size_t k) {
    found[k] =
        conformation_at({static_cast<double>(k / nodes_per_axis), static_cast<double>(k % nodes_per_axis)});
  });
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (!found[k]) continue;
    out.grid.reached.push_back(k);
    out.structures.insert(out.structures.end(), found[k]->begin(), found[k]->end());
  }
  if (out.grid.reached.size() < kFewestNodes)
    fail("'{};{}': structures reach {} points of a grid of these variables, too few for a free energy",
         variables[0].text, variables[1].text, out.grid.reached.size());
  return out;
}

}  // namespace cryoscape::landscape
