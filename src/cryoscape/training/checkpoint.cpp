#include <algorithm>
#include <stdexcept>
#include <vector>

#include "cryoscape/torch.hpp"
#include "cryoscape/training/archive_file.hpp"
#include "cryoscape/training/trainer.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::training {
namespace {

torch::Tensor as_tensor(std::span<const double> values) {
  return torch::from_blob(const_cast<double*>(values.data()), {static_cast<std::int64_t>(values.size())},
                          torch::kFloat64)
      .clone();
}

std::vector<double> as_vector(const torch::Tensor& tensor) {
  const auto values = tensor.to(torch::kCPU);
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

std::vector<std::vector<std::int64_t>> shapes_of(const torch::nn::Module& module) {
  std::vector<std::vector<std::int64_t>> shapes;
  for (const auto& p : module.parameters()) shapes.push_back(p.sizes().vec());
  for (const auto& b : module.buffers()) shapes.push_back(b.sizes().vec());
  return shapes;
}

bool is_finite(const torch::nn::Module& module) {
  const auto finite = [](const torch::Tensor& t) { return torch::isfinite(t).all().item<bool>(); };
  const auto parameters = module.parameters(), buffers = module.buffers();
  return std::all_of(parameters.begin(), parameters.end(), finite) &&
         std::all_of(buffers.begin(), buffers.end(), finite);
}

/// State of an optimiser that may not exist, as a nested archive.
void save_optimiser(torch::serialize::OutputArchive& archive, const torch::optim::Optimizer* optimiser) {
  if (!optimiser) return;
  torch::serialize::OutputArchive nested;
  optimiser->save(nested);
  archive.write("prior_optimiser", nested);
}

}  // namespace

void save_model(torch::serialize::OutputArchive& archive, model::HeterogeneityModel& model) {
  torch::serialize::OutputArchive networks;
  model.save(networks);
  archive.write("model", networks);
  archive.write("spectral", as_tensor(model.spectral().state()));
}

void load_model(torch::serialize::InputArchive& archive, model::HeterogeneityModel& model) {
  torch::serialize::InputArchive networks;
  archive.read("model", networks);
  const auto shapes = shapes_of(model);
  model.load(networks);
  // Module::load takes tensors of any shape.
  if (shapes_of(model) != shapes) throw std::invalid_argument("networks of another shape");
  torch::Tensor spectral;
  archive.read("spectral", spectral);
  model.spectral().set_state(as_vector(spectral));
}

void load_model_file(const std::filesystem::path& checkpoint, model::HeterogeneityModel& model) {
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(checkpoint.string(), model.device());
    load_model(archive, model);
  } catch (const std::exception&) {
    fail("{} is missing, damaged or of another model: train again", checkpoint.string());
  }
}

void Trainer::save_checkpoint() {
  if (!group_.first()) return;
  if (!is_finite(model_))
    fail(
        "training diverged before step {}: the checkpoint before it stays; lower --learning-rate or choose "
        "another "
        "--prior",
        progress_.step);
  torch::serialize::OutputArchive archive;
  save_model(archive, model_);
  torch::serialize::OutputArchive optimiser;
  optimiser_.save(optimiser);
  archive.write("optimiser", optimiser);
  save_optimiser(archive, prior_trainer_.optimiser());
  archive.write("generator", generator_.get_state());
  archive.write("partition", torch::tensor({partition_.value, partition_.lower, partition_.upper,
                                            static_cast<double>(partition_.exact), prior_partition_.value},
                                           torch::kFloat64));
  archive.write("edge_variance",
                as_tensor(device_restraints_ ? device_restraints_->state() : restraints_.state()));
  archive.write("edge_relaxation", as_tensor(edges_.state()));
  archive.write("progress", torch::tensor({progress_.step, static_cast<std::int64_t>(progress_.epoch),
                                           progress_.offset, static_cast<std::int64_t>(warm_up_finished_)}));
  write_archive(folder_.file("checkpoint.pt"), archive);
}

void Trainer::load_checkpoint() {
  const auto path = folder_.file("checkpoint.pt");
  try {
    torch::serialize::InputArchive archive;
    // Whatever device it was written on.
    archive.load_from(path.string(), model_.device());
    load_model(archive, model_);
    torch::serialize::InputArchive optimiser, prior;
    archive.read("optimiser", optimiser);
    optimiser_.load(optimiser);
    if (auto* prior_optimiser = prior_trainer_.optimiser()) {
      archive.read("prior_optimiser", prior);
      prior_optimiser->load(prior);
    }
    torch::Tensor generator, variance, relaxation, progress, partition;
    archive.read("generator", generator);
    generator_.set_state(generator.to(torch::kCPU));
    archive.read("partition", partition);
    const auto z = as_vector(partition);
    partition_ = {z.at(0), z.at(1), z.at(2), z.at(3) != 0};
    prior_partition_.value = z.at(4);
    archive.read("edge_variance", variance);
    restraints_.set_state(as_vector(variance));
    if (device_restraints_) device_restraints_->set_state(restraints_.state());
    archive.read("edge_relaxation", relaxation);
    edges_.set_state(as_vector(relaxation));
    archive.read("progress", progress);
    progress = progress.to(torch::kCPU);
    const auto* p = progress.data_ptr<std::int64_t>();
    progress_ = {p[0], static_cast<int>(p[1]), p[2]};
    warm_up_finished_ = p[3] != 0;
  } catch (const std::exception&) {
    fail("{} is missing, damaged or of a run with other options: start again without --resume",
         path.string());
  }
}

}  // namespace cryoscape::training
