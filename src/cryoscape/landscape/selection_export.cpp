#include "cryoscape/landscape/selection_export.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cryoscape/landscape/particle_table.hpp"
#include "cryoscape/landscape/region.hpp"
#include "cryoscape/training/run.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

void check(const ExportRequest& request) {
  if (request.state.has_value() + request.region.has_value() + request.outliers.has_value() != 1)
    throw UsageError("what to export is not clear: give one of --state, --region and --outliers");
  const auto extension = request.out.extension();
  if (extension != ".star" && extension != ".cs")
    throw UsageError(fmt::format("--out {}: its name must end with .star or .cs", request.out.string()));
  if (!request.force && fs::exists(request.out))
    fail("{} exists: choose another --out, or overwrite it with --force", request.out.string());
}

/// The run's particles as their file has them; images are not looked for.
particles::ParticleSet read_set(const fs::path& run) {
  const auto input = training::read_config(training::RunFolder::open(run)).settings.input;
  particles::ReadOptions read;
  if (input.dir) read.dir = *input.dir;
  if (input.subset) read.subset = *input.subset;
  read.half = input.half;
  read.images_required = false;
  return particles::read_particles(input.particles, read);
}

std::vector<std::size_t> of_state(const ParticleTable& table, int state) {
  const auto& states = table.find("state")->values;
  const auto last = static_cast<int>(*std::max_element(states.begin(), states.end()));
  if (state < 1 || state > last)
    fail("there is no state {}: the landscape has {}", state,
         last > 0 ? fmt::format("states 1 to {}", last) : "none");
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < states.size(); ++i)
    if (static_cast<int>(states[i]) == state) out.push_back(i);
  return out;
}

std::vector<std::size_t> in_region(const ParticleTable& table, const std::string& region) {
  const auto inside = particles_in_region(region, table);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < inside.size(); ++i)
    if (inside[i]) out.push_back(i);
  return out;
}

/// Unusable particles have no score and are left in.
std::vector<std::size_t> strangest(const ParticleTable& table, double per_cent) {
  const auto& score = table.find("outlier")->values;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < score.size(); ++i)
    if (std::isfinite(score[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return score[a] > score[b]; });
  order.resize(static_cast<std::size_t>(std::lround(per_cent / 100 * static_cast<double>(order.size()))));
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

ExportCount export_particles(const fs::path& run, const ExportRequest& request) {
  check(request);
  const auto set = read_set(run);
  const auto table = read_particle_table(run, set.size());
  const auto chosen = request.state    ? of_state(table, *request.state)
                      : request.region ? in_region(table, *request.region)
                                       : strangest(table, *request.outliers);
  if (chosen.empty()) fail("no particle is chosen: nothing is written to {}", request.out.string());
  const auto subset = particles::chosen_of(set, chosen);
  if (request.out.extension() == ".cs")
    particles::write_particles_cs(request.out, subset);
  else
    particles::write_particles_star(request.out, subset, star_columns(table, chosen));
  return {chosen.size(), set.size()};
}

}  // namespace cryoscape::landscape
