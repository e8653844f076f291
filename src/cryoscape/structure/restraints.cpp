#include "cryoscape/structure/restraints.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "cryoscape/structure/cell_list.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::structure {
namespace {

constexpr double kMemory = 0.9;      ///< weight of earlier batches in the edges' running moments
constexpr float kFarthest = 1e15f;   ///< Å; squares of larger coordinates overflow
constexpr float kNearInClashes = 3;  ///< pairs closer than so many clash distances are in the pair list

/// False also for NaN.
bool usable(std::span<const float> x) {
  return std::all_of(x.begin(), x.end(), [](float v) { return std::abs(v) < kFarthest; });
}

struct ListedPair {
  std::int32_t i, j;
  float distance, limit;
  std::int32_t edge;
};

float near_distance(const RestraintTopology& topology) { return kNearInClashes * topology.clash_distance; }

/// Bonds, edges, and what else is near in the reference.
std::vector<ListedPair> listed_pairs(const RestraintTopology& topology) {
  std::vector<ListedPair> out;
  const auto add = [&](std::int32_t i, std::int32_t j, float distance, std::int32_t edge) {
    out.push_back({std::min(i, j), std::max(i, j), distance,
                   topology.clash_limit(std::min(i, j), std::max(i, j)), edge});
  };
  for (const auto& b : topology.bonds) add(b.i, b.j, b.distance, -1);
  for (std::size_t e = 0; e < topology.edges.size(); ++e)
    add(topology.edges[e].i, topology.edges[e].j, topology.edges[e].distance, static_cast<std::int32_t>(e));
  const auto order = [](const ListedPair& a, const ListedPair& b) {
    return std::tie(a.i, a.j) < std::tie(b.i, b.j);
  };
  std::sort(out.begin(), out.end(), order);
  const std::size_t springs = out.size();
  CellList cells;
  cells.for_each_pair(
      topology.reference, near_distance(topology), [&](std::int32_t i, std::int32_t j, float) {
        const ListedPair pair{i, j, 0, 0, -1};
        if (!std::binary_search(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(springs), pair, order))
          add(i, j, 0, -1);
      });
  std::sort(out.begin(), out.end(), order);
  return out;
}

PairList make_pair_list(const RestraintTopology& topology) {
  PairList list;
  list.start.assign(topology.beads + 1, 0);
  for (const auto& p : listed_pairs(topology)) {
    ++list.start[p.i + 1];
    list.partner.push_back(p.j);
    list.distance.push_back(p.distance);
    list.limit.push_back(p.limit);
    list.edge.push_back(p.edge);
  }
  for (std::size_t i = 1; i < list.start.size(); ++i) list.start[i] += list.start[i - 1];
  list.stiffness.assign(list.size(), 0);
  return list;
}

}  // namespace

/// What one thread needs: the structures of a group, lane by lane.
struct RestraintEvaluator::Worker {
  const RestraintEvaluator& evaluator;
  const std::size_t lanes = static_cast<std::size_t>(restraint_lanes());
  std::vector<float> coordinates, gradient, counted;
  std::vector<double> energies;
  FarPairs::Scratch scratch;

  explicit Worker(const RestraintEvaluator& of)
      : evaluator(of),
        coordinates(3 * of.topology_.beads * lanes),
        gradient(coordinates.size()),
        counted(lanes),
        energies(lanes) {}

  /// Energies and gradients of at most `lanes` structures; returns how many were usable.
  std::size_t evaluate(std::span<const float> x, float clash, std::span<float> energy, std::span<float> g,
                       const EdgeMoments& moments) {
    const auto& topology = evaluator.topology_;
    const std::size_t values = 3 * topology.beads;
    std::size_t structures = 0;
    for (std::size_t s = 0; s < lanes; ++s) {
      const bool real = s < energy.size() && usable(x.subspan(values * s, values));
      const float* from = real ? x.data() + values * s : topology.reference.data();
      for (std::size_t v = 0; v < values; ++v) coordinates[v * lanes + s] = from[v];
      counted[s] = real ? 1.0f : 0.0f;
      structures += real;
    }
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    std::fill(energies.begin(), energies.end(), 0.0);
    const StructureGroup group{coordinates.data(), gradient.data(), energies.data(), counted.data()};
    pull_pairs(evaluator.pairs_, clash, group, moments);
    if (clash > 0) evaluator.far_.push_apart(evaluator.pairs_, topology.clash_radii, clash, group, scratch);
    for (std::size_t s = 0; s < energy.size(); ++s) {
      const bool real = counted[s] != 0;
      energy[s] = real ? static_cast<float>(energies[s]) : std::numeric_limits<float>::quiet_NaN();
      for (std::size_t v = 0; v < values; ++v) g[values * s + v] = real ? gradient[v * lanes + s] : 0.0f;
    }
    return structures;
  }
};

