#include "cryoscape/structure/cuda/compact.hpp"

namespace cryoscape::structure::cuda {

CompactRestraints compact(const RestraintTopology& topology) {
  CompactRestraints out;
  out.start.assign(topology.beads + 2, 0);
  const auto count = [&](const Pair& p) { ++out.start[p.i + 2], ++out.start[p.j + 2]; };
  for (const auto& bond : topology.bonds) count(bond);
  for (const auto& edge : topology.edges) count(edge);
  for (std::size_t i = 2; i < out.start.size(); ++i) out.start[i] += out.start[i - 1];
  out.neighbours.resize(out.start.back());
  // start[i + 1] counts up from where bead i's partners begin to where they end.
  const auto join = [&](const Pair& p, std::int32_t edge) {
    out.neighbours[out.start[p.i + 1]++] = {p.j, p.distance, edge};
    out.neighbours[out.start[p.j + 1]++] = {p.i, p.distance, edge};
  };
  for (const auto& bond : topology.bonds) join(bond, -1);
  for (const auto& edge : topology.edges) {
    join(edge, static_cast<std::int32_t>(out.pairs.size()));
    out.pairs.push_back({edge.i, edge.j, edge.distance});
  }
  out.start.pop_back();
  for (const auto& limit : topology.own_limits) out.own_limits.push_back({limit.partner, limit.distance});
  return out;
}

}  // namespace cryoscape::structure::cuda
