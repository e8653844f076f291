#pragma once
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

/// Populations of the states with their errors, and their energies. Needs a state.
Figure population_figure(const StateTable& table);
/// Share of the structures' variance by principal component. Needs a component.
Figure variance_figure(const std::vector<ComponentRecord>& components);
/// What each latent carries: spread of the posterior means beside the posteriors' width. Needs both arrays.
Figure latent_width_figure(const RunArrays& arrays);

}  // namespace cryoscape::report
