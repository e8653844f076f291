#include "cryoscape/inference/mixture_posterior.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {

using FloatVector = Eigen::Map<const Eigen::VectorXf>;
using FloatMatrix = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// One expansion in double precision.
struct Entry {
  Eigen::VectorXd point, score;
  Eigen::MatrixXd information;
  double log_ratio;
};

Entry entry_of(const Expansions& e, std::size_t m) {
  const auto d = static_cast<Eigen::Index>(e.dim);
  const Eigen::MatrixXd f = FloatMatrix(e.information.data() + m * e.dim * e.dim, d, d).cast<double>();
  return {FloatVector(e.point.data() + m * e.dim, d).cast<double>(),
          FloatVector(e.score.data() + m * e.dim, d).cast<double>(), 0.5 * (f + f.transpose()),
          e.log_ratio[m]};
}

PosteriorPart part_of(const PreparedComponent& c, const Entry& e, std::uint32_t particle) {
  const Eigen::VectorXd offset = c.mean - e.point;
  const Eigen::VectorXd pull = e.information * offset, gradient = e.score - pull;
  const Eigen::LLT<Eigen::MatrixXd> llt(c.precision + e.information);
  if (llt.info() != Eigen::Success)
    fail("the information of particle {} has negative eigenvalues: run cryoscape refine again", particle + 1);
  PosteriorPart part;
  const Eigen::VectorXd step = llt.solve(gradient);
  part.mean = c.mean + step;
  part.precision_root = llt.matrixL();
  part.log_mass = c.log_weight + e.log_ratio + e.score.dot(offset) - 0.5 * offset.dot(pull) +
                  0.5 * gradient.dot(step) + 0.5 * c.log_det_precision -
                  part.precision_root.diagonal().array().log().sum();
  return part;
}

}  // namespace

std::vector<EntryRange> entry_ranges(std::span<const std::uint32_t> particle) {
  std::vector<EntryRange> out;
  for (std::size_t m = 0; m < particle.size(); ++m) {
    if (out.empty() || out.back().particle != particle[m]) out.push_back({particle[m], m, m});
    out.back().last = m + 1;
  }
  return out;
}

void check(const Expansions& e) {
  const auto finite = [](const std::vector<float>& values, std::size_t m, std::size_t columns) {
    return std::all_of(values.begin() + static_cast<std::ptrdiff_t>(m * columns),
                       values.begin() + static_cast<std::ptrdiff_t>((m + 1) * columns),
                       [](float x) { return std::isfinite(x); });
  };
  for (std::size_t m = 0; m < e.size(); ++m)
    if (!finite(e.point, m, e.dim) || !finite(e.score, m, e.dim) ||
        !finite(e.information, m, e.dim * e.dim) || !finite(e.log_ratio, m, 1))
      fail("the likelihood of particle {} is not finite: leave the particle out", e.particle[m] + 1);
}

std::vector<PosteriorPart> posterior_of(const std::vector<PreparedComponent>& mixture, const Expansions& e,
                                        const EntryRange& entries) {
  std::vector<PosteriorPart> parts;
  for (std::size_t m = entries.first; m < entries.last; ++m) {
    const auto entry = entry_of(e, m);
    for (std::size_t k = 0; k < mixture.size(); ++k) {
      parts.push_back(part_of(mixture[k], entry, entries.particle));
      parts.back().component = k;
    }
  }
  return parts;
}

std::vector<double> log_marginals(const GaussianMixture& mixture, const Expansions& e) {
  const auto ready = prepared(mixture);
  const auto ranges = entry_ranges(e.particle);
  std::vector<double> out(ranges.size());
  parallel_for(ranges.size(), [&](std::size_t i) {
    std::vector<double> masses;
    for (const auto& part : posterior_of(ready, e, ranges[i])) masses.push_back(part.log_mass);
    out[i] = log_sum_exp(masses);
  });
  return out;
}

}  // namespace cryoscape::inference
