#include "cryoscape/density/half_sets.hpp"

#include <fmt/format.h>

#include <array>

#include "cryoscape/particles/halves.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::density {
namespace {

/// The half-set that holds all particles; 0 if both have some.
int lonely_half(const particles::ParticleSet& set) {
  std::array<std::size_t, 3> counts{};
  for (const auto& p : set.particles) ++counts[p.half];
  return counts[2] == 0 ? 1 : counts[1] == 0 ? 2 : 0;
}

}  // namespace

void divide_half_sets(particles::ParticleSet& set) {
  particles::complete_halves(set);
  const int half = lonely_half(set);
  if (half == 0) return;
  set.notes.push_back(fmt::format("all particles are in half-set {}: divided anew", half));
  for (auto& p : set.particles) p.half = 0;
  particles::complete_halves(set);
  if (lonely_half(set)) fail("{}: too few particles for two half-maps", set.source.string());
}

std::vector<std::uint32_t> members(const particles::ParticleSet& set) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < set.size(); ++i)
    if (set.particles[i].half != 0) order.push_back(i);
  return order;
}

}  // namespace cryoscape::density
