#include "cryoscape/density/run_conformations.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/torch.hpp"
#include "cryoscape/training/run_latents.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::density {
namespace {

constexpr std::size_t kBatchFloats = 8 << 20;

/// Covariances that belong to the posterior means of a file.
std::vector<float> covariances(const training::Run& run, const std::string& means, std::size_t rows,
                               std::size_t dim) {
  if (means == "refined_mean.npy") {
    const auto path = run.folder.file("refined_cov.npy");
    const auto array = io::read_npy(path);
    if (array.shape != std::vector<std::size_t>{rows, dim, dim})
      fail("{} does not fit refined_mean.npy: run cryoscape refine again", path.string());
    std::vector<float> out(rows * dim * dim);
    const auto& field = array.fields.front();
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < dim * dim; ++k)
        out[i * dim * dim + k] = static_cast<float>(array.number(field, i, k));
    return out;
  }
  const auto deviation = training::read_latents(run, "latent_std.npy");
  std::vector<float> out(rows * dim * dim, 0.0f);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < dim; ++k) {
      const float s = deviation.values[i * dim + k];
      out[(i * dim + k) * dim + k] = s * s;
    }
  return out;
}

}  // namespace

std::vector<float> RunConformations::decode(std::span<const std::uint32_t> particles) const {
  std::vector<float> z;
  z.reserve(particles.size() * mean.columns);
  for (const auto i : particles) {
    const auto* row = mean.values.data() + i * mean.columns;
    z.insert(z.end(), row, row + mean.columns);
  }
  return training::decode_latents(*run->model, z);
}

void RunConformations::stream(
    std::span<const std::uint32_t> particles, const std::string& label,
    const std::function<void(std::span<const std::uint32_t>, std::span<const float>)>& take) const {
  const auto length = run->data.scene().coordinates.size();
  const auto batch = std::clamp<std::size_t>(kBatchFloats / length, 16, 4096);
  Progress progress(label, particles.size(), "structures");
  for (std::size_t begin = 0; begin < particles.size(); begin += batch) {
    throw_if_interrupted();
    const auto part = particles.subspan(begin, std::min(batch, particles.size() - begin));
    take(part, decode(part));
    progress.advance(part.size());
  }
}

RunConformations open_conformations(training::Run& run) {
  RunConformations out;
  out.run = &run;
  const auto name = training::best_latents(run);
  out.mean = training::read_latents(run, name);
  out.covariance = covariances(run, name, out.mean.rows, out.mean.columns);
  for (std::uint32_t i = 0; i < out.mean.rows; ++i) {
    const auto* row = out.mean.values.data() + i * out.mean.columns;
    if (std::all_of(row, row + out.mean.columns, [](float v) { return std::isfinite(v); }))
      out.usable.push_back(i);
  }
  if (out.usable.empty()) fail("{}: no particle has finite latents", run.folder.file(name).string());
  return out;
}

Proximity measure_proximity(const RunConformations& conformations,
                            std::span<const std::vector<float>> targets) {
  torch::NoGradGuard no_grad;
  const auto& model = *conformations.run->model;
  const auto dim = conformations.mean.columns, length = targets.front().size();
  Proximity out(conformations.mean.rows, targets.size(), dim);
  const auto batch = std::clamp<std::size_t>(kBatchFloats / (length * (dim + 1)), 1, 512);
  Progress progress("distances", conformations.usable.size(), "particles");
  for (std::size_t begin = 0; begin < conformations.usable.size(); begin += batch) {
    throw_if_interrupted();
    const auto count = std::min(batch, conformations.usable.size() - begin);
    const auto rows = std::span(conformations.usable).subspan(begin, count);
    auto z = torch::empty({static_cast<std::int64_t>(count), static_cast<std::int64_t>(dim)});
    for (std::size_t k = 0; k < count; ++k)
      std::copy_n(conformations.mean.values.data() + rows[k] * dim, dim, z.data_ptr<float>() + k * dim);
    auto [x, jacobian] = model.decode_with_jacobian(z);
    x = x.contiguous(), jacobian = jacobian.contiguous();
    const float *positions = x.data_ptr<float>(), *slopes = jacobian.data_ptr<float>();
    parallel_for(count, [&](std::size_t k) {
      out.set(rows[k], {positions + k * length, length}, {slopes + k * dim * length, dim * length},
              {conformations.covariance.data() + rows[k] * dim * dim, dim * dim}, targets);
    });
    progress.advance(count);
  }
  return out;
}

}  // namespace cryoscape::density
