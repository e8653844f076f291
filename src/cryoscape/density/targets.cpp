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

/// Row m of rows of `length` values.
std::vector<float> part(const std::vector<float>& values, std::size_t m, std::size_t length) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(m * length);
  return {begin, begin + static_cast<std::ptrdiff_t>(length)};
}

std::vector<Target> decoded(const RunConformations& conformations, const fs::path& path) {
  const auto latents = io::read_npy_matrix(path);
  if (latents.columns != conformations.mean.columns)
    fail("{} has {} columns, but the model's latents have {} dimensions", path.string(), latents.columns,
         conformations.mean.columns);
  const auto all = training::decode_latents(*conformations.run->model, latents.values);
  const auto length = conformations.run->data.scene().coordinates.size();
  std::vector<Target> out;
  for (std::size_t m = 0; m < latents.rows; ++m)
    out.push_back({fmt::format("model_{:03}", m + 1), static_cast<int>(m) + 1, part(all, m, length),
                   part(latents.values, m, latents.columns)});
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
                   state["id"].get<int>(),
                   read_positions(run, run.folder.file(state["model"].get<std::string>())).front(),
                   {}});
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

using Distance = double (*)(std::span<const float>, std::span<const float>);

/// Rows of the particles whose conformations are nearest to each model.
std::vector<std::vector<std::uint32_t>> nearest_rows(const RunConformations& conformations,
                                                     std::span<const std::span<const float>> models,
                                                     Distance distance) {
  const auto length = models.front().size();
  std::vector<std::uint32_t> searched;
  const auto step = std::max<std::size_t>(1, conformations.usable.size() / kSearched);
  for (std::size_t i = 0; i < conformations.usable.size(); i += step)
    searched.push_back(conformations.usable[i]);
  std::vector<Nearest> nearest(models.size());
  conformations.stream(searched, "placing models",
                       [&](std::span<const std::uint32_t> rows, std::span<const float> x) {
                         std::vector<double> distances(rows.size());
                         for (std::size_t m = 0; m < models.size(); ++m) {
                           parallel_for(rows.size(), [&](std::size_t k) {
                             distances[k] = distance(models[m], x.subspan(k * length, length));
                           });
                           nearest[m].take(rows, distances);
                         }
                       });
  std::vector<std::vector<std::uint32_t>> out(models.size());
  for (std::size_t m = 0; m < models.size(); ++m)
    for (const auto& [far, row] : nearest[m].found) out[m].push_back(row);
  return out;
}

std::vector<float> mean_of_rows(std::span<const float> values, std::size_t length) {
  std::vector<float> mean(length, 0.0f);
  const auto share = static_cast<float>(length) / static_cast<float>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) mean[i % length] += share * values[i];
  return mean;
}

std::vector<float> mean_latent(const RunConformations& conformations, std::span<const std::uint32_t> rows) {
  const auto d = conformations.mean.columns;
  std::vector<float> latents;
  for (const auto i : rows) {
    const auto row = std::span(conformations.mean.values).subspan(i * d, d);
    latents.insert(latents.end(), row.begin(), row.end());
  }
  return mean_of_rows(latents, d);
}

/// Moves models onto the mean of the conformations nearest to each, and takes their mean latents.
void place(const RunConformations& conformations, std::vector<Target>& targets) {
  std::vector<std::span<const float>> models;
  for (const auto& target : targets) models.emplace_back(target.model);
  const auto rows = nearest_rows(conformations, models, geometry::superposed_rmsd);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const auto mean = mean_of_rows(conformations.decode(rows[t]), targets[t].model.size());
    targets[t].model = geometry::transformed(geometry::superpose(targets[t].model, mean), targets[t].model);
    targets[t].latent = mean_latent(conformations, rows[t]);
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
      out.push_back({fmt::format("model_{:03}", out.size() + 1),
                     static_cast<int>(out.size()) + 1,
                     std::move(positions),
                     {}});
  }
  if (out.empty()) fail("{} has no states", run.folder.path().string());
  place(conformations, out);
  return out;
}

std::vector<float> nearest_latent(const RunConformations& conformations, std::span<const float> model) {
  const std::span<const float> models[] = {model};
  return mean_latent(conformations, nearest_rows(conformations, models, geometry::rmsd).front());
}

}  // namespace cryoscape::density
