#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cryoscape/landscape/cloud.hpp"
#include "cryoscape/landscape/landscape.hpp"
#include "cryoscape/landscape/model_files.hpp"
#include "cryoscape/landscape/state_models.hpp"

/// The files of a landscape, for write_landscape.
namespace cryoscape::landscape {

/// Everything that is found before anything is written.
struct Findings {
  StructureSpace space;
  Cloud cloud;
  StateSet states;
};

/// Models of the states, in their order.
std::vector<Model> models_of_states(const Conformations& conformations, const Findings& found);

/// Writes the states' models, with all atoms too where the reference has them. Returns the files, relative to
/// the run's folder.
std::vector<std::string> write_state_models(const training::Run& run, const std::vector<Model>& models,
                                            ModelFiles& files);

/// Writes models along each component.
void write_series(const training::Run& run, const Conformations& conformations, const Findings& found,
                  ModelFiles& files);

/// Writes components.npy and assignments.npy.
void write_tables(const training::Run& run, const Conformations& conformations, const Findings& found);

/// Writes particles.star from the arrays in the run's folder.
void write_particles(const training::Run& run);

/// states.json, given the states' model files.
nlohmann::json states_json(const LandscapeSummary& summary, const std::vector<std::string>& models);

/// The part of landscape.json that is about clusters.
nlohmann::json landscape_json(const Findings& found, const LandscapeOptions& options);

}  // namespace cryoscape::landscape
