#include "cryoscape/inference/likelihood_table.hpp"

#include <algorithm>

#include "cryoscape/model/device_batch.hpp"
#include "cryoscape/model/no_particle.hpp"
#include "cryoscape/training/dataset.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::inference {
namespace {

constexpr int kBatch = 128;

/// One structure's place in a batch of particles: (B, N, 3).
torch::Tensor spread(const torch::Tensor& structure, std::int64_t particles) {
  return structure.unsqueeze(0).expand({particles, -1, -1}).contiguous();
}

struct Column {
  torch::Tensor value, slope;  ///< (B) on the CPU
};

/// Log likelihoods of a batch at one structure (N, 3), and their slopes along a tangent, if it is defined.
Column score_node(model::HeterogeneityModel& model, const particles::Batch& batch,
                  const torch::Tensor& structure, const torch::Tensor& tangent) {
  auto x = spread(structure, batch.size());
  if (!tangent.defined()) {
    torch::NoGradGuard no_grad;
    return {model.score(x, batch, false).log_likelihood.to(torch::kCPU), {}};
  }
  x.requires_grad_();
  const auto score = model.score(x, batch, false).log_likelihood;
  const auto gradient = torch::autograd::grad({score.sum()}, {x})[0];
  return {score.detach().to(torch::kCPU), (gradient * tangent).sum({1, 2}).to(torch::kCPU)};
}

torch::Tensor as_structures(const model::HeterogeneityModel& model, std::span<const float> values,
                            const char* what) {
  const auto beads = static_cast<std::int64_t>(model.scene().beads());
  if (values.empty() || values.size() % (3 * beads) != 0)
    fail("{} to tabulate have {} coordinates, which is no multiple of the model's {} beads", what,
         values.size(), beads);
  const auto count = static_cast<std::int64_t>(values.size()) / (3 * beads);
  return torch::from_blob(const_cast<float*>(values.data()), {count, beads, 3}).to(model.device());
}

void copy_column(const torch::Tensor& column, std::size_t first, std::size_t k, std::size_t nodes,
                 std::vector<float>& out) {
  const auto values = column.contiguous();
  const float* v = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.size(0); ++i) out[(first + i) * nodes + k] = v[i];
}

}  // namespace

LikelihoodTable tabulate(model::HeterogeneityModel& model, const training::Dataset& data,
                         std::span<const float> structures, std::span<const float> tangents,
                         std::span<const std::uint32_t> particles) {
  const auto x = as_structures(model, structures, "the structures");
  const auto t = tangents.empty() ? torch::Tensor() : as_structures(model, tangents, "the tangents");
  if (t.defined() && t.size(0) != x.size(0))
    fail("there are {} structures to tabulate, but {} tangents", x.size(0), t.size(0));
  LikelihoodTable table;
  table.nodes = static_cast<std::size_t>(x.size(0));
  particles::ParticleLoader loader(data.particles,
                                   data.loader_options(kBatch, false, model.options().ctf_box == "wide"));
  std::vector<std::uint32_t> order(particles.begin(), particles.end());
  std::sort(order.begin(), order.end());
  loader.start(std::move(order));
  Progress progress("tabulating likelihoods", particles.size(), "particles");
  for (particles::Batch batch; loader.next(batch);) {
    throw_if_interrupted();
    progress.advance(static_cast<std::size_t>(batch.consumed));
    if (batch.size() == 0) continue;
    const std::size_t first = table.size();
    const auto* rows = batch.indices.data_ptr<std::int64_t>();
    table.particle.insert(table.particle.end(), rows, rows + batch.size());
    table.value.resize(table.size() * table.nodes);
    if (t.defined()) table.slope.resize(table.value.size());
    const auto floor = torch::empty(batch.size());
    model::no_particle_likelihood(model.spectral(), model::view(batch, {}),
                                  {floor.data_ptr<float>(), static_cast<std::size_t>(batch.size())});
    batch = model::on_device(std::move(batch), model.device());
    for (std::size_t k = 0; k < table.nodes; ++k) {
      const auto node = static_cast<std::int64_t>(k);
      const auto column = score_node(model, batch, x[node], t.defined() ? t[node] : torch::Tensor());
      copy_column(column.value - floor, first, k, table.nodes, table.value);
      if (t.defined()) copy_column(column.slope, first, k, table.nodes, table.slope);
    }
  }
  return table;
}

}  // namespace cryoscape::inference
