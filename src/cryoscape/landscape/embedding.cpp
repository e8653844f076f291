#include "cryoscape/landscape/embedding.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

/// 1/(1 + a r²) nearest (least squares) to UMAP's e^{−(r − 0.1)} beyond 0.1 and 1 below, up to r = 3.
constexpr float kSpread = 1.558f;
constexpr float kExtent = 10;     ///< of the start: its coordinates lie within ± this
constexpr double kJitter = 1e-3;  ///< that parts equal points
constexpr float kLongestStep = 4;
constexpr int kPushes = 5;  ///< random points per pull
constexpr std::size_t kFewPoints = 10000;
constexpr int kEpochs = 200, kEpochsOfFew = 500;

/// ρ and σ of a point's neighbours.
struct Scale {
  float nearest = 0, width = 1;
};

Scale local_scale(const float* distance, std::size_t k) {
  Scale scale;
  for (std::size_t r = 0; r < k && scale.nearest == 0; ++r) scale.nearest = distance[r];
  const double target = std::log2(static_cast<double>(k)),
               mean = std::accumulate(distance, distance + k, 0.0) / static_cast<double>(k);
  const auto sum = [&](double width) {
    double s = 0;
    for (std::size_t r = 0; r < k; ++r)
      s += std::exp(-std::max(0.0, static_cast<double>(distance[r] - scale.nearest)) / width);
    return s;
  };
  double low = 1e-3 * mean, high = 1e3 * mean;  // memberships grow with the width
  for (int i = 0; i < 50; ++i) {
    const double middle = std::sqrt(low * high);
    (sum(middle) < target ? low : high) = middle;
  }
  scale.width = static_cast<float>(std::max(std::sqrt(low * high), 1e-12));
  return scale;
}

float membership(float distance, const Scale& scale) {
  return std::exp(-std::max(0.0f, distance - scale.nearest) / scale.width);
}

std::vector<float> memberships(const NeighbourGraph& graph) {
  const auto k = graph.neighbours;
  std::vector<float> out(graph.index.size());
  parallel_for(graph.size(), [&](std::size_t i) {
    const auto scale = local_scale(graph.distance.data() + i * k, k);
    for (std::size_t r = 0; r < k; ++r) out[i * k + r] = membership(graph.distance[i * k + r], scale);
  });
  return out;
}

struct Edge {
  std::uint32_t from, to;
  float weight;
  auto ends() const { return std::pair(from, to); }
};

/// Moves that pull along an edge once every `period` epochs.
class Layout {
 public:
  Layout(std::vector<float> start, const FuzzyGraph& graph, int epochs, std::uint64_t seed)
      : at_(std::move(start)), graph_(graph), epochs_(epochs), random_(seed, 5) {
    strongest_ = *std::max_element(graph.weight.begin(), graph.weight.end());
    for (const float w : graph.weight) due_.push_back(strongest_ / w);
  }

  void run() {
    for (int epoch = 0; epoch < epochs_; ++epoch) {
      throw_if_interrupted();
      step_ = 1 - static_cast<float>(epoch) / static_cast<float>(epochs_);
      for (std::size_t i = 0; i + 1 < graph_.start.size(); ++i)
        for (auto e = graph_.start[i]; e < graph_.start[i + 1]; ++e) {
          if (due_[e] > static_cast<float>(epoch + 1)) continue;
          due_[e] += strongest_ / graph_.weight[e];
          pull(i, graph_.neighbour[e]);
          for (int n = 0; n < kPushes; ++n) push(i, random_.below(graph_.start.size() - 1));
        }
    }
  }
  std::vector<float> result() && { return std::move(at_); }

 private:
  float square(std::size_t i, std::size_t j) const {
    const float x = at_[2 * i] - at_[2 * j], y = at_[2 * i + 1] - at_[2 * j + 1];
    return x * x + y * y;
  }
  float move(float factor, std::size_t i, std::size_t j, std::size_t axis) const {
    const float wish = factor * (at_[2 * i + axis] - at_[2 * j + axis]);
    return step_ * std::clamp(wish, -kLongestStep, kLongestStep);
  }
  /// −∂/∂y ln(1 + a r²), both ends.
  void pull(std::size_t i, std::size_t j) {
    const float factor = -2 * kSpread / (1 + kSpread * square(i, j));
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const float m = move(factor, i, j, axis);
      at_[2 * i + axis] += m, at_[2 * j + axis] -= m;
    }
  }
  /// ∂/∂y ln(a r²/(1 + a r²)), softened near 0.
  void push(std::size_t i, std::size_t j) {
    if (i == j) return;
    const float r2 = square(i, j), factor = 2 / ((0.001f + r2) * (1 + kSpread * r2));
    for (std::size_t axis = 0; axis < 2; ++axis) at_[2 * i + axis] += move(factor, i, j, axis);
  }

  std::vector<float> at_, due_;
  const FuzzyGraph& graph_;
  int epochs_;
  Philox random_;
  float strongest_ = 1, step_ = 1;
};

