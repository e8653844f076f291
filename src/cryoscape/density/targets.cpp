#include "cryoscape/density/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kNearest = 50, kSearched = 20000;

std::vector<Target> decoded(const RunConformations& conformations, const fs::path& path) {
  const auto latents = io::read_npy_matrix(path);
  if (latents.columns != conformations.mean.columns)
    fail("{} has {} columns, but the model's latents have {} dimensions", path.string(), latents.columns,
         conformations.mean.columns);
  const auto all = training::decode_latents(*conformations.run->model, latents.values);
  const auto length = conformations.run->data.scene().coordinates.size();
  std::vector<Target> out;
  for (std::size_t m = 0; m < latents.rows; ++m)
    out.push_back({fmt::format("model_{:03}", m + 1),
                   {all.begin() + static_cast<std::ptrdiff_t>(m * length),
                    all.begin() + static_cast<std::ptrdiff_t>((m + 1) * length)}});
  return out;
}

std::vector<std::vector<float>> read_positions(const training::Run& run, const fs::path& path) {
  std::vector<std::vector<float>> out;
  for (const auto& model : io::read_models(path)) {
    auto positions = io::positions_of(model);
    if (positions.size() != run.data.scene().coordinates.size())
      fail(
          "{} has models of {} atoms, but the run's have {} beads: give models that cryoscape landscape or "
          "decode wrote",
          path.string(), positions.size() / 3, run.data.scene().beads());
    for (std::size_t i = 0; i < positions.size(); ++i)
      positions[i] -= static_cast<float>(run.data.grid.centre[i % 3]);
    out.push_back(std::move(positions));
  }
  return out;
}

std::vector<Target> states(const training::Run& run) {
  const auto path = run.folder.file("states.json");
  if (!fs::exists(path)) fail("{} does not exist: run cryoscape landscape first", path.string());
  const auto json = nlohmann::json::parse(read_text_file(path), nullptr, false);
  if (json.is_discarded() || !json.contains("states"))
    fail("{} is damaged: run cryoscape landscape again", path.string());
  std::vector<Target> out;
  for (const auto& state : json["states"])
    out.push_back({fmt::format("state_{:02}", state["id"].get<int>()),
                   read_positions(run, run.folder.file(state["model"].get<std::string>())).front()});
  return out;
}

/// Distances after superposition of the nearest conformations to a model, and their rows.
struct Nearest {
  std::vector<std::pair<double, std::uint32_t>> found;  ///< ascending

  void take(std::span<const std::uint32_t> rows, const std::vector<double>& distances) {
    for (std::size_t k = 0; k < rows.size(); ++k) found.emplace_back(distances[k], rows[k]);
    const auto keep = std::min(kNearest, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(keep), found.end());
    found.resize(keep);
  }
};

/// Moves models onto the mean of the conformations nearest to each.
void place(const RunConformations& conformations, std::vector<Target>& targets) {
  const auto length = targets.front().model.size();
  std::vector<std::uint32_t> searched;
  const auto step = std::max<std::size_t>(1, conformations.usable.size() / kSearched);
  for (std::size_t i = 0; i < conformations.usable.size(); i += step)
    searched.push_back(conformations.usable[i]);
  std::vector<Nearest> nearest(targets.size());
  conformations.stream(
      searched, "placing models", [&](std::span<const std::uint32_t> rows, std::span<const float> x) {
        std::vector<double> distances(rows.size());
        for (std::size_t t = 0; t < targets.size(); ++t) {
          parallel_for(rows.size(), [&](std::size_t k) {
            distances[k] = geometry::superposed_rmsd(targets[t].model, x.subspan(k * length, length));
          });
          nearest[t].take(rows, distances);
        }
      });
  for (std::size_t t = 0; t < targets.size(); ++t) {
    std::vector<std::uint32_t> rows;
    for (const auto& [distance, row] : nearest[t].found) rows.push_back(row);
    const auto x = conformations.decode(rows);
    std::vector<float> mean(length, 0.0f);
    for (std::size_t i = 0; i < x.size(); ++i) mean[i % length] += x[i] / static_cast<float>(rows.size());
    targets[t].model = geometry::transformed(geometry::superpose(targets[t].model, mean), targets[t].model);
  }
}

}  // namespace

std::vector<Target> find_targets(const RunConformations& conformations, const std::string& at) {
  const auto& run = *conformations.run;
  const fs::path path(at);
  if (path.extension() == ".npy") return decoded(conformations, path);
  std::vector<Target> out;
  if (at == "states") {
    out = states(run);
  } else {
    for (auto& positions : read_positions(run, path))
      out.push_back({fmt::format("model_{:03}", out.size() + 1), std::move(positions)});
  }
  if (out.empty()) fail("{} has no states", run.folder.path().string());
  place(conformations, out);
  return out;
}

}  // namespace cryoscape::density
