#include "cryoscape/report/run_figures.hpp"

#include <algorithm>
#include <string_view>

#include "cryoscape/util/files.hpp"

namespace cryoscape::report {
namespace {

/// The names of all figures that a run can have.
constexpr std::array<std::string_view, 16> kNames{"populations",
                                                  "components",
                                                  "variance",
                                                  "embedding",
                                                  "free-energy",
                                                  "free-energy-surface",
                                                  "tree",
                                                  "paths",
                                                  "outliers",
                                                  "embedding-evidence",
                                                  "embedding-energy",
                                                  "bound",
                                                  "terms",
                                                  "latents",
                                                  "latent-widths",
                                                  "fsc"};

void add(std::vector<Figure>& list, std::optional<Figure> figure) {
  if (figure) list.push_back(std::move(*figure));
}

void draw_particles(const RunRecord& record, const RunArrays& arrays, RunFigures& out) {
  const bool plane = !arrays.embedding[1].empty(), scores = !arrays.evidence.empty();
  if (!arrays.components[0].empty()) out.conformations.push_back(component_figure(arrays, record));
  if (!record.landscape.components.empty())
    out.conformations.push_back(variance_figure(record.landscape.components));
  if (plane) out.conformations.push_back(embedding_figure(arrays, record));
  if (plane && scores) out.conformations.push_back(embedding_energy_figure(arrays));
  if (scores) out.outliers.push_back(outlier_figure(arrays, record));
  if (plane && scores) out.outliers.push_back(embedding_evidence_figure(arrays, record));
  if (arrays.latents[0].empty()) return;
  out.latents.push_back(latent_figure(arrays, record));
  if (!arrays.spread.empty() && !arrays.width.empty()) out.latents.push_back(latent_width_figure(arrays));
}

}  // namespace

std::vector<const Figure*> RunFigures::all() const {
  std::vector<const Figure*> out;
  for (const auto* list : {&states, &conformations, &energy, &maps, &outliers, &training, &latents})
    for (const auto& figure : *list) out.push_back(&figure);
  return out;
}

RunFigures run_figures(const RunRecord& record, const RunArrays& arrays) {
  RunFigures out;
  if (record.states && !record.states->states.empty())
    out.states.push_back(population_figure(*record.states));
  draw_particles(record, arrays, out);
  add(out.energy, free_energy_figure(record.landscape));
  add(out.energy, surface_figure(record.landscape));
  add(out.energy, tree_figure(record.landscape));
  add(out.energy, path_figure(record.landscape));
  add(out.maps, fsc_figure(record.maps));
  if (!record.training.epochs.empty())
    out.training = {bound_figure(record.training), terms_figure(record.training)};
  return out;
}

void write_figures(const RunFigures& figures, const std::filesystem::path& run_folder) {
  const auto folder = run_folder / "figures";
  const auto all = figures.all();
  for (const auto* figure : all) replace_text_file(folder / (figure->name + ".svg"), figure->svg);
  for (const auto name : kNames)
    if (std::none_of(all.begin(), all.end(), [&](const auto* figure) { return figure->name == name; }))
      std::filesystem::remove(folder / (std::string(name) + ".svg"));
}

}  // namespace cryoscape::report