RestraintEvaluator::RestraintEvaluator(RestraintTopology topology)
    : topology_(std::move(topology)),
      pairs_(make_pair_list(topology_)),
      far_(topology_.reference, near_distance(topology_), topology_.clash_distance),
      chain_start_(topology_.chains + 1),
      mean_(topology_.edges.size()),
      square_(topology_.edges.size()),
      mask_(topology_.edges.size(), 1.0f) {
  for (const auto& e : topology_.edges) ++chain_start_[e.chain + 1];
  for (std::size_t c = 1; c < chain_start_.size(); ++c) chain_start_[c] += chain_start_[c - 1];
}

void RestraintEvaluator::evaluate(std::span<const float> coordinates, int batch, RestraintWeights weights,
                                  float drop_fraction, std::span<float> energy, std::span<float> gradient,
                                  Moments moments) {
  const std::size_t values = 3 * topology_.beads, size = batch;
  if (coordinates.size() != values * size || gradient.size() != coordinates.size() || energy.size() != size)
    throw std::invalid_argument("RestraintEvaluator: sizes differ");
  update_mask(drop_fraction);
  set_stiffness(weights);
  const auto lanes = static_cast<std::size_t>(restraint_lanes());
  const std::size_t groups = (size + lanes - 1) / lanes, edges = topology_.edges.size();
  std::vector<float> sums(groups * edges), squares(groups * edges);
  std::vector<std::size_t> structures(groups);
  parallel_ranges(groups, [&](std::size_t begin, std::size_t end) {
    Worker worker(*this);
    for (std::size_t g = begin; g < end; ++g) {
      const std::size_t first = g * lanes, count = std::min(lanes, size - first);
      structures[g] =
          worker.evaluate(coordinates.subspan(values * first, values * count), weights.clash,
                          energy.subspan(first, count), gradient.subspan(values * first, values * count),
                          {sums.data() + g * edges, squares.data() + g * edges});
    }
  });
  if (moments == Moments::keep) return;
  batch_ = total(sums, squares, std::accumulate(structures.begin(), structures.end(), std::size_t{0}));
  if (!deferred_) absorb(batch_);
}

void RestraintEvaluator::set_stiffness(const RestraintWeights& weights) {
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    const auto e = pairs_.edge[p];
    pairs_.stiffness[p] = e >= 0 ? weights.edge * mask_[e] : pairs_.distance[p] > 0 ? weights.bond : 0.0f;
  }
}

/// Groups are added up in their order, so that results do not depend on the number of threads.
std::vector<double> RestraintEvaluator::total(std::span<const float> sums, std::span<const float> squares,
                                              std::size_t structures) const {
  const std::size_t edges = mean_.size();
  std::vector<double> flat(1 + 2 * edges);
  flat[0] = static_cast<double>(structures);
  parallel_for(edges, [&](std::size_t e) {
    double sum = 0, square = 0;
    for (std::size_t k = e; k < sums.size(); k += edges) sum += sums[k], square += squares[k];
    flat[1 + e] = sum, flat[1 + edges + e] = square;
  });
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
  std::vector<double> variance(mask_.size()), ranked;
  for (std::size_t e = 0; e < mask_.size(); ++e)
    variance[e] = square_[e] / weight_ - mean_[e] * mean_[e] / (weight_ * weight_);
  for (std::size_t c = 0; c + 1 < chain_start_.size(); ++c) {
    const auto begin = static_cast<std::ptrdiff_t>(chain_start_[c]),
               end = static_cast<std::ptrdiff_t>(chain_start_[c + 1]);
    auto drop = static_cast<std::ptrdiff_t>(drop_fraction * static_cast<float>(end - begin));
    if (drop == 0) continue;
    ranked.assign(variance.begin() + begin, variance.begin() + end);
    std::nth_element(ranked.begin(), ranked.begin() + (drop - 1), ranked.end(), std::greater<>());
    const double threshold = ranked[drop - 1];
    // All above the threshold, and the first of those that equal it.
    for (auto e = begin; e < end; ++e)
      if (variance[e] > threshold) mask_[e] = 0, --drop;
    for (auto e = begin; drop > 0; ++e)
      if (variance[e] == threshold) mask_[e] = 0, --drop;
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