std::vector<float> start_of(const Points& points, std::uint64_t seed) {
  auto start = first_two(points);
  double largest = 0;
  for (const float x : start) largest = std::max(largest, std::abs(static_cast<double>(x)));
  const double scale = largest > 0 ? kExtent / largest : 1;
  Philox random(seed, 4);
  for (float& x : start) x = static_cast<float>(scale * x + kJitter * random.normal());
  return start;
}

/// Positions of points among laid-out ones, by their nearest.
void place(const NeighbourGraph& nearest, const std::vector<float>& laid_out,
           const std::vector<std::size_t>& rows, std::vector<float>& out) {
  const auto k = nearest.neighbours;
  const auto weights = memberships(nearest);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double sum = 0, x = 0, y = 0;
    for (auto e = i * k; e < (i + 1) * k; ++e) {
      sum += weights[e];
      x += weights[e] * laid_out[2 * nearest.index[e]];
      y += weights[e] * laid_out[2 * nearest.index[e] + 1];
    }
    out[2 * rows[i]] = static_cast<float>(x / sum), out[2 * rows[i] + 1] = static_cast<float>(y / sum);
  }
}

}  // namespace

FuzzyGraph fuzzy_graph(const NeighbourGraph& graph) {
  const auto weight = memberships(graph);
  const auto k = graph.neighbours;
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < graph.size(); ++i)
    for (std::size_t r = 0; r < k; ++r) {
      const auto from = static_cast<std::uint32_t>(i), to = graph.index[i * k + r];
      if (weight[i * k + r] <= 0) continue;
      edges.push_back({from, to, weight[i * k + r]});
      edges.push_back({to, from, weight[i * k + r]});
    }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.ends() < b.ends(); });
  FuzzyGraph out;
  out.start.assign(graph.size() + 1, 0);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (e > 0 && edges[e].ends() == edges[e - 1].ends()) {
      float& w = out.weight.back();
      w += edges[e].weight - w * edges[e].weight;
      continue;
    }
    out.neighbour.push_back(edges[e].to), out.weight.push_back(edges[e].weight);
    ++out.start[edges[e].from + 1];
  }
  std::partial_sum(out.start.begin(), out.start.end(), out.start.begin());
  return out;
}

std::vector<float> first_two(const Points& points) {
  std::vector<float> out(2 * static_cast<std::size_t>(points.cols()), 0.0f);
  for (Eigen::Index i = 0; i < points.cols(); ++i)
    for (Eigen::Index a = 0; a < std::min<Eigen::Index>(2, points.rows()); ++a)
      out[static_cast<std::size_t>(2 * i + a)] = static_cast<float>(points(a, i));
  return out;
}

std::vector<float> umap_layout(const Points& points, const Neighbourhood& neighbourhood, std::uint64_t seed) {
  const auto& graph = neighbourhood.among;
  auto out = first_two(points);
  if (graph.neighbours < 2) return out;  // one or two members leave nothing to lay out
  const auto& members = neighbourhood.members;
  const auto fuzzy = fuzzy_graph(graph);
  Layout layout(start_of(points(Eigen::all, members), seed), fuzzy,
                graph.size() > kFewPoints ? kEpochs : kEpochsOfFew, seed);
  layout.run();
  const auto laid_out = std::move(layout).result();
  for (std::size_t m = 0; m < members.size(); ++m)
    std::copy_n(laid_out.begin() + static_cast<std::ptrdiff_t>(2 * m), 2,
                out.begin() + static_cast<std::ptrdiff_t>(2 * members[m]));
  place(neighbourhood.of_others, laid_out, neighbourhood.others, out);
  return out;
}

double trustworthiness(const Points& points, const std::vector<float>& layout, std::size_t k) {
  const auto count = static_cast<std::size_t>(points.cols());
  const Points plane =
      Eigen::Map<const Eigen::MatrixXf>(layout.data(), 2, static_cast<Eigen::Index>(count)).cast<double>();
  const auto order_about = [&](const Points& cloud, std::size_t i) {
    const Eigen::VectorXd d =
        (cloud.colwise() - cloud.col(static_cast<Eigen::Index>(i))).colwise().squaredNorm().transpose();
    std::vector<std::size_t> order;
    for (std::size_t j = 0; j < count; ++j)
      if (j != i) order.push_back(j);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return d[static_cast<Eigen::Index>(a)] < d[static_cast<Eigen::Index>(b)];
    });
    return order;
  };
  std::vector<double> penalty(count);
  parallel_for(count, [&](std::size_t i) {
    std::vector<std::size_t> rank(count);
    const auto in_space = order_about(points, i), in_plane = order_about(plane, i);
    for (std::size_t r = 0; r < in_space.size(); ++r) rank[in_space[r]] = r + 1;
    for (std::size_t r = 0; r < k; ++r)
      penalty[i] += static_cast<double>(rank[in_plane[r]] > k ? rank[in_plane[r]] - k : 0);
  });
  const auto n = static_cast<double>(count), m = static_cast<double>(k);
  return 1 - 2 / (n * m * (2 * n - 3 * m - 1)) * std::accumulate(penalty.begin(), penalty.end(), 0.0);
}

}  // namespace cryoscape::landscape
