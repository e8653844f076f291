#include "cryoscape/landscape/half_agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

double smallest_distance(std::span<const HalfState> states) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t a = 0; a < states.size(); ++a)
    for (std::size_t b = a + 1; b < states.size(); ++b)
      least = std::min(least, geometry::superposed_rmsd(states[a].positions, states[b].positions));
  return least;
}

void check_beads(std::span<const HalfState> own, std::span<const HalfState> other) {
  for (const auto& a : own)
    for (const auto& b : other)
      if (a.positions.size() != b.positions.size())
        fail("the runs of the two half-sets have models of {} and {} beads: train both on one model",
             a.positions.size() / 3, b.positions.size() / 3);
}

}  // namespace

bool HalfAgreement::found_in_both(std::size_t own_state) const {
  return std::any_of(matches.begin(), matches.end(), [&](const HalfMatch& m) { return m.own == own_state; });
}

HalfAgreement compare_halves(std::span<const HalfState> own, std::span<const HalfState> other) {
  check_beads(own, other);
  HalfAgreement out;
  out.own = own.size(), out.other = other.size();
  out.tolerance = 0.5 * std::min(smallest_distance(own), smallest_distance(other));
  for (std::size_t a = 0; a < own.size(); ++a)
    for (std::size_t b = 0; b < other.size(); ++b) {
      const double rmsd = geometry::superposed_rmsd(own[a].positions, other[b].positions);
      if (!(rmsd < out.tolerance)) continue;
      out.matches.push_back({a, b, rmsd, own[a].population - other[b].population,
                             std::hypot(own[a].population_error, other[b].population_error)});
      out.agreement += std::min(own[a].population, other[b].population);
    }
  return out;
}

std::vector<HalfState> read_half_states(const fs::path& run) {
  const auto path = run / "states.json";
  if (!fs::exists(path))
    fail("{} does not exist: run cryoscape landscape on that half-set first", path.string());
  std::vector<HalfState> out;
  try {
    const auto states = json::parse(read_text_file(path));
    for (const auto& state : states.at("states")) {
      const auto models = io::read_models(run / state.at("model").get<std::string>());
      out.push_back({state.at("population"), state.at("population_error"), io::positions_of(models.front())});
    }
  } catch (const json::exception& e) {
    fail("{} is damaged ({}): run cryoscape landscape on that half-set again", path.string(), e.what());
  }
  return out;
}

void keep_found_in_both(StateSet& states, const HalfAgreement& agreement) {
  std::vector<int> renumbered(states.states.size() + 1, 0);
  std::vector<State> kept;
  for (std::size_t s = 0; s < states.states.size(); ++s) {
    if (!agreement.found_in_both(s)) continue;
    kept.push_back(std::move(states.states[s]));
    renumbered[s + 1] = static_cast<int>(kept.size());
  }
  states.states = std::move(kept);
  if (!states.states.empty())
    for (const double least = states.states.front().energy; auto& state : states.states)
      state.energy -= least;
  for (int& s : states.assignment) s = renumbered[static_cast<std::size_t>(s)];
  std::vector<Barrier> barriers;
  for (auto b : states.barriers) {
    const int a = renumbered[b.a + 1], c = renumbered[b.b + 1];
    if (a == 0 || c == 0) continue;
    b.a = static_cast<std::size_t>(a - 1), b.b = static_cast<std::size_t>(c - 1);
    barriers.push_back(b);
  }
  states.barriers = std::move(barriers);
}

json half_agreement_json(const HalfAgreement& agreement, const fs::path& run) {
  json matches = json::array();
  for (const auto& m : agreement.matches)
    matches.push_back({{"states", {m.own + 1, m.other + 1}},
                       {"rmsd", m.rmsd},
                       {"population_difference", m.difference},
                       {"error", m.error}});
  return {{"run", run.string()},
          {"agreement", agreement.agreement},
          {"tolerance", std::isfinite(agreement.tolerance) ? json(agreement.tolerance) : json(nullptr)},
          {"states", {agreement.own, agreement.other}},
          {"kept", agreement.matches.size()},
          {"matches", matches}};
}

}  // namespace cryoscape::landscape
