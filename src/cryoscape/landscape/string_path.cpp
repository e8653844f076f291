#include "cryoscape/landscape/string_path.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

namespace cryoscape::landscape {
namespace {

constexpr int kSaddleSteps = 40;
constexpr double kSaddleForce = 1e-3;  ///< kT per unit of the coordinates
constexpr double kLeastCurvature =
    1e-2;                            ///< what a mode's curvature counts at least, for the length of steps
constexpr double kSafety = 0.5;      ///< of the largest stable step
constexpr double kMostEnergy = 200;  ///< kT, that e^U stays finite

std::vector<double> lengths_along(const Points& positions) {
  std::vector<double> out{0};
  for (Eigen::Index i = 1; i < positions.cols(); ++i)
    out.push_back(out.back() + (positions.col(i) - positions.col(i - 1)).norm());
  return out;
}

/// `count` points evenly spaced in Å on the polygon through points whose lengths along it are given.
Points respaced(const Points& points, const std::vector<double>& lengths, Eigen::Index count) {
  Points out(points.rows(), count);
  std::size_t segment = 0;
  for (Eigen::Index i = 0; i < count; ++i) {
    const double at = lengths.back() * static_cast<double>(i) / static_cast<double>(count - 1);
    while (segment + 2 < lengths.size() && lengths[segment + 1] < at) ++segment;
    const double gap = lengths[segment + 1] - lengths[segment];
    const double t = gap > 0 ? std::clamp((at - lengths[segment]) / gap, 0.0, 1.0) : 0.0;
    const auto a = static_cast<Eigen::Index>(segment);
    out.col(i) = (1 - t) * points.col(a) + t * points.col(a + 1);
  }
  out.col(0) = points.col(0), out.col(count - 1) = points.col(points.cols() - 1);
  return out;
}

/// −G⁻¹∇U of the inner images without its part along the path, and its largest length in Å, which is the
/// force in kT/Å. The metric gets a little more in every direction, for one that does not move anything has
/// none.
struct Push {
  Points velocity;
  double force = 0;
};

Push sideways(const Surface& surface, const Points& images) {
  const auto inner = images.cols() - 2;
  const Points slopes = gradient(surface, images.middleCols(1, inner));
  const auto metric = metrics(surface, images.middleCols(1, inner));
  Push push{Points(images.rows(), inner), 0};
  for (Eigen::Index i = 0; i < inner; ++i) {
    Eigen::MatrixXd g = metric[static_cast<std::size_t>(i)];
    g.diagonal().array() += 1e-6 * (1 + g.trace());
    Eigen::VectorXd v = -g.ldlt().solve(slopes.col(i));
    const Eigen::VectorXd along = images.col(i + 2) - images.col(i);
    const double square = along.dot(g * along);
    if (square > 0) v -= along * (along.dot(g * v) / square);
    push.velocity.col(i) = v;
    push.force = std::max(push.force, std::sqrt(v.dot(g * v)));
  }
  return push;
}

/// The largest stable step by how pushes changed with the images' moves (Barzilai and Borwein 1988): the
/// inverse of the largest curvature that was seen.
double stable_step(const Points& moves, const Points& changes, double last) {
  double step = 2 * last;
  for (Eigen::Index i = 0; i < moves.cols(); ++i) {
    const double curved = -moves.col(i).dot(changes.col(i));
    if (curved > 0) step = std::min(step, kSafety * moves.col(i).squaredNorm() / curved);
  }
  return std::max(step, last / 4);
}

void relax(const Surface& surface, StringPath& path, const StringLimits& limits) {
  auto& images = path.images;
  const auto inner = images.cols() - 2;
  auto push = sideways(surface, images);
  double step = push.force > 0 ? 1e-2 / push.force : 1;
  for (int iteration = 0; iteration < limits.iterations; ++iteration) {
    path.converged = push.force <= limits.force;
    if (path.converged) return;
    Points moved = images;
    const double longest = push.velocity.colwise().norm().maxCoeff();
    const double spacing =
        (images.rightCols(images.cols() - 1) - images.leftCols(images.cols() - 1)).colwise().norm().mean();
    moved.middleCols(1, inner) += std::min(step, spacing / longest) * push.velocity;
    moved = respaced(moved, lengths_along(surface.position(moved)), moved.cols());
    const auto next = sideways(surface, moved);
    step = stable_step((moved - images).middleCols(1, inner), next.velocity - push.velocity, step);
    images = std::move(moved);
    push = next;
  }
}

/// Up the lowest mode and down the others from an image; the same point if that leads away from it by more
/// than `reach` coordinates.
Eigen::VectorXd saddle_near(const Surface& surface, const Eigen::VectorXd& image, double reach) {
  Eigen::VectorXd x = image;
  for (int i = 0; i < kSaddleSteps; ++i) {
    const Eigen::VectorXd slope = gradient(surface, x);
    if (slope.norm() < kSaddleForce) break;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> modes(hessian(surface, x));
    Eigen::VectorXd step = Eigen::VectorXd::Zero(x.size());
    for (Eigen::Index a = 0; a < x.size(); ++a) {
      const auto mode = modes.eigenvectors().col(a);
      const double curvature = std::max(kLeastCurvature, std::abs(modes.eigenvalues()[a]));
      step += mode * ((a == 0 ? 1 : -1) * mode.dot(slope) / curvature);
    }
    const double longest = reach / 4;
    if (step.norm() > longest) step *= longest / step.norm();
    x += step;
    if ((x - image).norm() > reach) return image;
  }
  return x;
}

void climb_to_saddle(const Surface& surface, StringPath& path) {
  path.energies.maxCoeff(&path.highest);
  const auto h = path.highest;
  if (h == 0 || h + 1 == path.images.cols()) return;
  const double reach = (path.images.col(h + 1) - path.images.col(h - 1)).norm();
  path.images.col(h) = saddle_near(surface, path.images.col(h), reach);
  path.energies[h] = surface.energy(path.images.col(h))[0];
  path.energies.maxCoeff(&path.highest);
}

}  // namespace

StringPath string_path(const Surface& surface, const Points& start, const StringLimits& limits) {
  StringPath path;
  const auto count = static_cast<Eigen::Index>(std::max(limits.images, 3));
  path.images = respaced(start, lengths_along(surface.position(start)), count);
  relax(surface, path, limits);
  path.energies = surface.energy(path.images);
  climb_to_saddle(surface, path);
  path.lengths = lengths_along(surface.position(path.images));
  return path;
}

Points start_path(const Basins& basins, std::size_t a, std::size_t b) {
  const auto& graph = basins.graph;
  const auto count = graph.neighbours.size();
  const auto nearest = [&](std::size_t m) {
    Eigen::Index out = 0;
    (graph.positions.colwise() - basins.minima[m].position).colwise().squaredNorm().minCoeff(&out);
    return static_cast<std::uint32_t>(out);
  };
  const auto cost = [&](std::uint32_t i, std::uint32_t j) {
    return (graph.positions.col(i) - graph.positions.col(j)).norm() *
           std::exp(std::min(kMostEnergy, std::max(graph.energies[i], graph.energies[j])));
  };
  const auto from = nearest(a), to = nearest(b);
  std::vector<double> best(count, std::numeric_limits<double>::infinity());
  std::vector<std::uint32_t> before(count, from);
  using Entry = std::pair<double, std::uint32_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  best[from] = 0;
  queue.push({0, from});
  while (!queue.empty()) {
    const auto [distance, i] = queue.top();
    queue.pop();
    if (distance > best[i]) continue;
    if (i == to) break;
    for (const auto j : graph.neighbours[i])
      if (const double further = distance + cost(i, j); further < best[j])
        best[j] = further, before[j] = i, queue.push({further, j});
  }
  std::vector<Eigen::VectorXd> points{basins.minima[b].point};
  if (std::isfinite(best[to]))
    for (auto i = to; i != from; i = before[i]) points.push_back(graph.points.col(i));
  points.push_back(basins.minima[a].point);
  Points out(graph.points.rows(), static_cast<Eigen::Index>(points.size()));
  for (std::size_t i = 0; i < points.size(); ++i)
    out.col(static_cast<Eigen::Index>(points.size() - 1 - i)) = points[i];
  return out;
}

}  // namespace cryoscape::landscape
