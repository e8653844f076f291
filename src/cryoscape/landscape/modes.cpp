#include "cryoscape/landscape/modes.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

namespace cryoscape::landscape {
namespace {

constexpr int kClimbSteps = 500, kPathPoints = 41;
constexpr double kClimbTolerance = 1e-9;  // squared Mahalanobis step
constexpr double kSameMode = 1e-3;        // kT: how far climbs to one mode may end apart

double lowest_on_line(const MixtureDensity& density, const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  double lowest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kPathPoints; ++i) {
    const double t = static_cast<double>(i) / (kPathPoints - 1);
    lowest = std::min(lowest, density.log_density((1 - t) * a + t * b));
  }
  return lowest;
}

/// Along x(α) = ((1 − α) P_i + α P_j)⁻¹ ((1 − α) P_i μ_i + α P_j μ_j), which holds every mode and pass of the
/// two alone.
double lowest_on_ridge(const MixtureDensity& density, std::size_t i, std::size_t j) {
  double lowest = std::numeric_limits<double>::infinity();
  for (int k = 0; k < kPathPoints; ++k) {
    const double t = static_cast<double>(k) / (kPathPoints - 1);
    const Eigen::MatrixXd p = (1 - t) * density.precision(i), q = t * density.precision(j);
    const Eigen::VectorXd x = (p + q).llt().solve(p * density.mean(i) + q * density.mean(j));
    lowest = std::min(lowest, density.log_density(x));
  }
  return lowest;
}

struct Edge {
  std::size_t a, b;
  double height;
};

/// The best path between every two components' modes, highest first. Means are linked to their modes by the
/// climb itself.
std::vector<Edge> paths(const MixtureDensity& density, const std::vector<Eigen::VectorXd>& modes) {
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < modes.size(); ++i)
    for (std::size_t j = i + 1; j < modes.size(); ++j)
      edges.push_back({i, j,
                       std::max({lowest_on_line(density, modes[i], modes[j]),
                                 lowest_on_line(density, density.mean(i), density.mean(j)),
                                 lowest_on_ridge(density, i, j)})});
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& x, const Edge& y) { return x.height > y.height; });
  return edges;
}

/// Disjoint sets of components, each represented by the one with the highest mode.
class Sets {
 public:
  explicit Sets(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t root(std::size_t i) const { return parent_[i] == i ? i : root(parent_[i]); }
  void join(std::size_t child, std::size_t parent) { parent_[child] = parent; }

 private:
  std::vector<std::size_t> parent_;
};

/// For every pair of groups the highest path between them, over any others: single linkage on the edges,
/// highest first.
std::vector<Pass> passes_between(const std::vector<Edge>& edges, const std::vector<std::size_t>& group_of,
                                 std::size_t groups) {
  std::vector<Pass> passes;
  std::vector<std::vector<std::size_t>> members(groups);
  std::vector<std::size_t> set(groups);
  for (std::size_t g = 0; g < groups; ++g) members[g] = {g}, set[g] = g;
  for (const auto& e : edges) {
    const auto a = set[group_of[e.a]], b = set[group_of[e.b]];
    if (a == b) continue;
    for (const auto g : members[a])
      for (const auto h : members[b]) passes.push_back({std::min(g, h), std::max(g, h), e.height});
    for (const auto h : members[b]) set[h] = a, members[a].push_back(h);
    members[b].clear();
  }
  std::sort(passes.begin(), passes.end(),
            [](const Pass& x, const Pass& y) { return std::pair(x.a, x.b) < std::pair(y.a, y.b); });
  return passes;
}

Grouping collect(const std::vector<Eigen::VectorXd>& peaks, const std::vector<double>& heights,
                 const Sets& sets, const std::vector<Edge>& edges) {
  Grouping grouping;
  std::map<std::size_t, std::size_t> group_of_root;
  std::vector<std::size_t> group_of(peaks.size());
  for (std::size_t k = 0; k < peaks.size(); ++k) {
    const auto root = sets.root(k);
    const auto [at, fresh] = group_of_root.try_emplace(root, grouping.groups.size());
    if (fresh) grouping.groups.push_back({{}, peaks[root], heights[root]});
    group_of[k] = at->second;
    grouping.groups[at->second].components.push_back(k);
  }
  grouping.passes = passes_between(edges, group_of, grouping.groups.size());
  return grouping;
}

std::vector<double> heights_at(const MixtureDensity& density, const std::vector<Eigen::VectorXd>& points) {
  std::vector<double> heights;
  for (const auto& x : points) heights.push_back(density.log_density(x));
  return heights;
}

}  // namespace

Eigen::VectorXd climb(const MixtureDensity& density, Eigen::VectorXd x) {
  for (int i = 0; i < kClimbSteps; ++i) {
    const auto r = density.responsibilities(x);
    Eigen::MatrixXd precision = Eigen::MatrixXd::Zero(x.size(), x.size());
    Eigen::VectorXd pull = Eigen::VectorXd::Zero(x.size());
    for (std::size_t k = 0; k < density.size(); ++k) {
      const Eigen::MatrixXd p = r[static_cast<Eigen::Index>(k)] * density.precision(k);
      precision += p;
      pull += p * density.mean(k);
    }
    const Eigen::VectorXd next = precision.llt().solve(pull);
    const double step = (next - x).dot(precision * (next - x));
    x = next;
    if (step < kClimbTolerance) break;
  }
  return x;
}

Grouping group_components(const Mixture& mixture, double barrier) {
  const MixtureDensity density(mixture);
  std::vector<Eigen::VectorXd> modes;
  for (const auto& c : mixture) modes.push_back(climb(density, c.mean));
  const auto heights = heights_at(density, modes);
  const auto edges = paths(density, modes);
  Sets sets(mixture.size());
  for (const auto& e : edges) {
    auto low = sets.root(e.a), high = sets.root(e.b);
    if (low == high) continue;
    if (heights[low] > heights[high]) std::swap(low, high);
    if (heights[low] - e.height < barrier + kSameMode) sets.join(low, high);
  }
  return collect(modes, heights, sets, edges);
}

Grouping separate_components(const Mixture& mixture) {
  const MixtureDensity density(mixture);
  std::vector<Eigen::VectorXd> means;
  for (const auto& c : mixture) means.push_back(c.mean);
  return collect(means, heights_at(density, means), Sets(mixture.size()), paths(density, means));
}

}  // namespace cryoscape::landscape
