#include "cryoscape/inference/predicted_error.hpp"

#include <algorithm>
#include <cmath>

namespace cryoscape::inference {
namespace {

constexpr std::size_t kParticles = 512;

/// Entries of the heaviest modes of particles spread over the set.
std::vector<std::int64_t> heaviest_modes(const Expansions& e) {
  std::vector<std::int64_t> best;
  for (std::size_t m = 0; m < e.size(); ++m) {
    if (m == 0 || e.particle[m] != e.particle[m - 1])
      best.push_back(static_cast<std::int64_t>(m));
    else if (e.mass[m] > e.mass[static_cast<std::size_t>(best.back())])
      best.back() = static_cast<std::int64_t>(m);
  }
  std::vector<std::int64_t> kept;
  const auto count = std::min(kParticles, best.size());
  for (std::size_t i = 0; i < count; ++i) kept.push_back(best[i * best.size() / count]);
  return kept;
}

torch::Tensor rows_of(const std::vector<float>& values, const torch::Tensor& rows,
                      std::initializer_list<std::int64_t> shape) {
  std::vector<std::int64_t> all{-1};
  all.insert(all.end(), shape);
  return torch::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(values.size())})
      .view(all)
      .index_select(0, rows);
}

/// (3N): first principal axis of structures (M, 3N), M at least 2.
torch::Tensor principal_axis(const torch::Tensor& structures) {
  const auto centred = (structures - structures.mean(0)).to(torch::kFloat64);
  const auto [values, vectors] = torch::linalg_eigh(centred.mm(centred.t()), "L");
  const auto axis = centred.t().mv(vectors.select(1, vectors.size(1) - 1));
  return axis / axis.norm().clamp_min(1e-30);
}

}  // namespace

double predicted_error(model::HeterogeneityModel& model, const PriorExpander& prior,
                       const Expansions& expansions) {
  torch::NoGradGuard no_grad;
  const auto rows = torch::tensor(heaviest_modes(expansions), torch::kInt64);
  const auto d = static_cast<std::int64_t>(expansions.dim);
  const auto points = rows_of(expansions.point, rows, {d});
  const auto information = rows_of(expansions.information, rows, {d, d}).to(torch::kFloat64);
  const auto axis = principal_axis(model.decode(points).flatten(1)).to(torch::kFloat32);
  const auto precision = information + prior.expand(points).stiffness;
  std::vector<double> errors;
  for (std::int64_t i = 0; i < points.size(0); ++i) {
    const auto jacobian = model.decode_with_jacobian(points.narrow(0, i, 1)).second.flatten(2)[0];
    const auto along = jacobian.mv(axis).to(torch::kFloat64).unsqueeze(1);
    const auto variance = (along * torch::cholesky_solve(along, torch::linalg_cholesky(precision[i]))).sum();
    errors.push_back(std::sqrt(variance.item<double>() / static_cast<double>(model.scene().beads())));
  }
  std::nth_element(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2),
                   errors.end());
  return errors[errors.size() / 2];
}

}  // namespace cryoscape::inference
