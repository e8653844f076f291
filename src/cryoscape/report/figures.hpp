#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/report/run_arrays.hpp"
#include "cryoscape/report/run_record.hpp"

namespace cryoscape::report {

/// A figure of the page.
struct Figure {
  std::string name;     ///< of its file when saved, without extension; unique in the page
  std::string svg;      ///< stands alone
  std::string caption;  ///< plain text
};

/// Training and held-out bound by epoch, the latter with a band of one standard error. Needs an epoch.
Figure bound_figure(const TrainingRecord& training);
/// KL term, restraint energy and χ² by epoch. Needs an epoch.
Figure terms_figure(const TrainingRecord& training);

/// Particles in the plane of the first two principal components of their structures, coloured by state, with
/// their density and the distribution along the first; with one component the distribution alone. Needs
/// components.
Figure component_figure(const RunArrays& arrays, const RunRecord& record);
/// The same for the first two latents. Needs latents.
Figure latent_figure(const RunArrays& arrays, const RunRecord& record);
/// Particles in the plane of the embedding, coloured by state. Needs an embedding of two dimensions.
Figure embedding_figure(const RunArrays& arrays, const RunRecord& record);

/// The embedding coloured by the evidence of a particle, and by the prior's energy. Need an embedding of two
/// dimensions and the scores of outliers.
Figure embedding_evidence_figure(const RunArrays& arrays, const RunRecord& record);
Figure embedding_energy_figure(const RunArrays& arrays);
/// Histogram of the evidence of a particle, with the threshold below which lie the outliers. Needs the scores
/// of outliers.
Figure outlier_figure(const RunArrays& arrays, const RunRecord& record);

/// Free energy along one variable with its errors, states and barriers; beside it what the posterior means,
/// single Gaussians and the prior say. Nothing where the run has none.
std::optional<Figure> free_energy_figure(const LandscapeRecord& landscape);
/// Free energy along two variables as filled contours, with its minima. Nothing where the run has none.
std::optional<Figure> surface_figure(const LandscapeRecord& landscape);
/// Disconnectivity tree of the minima. Nothing with fewer than two.
std::optional<Figure> tree_figure(const LandscapeRecord& landscape);
/// Energy along the minimum-energy paths. Nothing where there are none.
std::optional<Figure> path_figure(const LandscapeRecord& landscape);

/// FSC of the half-maps of every conformation that has a map. Nothing where there are none.
std::optional<Figure> fsc_figure(const std::vector<MapRecord>& maps);

/// Populations of the states with their errors, and their energies. Needs a state.
Figure population_figure(const StateTable& table);
/// Share of the structures' variance by principal component. Needs a component.
Figure variance_figure(const std::vector<ComponentRecord>& components);
/// What each latent carries: spread of the posterior means beside the posteriors' width. Needs both arrays.
Figure latent_width_figure(const RunArrays& arrays);

}  // namespace cryoscape::report
