#include "cryoscape/inference/refitted_prior.hpp"

#include <exception>
#include <ostream>

#include "cryoscape/inference/module_state.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::inference {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kSamples = 1000;
constexpr const char* kFile = "refitted_prior.pt";

}  // namespace

void write_refitted_prior(training::Run& run, const RefitReport& report) {
  auto& prior = run.model->prior();
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(
      static_cast<std::uint64_t>(run.settings.training.seed) + 81);
  const auto z = prior.sample(kSamples, generator).to(torch::kCPU, torch::kFloat32).contiguous();
  torch::serialize::OutputArchive archive;
  archive.write("state", state_of(prior));
  // Through a stream of ours: libtorch's own file writer ends the process when the disk is full.
  replace_file_stream(run.folder.file(kFile), [&](std::ostream& stream) {
    archive.save_to([&](const void* data, std::size_t bytes) {
      stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
      return bytes;
    });
  });
  io::write_npy(run.folder.file("refitted_prior_samples.npy"),
                {static_cast<std::size_t>(kSamples), static_cast<std::size_t>(z.size(1))},
                {z.data_ptr<float>(), static_cast<std::size_t>(z.numel())});
  replace_text_file(run.folder.file("refitted_prior.json"), to_json(report).dump(2) + "\n");
}

bool open_refitted_prior(training::Run& run) {
  const auto path = run.folder.file(kFile);
  if (!fs::exists(path) || fs::last_write_time(path) < fs::last_write_time(run.folder.file("checkpoint.pt")))
    return false;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path.string(), run.model->device());
    c10::IValue state;
    archive.read("state", state);
    set_state(run.model->prior(), state.toTensorVector());
  } catch (const std::exception&) {
    fail("{} is damaged or of another model: run cryoscape refine again", path.string());
  }
  return true;
}

}  // namespace cryoscape::inference
