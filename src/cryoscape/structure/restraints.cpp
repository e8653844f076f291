#include "cryoscape/structure/restraints.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "cryoscape/structure/cell_list.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::structure {
namespace {

constexpr double kMemory = 0.9;  ///< weight of earlier batches in the edges' running moments

/// Adds k·(d − d₀)² of one pair to the gradient; returns (deviation, energy).
inline float pull(const float* x, float* g, const Pair& p, float stiffness, float& deviation) {
  const float* a = x + 3 * p.i;
  const float* b = x + 3 * p.j;
  const float dx = a[0] - b[0], dy = a[1] - b[1], dz = a[2] - b[2];
  const float d = std::sqrt(dx * dx + dy * dy + dz * dz);
  deviation = d - p.distance;
  const float factor = 2 * stiffness * deviation / std::max(d, 1e-6f);
  float* ga = g + 3 * p.i;
  float* gb = g + 3 * p.j;
  ga[0] += factor * dx, ga[1] += factor * dy, ga[2] += factor * dz;
  gb[0] -= factor * dx, gb[1] -= factor * dy, gb[2] -= factor * dz;
  return stiffness * deviation * deviation;
}

/// k·overlap² of every clashing pair of the structure as it is; adds to the gradient.
double clash_energy(const RestraintTopology& topology, std::span<const float> x, float stiffness, float* g,
                    CellList& cells) {
  double energy = 0;
  cells.for_each_pair(x, topology.clash_distance, [&](std::int32_t i, std::int32_t j, float d2) {
    const float d = std::sqrt(d2), overlap = topology.clash_limit(i, j) - d;
    if (overlap <= 0) return;
    energy += static_cast<double>(stiffness) * overlap * overlap;
    const float factor = -2 * stiffness * overlap / std::max(d, 1e-6f);
    for (int k = 0; k < 3; ++k) {
      const float pull = factor * (x[3 * i + k] - x[3 * j + k]);
      g[3 * i + k] += pull;
      g[3 * j + k] -= pull;
    }
  });
  return energy;
}

}  // namespace

RestraintEvaluator::RestraintEvaluator(RestraintTopology topology)
    : topology_(std::move(topology)),
      chain_start_(topology_.chains + 1),
      mean_(topology_.edges.size()),
      square_(topology_.edges.size()),
      mask_(topology_.edges.size(), 1.0f) {
  for (const auto& e : topology_.edges) ++chain_start_[e.chain + 1];
  for (std::size_t c = 1; c < chain_start_.size(); ++c) chain_start_[c] += chain_start_[c - 1];
}

void RestraintEvaluator::evaluate(std::span<const float> coordinates, int batch, RestraintWeights weights,
                                  float drop_fraction, std::span<float> energy, std::span<float> gradient) {
  const std::size_t values = 3 * topology_.beads;
  if (coordinates.size() != values * batch || gradient.size() != coordinates.size() ||
      energy.size() != static_cast<std::size_t>(batch))
    throw std::invalid_argument("RestraintEvaluator: sizes differ");
  update_mask(drop_fraction);
  const auto parts = static_cast<std::size_t>(thread_count());
  std::vector<Moments> moments(parts);
  parallel_for(parts, [&](std::size_t part) {
    auto& m = moments[part];
    m.sum.assign(topology_.edges.size(), 0);
    m.square.assign(topology_.edges.size(), 0);
    CellList cells;
    for (std::size_t s = batch * part / parts; s < batch * (part + 1) / parts; ++s) {
      const auto x = coordinates.subspan(values * s, values);
      const auto g = gradient.subspan(values * s, values);
      std::fill(g.begin(), g.end(), 0.0f);
      if (!std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); })) {
        energy[s] = std::numeric_limits<float>::quiet_NaN();
        continue;
      }
      double total = evaluate_one(x, weights, g, m);
      if (weights.clash > 0) total += clash_energy(topology_, x, weights.clash, g.data(), cells);
      energy[s] = static_cast<float>(total);
    }
  });
  batch_ = total(moments);
  if (!deferred_) absorb(batch_);
}

double RestraintEvaluator::evaluate_one(std::span<const float> x, const RestraintWeights& weights,
                                        std::span<float> g, Moments& moments) const {
  double total = 0;
  float deviation = 0;
  for (const auto& bond : topology_.bonds) total += pull(x.data(), g.data(), bond, weights.bond, deviation);
  for (std::size_t e = 0; e < topology_.edges.size(); ++e) {
    total += pull(x.data(), g.data(), topology_.edges[e], weights.edge * mask_[e], deviation);
    moments.sum[e] += deviation;
    moments.square[e] += deviation * deviation;
  }
  ++moments.structures;
  return total;
}

std::vector<double> RestraintEvaluator::total(const std::vector<Moments>& moments) const {
  const std::size_t edges = mean_.size();
  std::vector<double> flat(1 + 2 * edges);
  for (const auto& m : moments) flat[0] += static_cast<double>(m.structures);
  for (std::size_t e = 0; e < edges; ++e)
    for (const auto& m : moments) flat[1 + e] += m.sum[e], flat[1 + edges + e] += m.square[e];
  return flat;
}

void RestraintEvaluator::absorb(std::span<const double> batch) {
  if (batch.size() != 1 + 2 * mean_.size())
    throw std::invalid_argument("RestraintEvaluator: moments of another model");
  if (batch[0] == 0) return;
  weight_ = kMemory * weight_ + batch[0];
  for (std::size_t e = 0; e < mean_.size(); ++e) {
    mean_[e] = kMemory * mean_[e] + batch[1 + e];
    square_[e] = kMemory * square_[e] + batch[1 + mean_.size() + e];
  }
}

void RestraintEvaluator::update_mask(float drop_fraction) {
  std::fill(mask_.begin(), mask_.end(), 1.0f);
  if (weight_ <= 1 || drop_fraction <= 0) return;
  std::vector<std::size_t> order;
  const auto variance = [&](std::size_t e) {
    return square_[e] / weight_ - mean_[e] * mean_[e] / (weight_ * weight_);
  };
  for (std::size_t c = 0; c + 1 < chain_start_.size(); ++c) {
    const std::size_t count = chain_start_[c + 1] - chain_start_[c];
    const auto drop = static_cast<std::size_t>(drop_fraction * static_cast<float>(count));
    if (drop == 0) continue;
    order.resize(count);
    std::iota(order.begin(), order.end(), chain_start_[c]);
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(drop - 1), order.end(),
                     [&](std::size_t a, std::size_t b) { return variance(a) > variance(b); });
    for (std::size_t k = 0; k < drop; ++k) mask_[order[k]] = 0;
  }
}

std::vector<double> RestraintEvaluator::state() const {
  std::vector<double> flat{weight_};
  flat.insert(flat.end(), mean_.begin(), mean_.end());
  flat.insert(flat.end(), square_.begin(), square_.end());
  return flat;
}

void RestraintEvaluator::set_state(std::span<const double> flat) {
  if (flat.size() != 1 + 2 * mean_.size())
    throw std::invalid_argument("RestraintEvaluator: state of another model");
  weight_ = flat[0];
  std::copy_n(flat.begin() + 1, mean_.size(), mean_.begin());
  std::copy_n(flat.begin() + 1 + static_cast<std::ptrdiff_t>(mean_.size()), mean_.size(), square_.begin());
}

}  // namespace cryoscape::structure
