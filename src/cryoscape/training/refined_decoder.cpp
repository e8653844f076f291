#include "cryoscape/training/refined_decoder.hpp"

#include <spdlog/spdlog.h>

#include "cryoscape/training/archive_file.hpp"
#include "cryoscape/training/trainer.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::training {
namespace fs = std::filesystem;

void write_refined_decoder(const RunFolder& folder, model::HeterogeneityModel& model) {
  torch::serialize::OutputArchive archive;
  save_model(archive, model);
  write_archive(folder.file("refined_decoder.pt"), archive);
}

void load_newest_model(const RunFolder& folder, model::HeterogeneityModel& model) {
  const auto checkpoint = folder.file("checkpoint.pt"), refined = folder.file("refined_decoder.pt");
  if (!fs::exists(refined) ||
      (fs::exists(checkpoint) && fs::last_write_time(refined) < fs::last_write_time(checkpoint)))
    return load_model_file(checkpoint, model);
  load_model_file(refined, model);
  spdlog::info("decoder: refined_decoder.pt, of cryoscape refine --joint");
}

double edge_stiffness(const RunFolder& folder) {
  const auto path = folder.file("checkpoint.pt");
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path.string(), torch::kCPU);
    torch::Tensor relaxation;
    archive.read("edge_relaxation", relaxation);
    return relaxation[0].item<double>();
  } catch (const std::exception&) {
    fail("{} is missing, damaged or of another model: train again", path.string());
  }
}

}  // namespace cryoscape::training
