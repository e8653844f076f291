#pragma once
#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/training/run_folder.hpp"

namespace cryoscape::training {

/// Writes refined_decoder.pt, a model whose decoder, gain and noise went on from the checkpoint's. The
/// checkpoint stays as it is.
void write_refined_decoder(const RunFolder& folder, model::HeterogeneityModel& model);

/// Loads a run's model: refined_decoder.pt, and the log says so, where that is not older than the checkpoint;
/// else the checkpoint. Throws Error if the file is missing, damaged or of another model.
void load_newest_model(const RunFolder& folder, model::HeterogeneityModel& model);

/// Stiffness of the elastic edges when a run's checkpoint was written, kT/Å². Throws Error as above.
double edge_stiffness(const RunFolder& folder);

}  // namespace cryoscape::training
