#include "cryoscape/landscape/surface.hpp"

#include <Eigen/Dense>
#include <algorithm>

namespace cryoscape::landscape {
namespace {

constexpr double kArmijo = 1e-4, kShortest = 1e-5;  ///< of Armijo's rule; of backtracking

/// Points displaced by ± step along every coordinate: (dim, 2 · dim · M), the 2 · dim of a point together.
Points displaced(const Surface& surface, const Points& points) {
  Points out(points.rows(), 2 * points.rows() * points.cols());
  for (Eigen::Index i = 0, column = 0; i < points.cols(); ++i)
    for (Eigen::Index a = 0; a < points.rows(); ++a)
      for (const double sign : {1.0, -1.0}) {
        out.col(column) = points.col(i);
        out(a, column++) += sign * surface.step;
      }
  return out;
}

/// One of many descents.
struct Walker {
  Eigen::VectorXd point, slope;
  double energy = 0, scale = 1;
  Eigen::MatrixXd inverse;  ///< of the Hessian, estimated
  bool fresh = true;        ///< `inverse` is a guess
  bool done = false;

  Eigen::VectorXd direction() const { return -inverse * slope; }
  void forget() {
    inverse = Eigen::MatrixXd::Identity(point.size(), point.size()) / std::max(1.0, slope.norm());
    fresh = true, scale = 1;
  }
  void learn(const Eigen::VectorXd& step, const Eigen::VectorXd& change) {
    const double product = step.dot(change);
    if (product <= 1e-12 * step.norm() * change.norm()) return;  // BFGS needs positive curvature
    if (fresh)
      inverse = Eigen::MatrixXd::Identity(step.size(), step.size()) * (product / change.squaredNorm());
    fresh = false;
    const Eigen::MatrixXd left =
        Eigen::MatrixXd::Identity(step.size(), step.size()) - step * change.transpose() / product;
    inverse = left * inverse * left.transpose() + step * step.transpose() / product;
  }
};

/// Columns of walkers that are still on their way.
std::vector<Walker*> active(std::vector<Walker>& walkers) {
  std::vector<Walker*> out;
  for (auto& w : walkers)
    if (!w.done) out.push_back(&w);
  return out;
}

Eigen::VectorXd bounded(Eigen::VectorXd step, double longest) {
  const double length = step.norm();
  return length > longest ? Eigen::VectorXd(step * (longest / length)) : step;
}

}  // namespace

Points gradient(const Surface& surface, const Points& points) {
  const auto energies = surface.energy(displaced(surface, points));
  Points out(points.rows(), points.cols());
  for (Eigen::Index i = 0, at = 0; i < points.cols(); ++i)
    for (Eigen::Index a = 0; a < points.rows(); ++a, at += 2)
      out(a, i) = (energies[at] - energies[at + 1]) / (2 * surface.step);
  return out;
}

Eigen::MatrixXd hessian(const Surface& surface, const Eigen::VectorXd& point) {
  const Points slopes = gradient(surface, displaced(surface, point));
  Eigen::MatrixXd out(point.size(), point.size());
  for (Eigen::Index a = 0; a < point.size(); ++a)
    out.col(a) = (slopes.col(2 * a) - slopes.col(2 * a + 1)) / (2 * surface.step);
  return (out + out.transpose()) / 2;
}

std::vector<Eigen::MatrixXd> metrics(const Surface& surface, const Points& points) {
  const Points places = surface.position(displaced(surface, points));
  std::vector<Eigen::MatrixXd> out;
  for (Eigen::Index i = 0, at = 0; i < points.cols(); ++i) {
    Eigen::MatrixXd jacobian(places.rows(), points.rows());
    for (Eigen::Index a = 0; a < points.rows(); ++a, at += 2)
      jacobian.col(a) = (places.col(at) - places.col(at + 1)) / (2 * surface.step);
    out.push_back(jacobian.transpose() * jacobian);
  }
  return out;
}

Descent descend(const Surface& surface, const Points& starts, const DescentLimits& limits) {
  const Eigen::VectorXd energies = surface.energy(starts);
  const Points slopes = gradient(surface, starts);
  std::vector<Walker> walkers(static_cast<std::size_t>(starts.cols()));
  for (std::size_t i = 0; i < walkers.size(); ++i) {
    const auto column = static_cast<Eigen::Index>(i);
    walkers[i].point = starts.col(column), walkers[i].slope = slopes.col(column);
    walkers[i].energy = energies[column];
    walkers[i].forget();
  }
  for (int iteration = 0; iteration < limits.iterations; ++iteration) {
    for (auto& w : walkers) w.done = w.done || w.slope.norm() <= limits.gradient;
    const auto moving = active(walkers);
    if (moving.empty()) break;
    Points trials(starts.rows(), static_cast<Eigen::Index>(moving.size()));
    for (std::size_t i = 0; i < moving.size(); ++i)
      trials.col(static_cast<Eigen::Index>(i)) =
          moving[i]->point + bounded(moving[i]->scale * moving[i]->direction(), limits.move);
    const Eigen::VectorXd reached = surface.energy(trials);
    std::vector<Eigen::Index> accepted;
    for (std::size_t i = 0; i < moving.size(); ++i) {
      auto& w = *moving[i];
      const auto column = static_cast<Eigen::Index>(i);
      if (reached[column] <= w.energy + kArmijo * w.slope.dot(trials.col(column) - w.point)) {
        accepted.push_back(column);
      } else if ((w.scale /= 2) < kShortest) {
        w.done = w.fresh;  // not even the gradient leads down: differences cannot tell
        w.forget();
      }
    }
    const Points there = trials(Eigen::all, accepted), new_slopes = gradient(surface, there);
    for (std::size_t k = 0; k < accepted.size(); ++k) {
      auto& w = *moving[static_cast<std::size_t>(accepted[k])];
      const auto column = static_cast<Eigen::Index>(k);
      w.learn(there.col(column) - w.point, new_slopes.col(column) - w.slope);
      w.point = there.col(column), w.slope = new_slopes.col(column);
      w.energy = reached[accepted[k]], w.scale = 1;
    }
  }
  Descent out{starts, energies};
  for (std::size_t i = 0; i < walkers.size(); ++i) {
    out.points.col(static_cast<Eigen::Index>(i)) = walkers[i].point;
    out.energies[static_cast<Eigen::Index>(i)] = walkers[i].energy;
  }
  return out;
}

}  // namespace cryoscape::landscape
