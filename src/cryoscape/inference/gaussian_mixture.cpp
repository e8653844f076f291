#include "cryoscape/inference/gaussian_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "cryoscape/util/error.hpp"

namespace cryoscape::inference {

GaussianComponent moments_of(const GaussianMixture& mixture) {
  const auto d = mixture.at(0).mean.size();
  GaussianComponent whole{0, Eigen::VectorXd::Zero(d), Eigen::MatrixXd::Zero(d, d)};
  for (const auto& c : mixture) whole.weight += c.weight, whole.mean += c.weight * c.mean;
  whole.mean /= whole.weight;
  for (const auto& c : mixture) {
    const Eigen::VectorXd offset = c.mean - whole.mean;
    whole.covariance += c.weight / whole.weight * (c.covariance + offset * offset.transpose());
  }
  return whole;
}

GaussianMixture broadened(const GaussianMixture& mixture, double share, double widening) {
  auto broad = moments_of(mixture);
  auto out = mixture;
  for (auto& c : out) c.weight *= (1 - share) / broad.weight;
  broad.weight = share, broad.covariance *= widening;
  out.push_back(broad);
  return out;
}

GaussianMixture mapped(const GaussianMixture& mixture, const Eigen::MatrixXd& map) {
  GaussianMixture out;
  for (const auto& c : mixture) out.push_back({c.weight, map * c.mean, map * c.covariance * map.transpose()});
  return out;
}

GaussianMixture lifted(const GaussianMixture& mixture, const Eigen::MatrixXd& map,
                       const GaussianMixture& marginal) {
  GaussianMixture out;
  for (std::size_t k = 0; k < mixture.size(); ++k) {
    const auto &c = mixture[k], &m = marginal.at(k);
    const Eigen::MatrixXd seen = map * c.covariance * map.transpose();
    const Eigen::MatrixXd slope = seen.llt().solve(map * c.covariance).transpose();  // of z on A z
    out.push_back({m.weight, c.mean + slope * (m.mean - map * c.mean),
                   c.covariance + slope * (m.covariance - seen) * slope.transpose()});
  }
  return out;
}

std::vector<PreparedComponent> prepared(const GaussianMixture& mixture) {
  std::vector<PreparedComponent> out;
  for (const auto& c : mixture) {
    const Eigen::LLT<Eigen::MatrixXd> llt(c.covariance);
    if (llt.info() != Eigen::Success) fail("a component's covariance is not positive definite");
    const auto d = c.mean.size();
    PreparedComponent p;
    p.log_weight = std::log(c.weight), p.mean = c.mean, p.root = llt.matrixL();
    p.precision = llt.solve(Eigen::MatrixXd::Identity(d, d));
    p.log_det_precision = -2 * p.root.diagonal().array().log().sum();
    out.push_back(std::move(p));
  }
  return out;
}

double log_density(const std::vector<PreparedComponent>& mixture, const Eigen::VectorXd& z) {
  std::vector<double> terms;
  for (const auto& c : mixture) {
    const Eigen::VectorXd offset = z - c.mean;
    terms.push_back(c.log_weight + 0.5 * (c.log_det_precision - offset.dot(c.precision * offset)));
  }
  return log_sum_exp(terms) - 0.5 * static_cast<double>(z.size()) * std::log(2 * std::numbers::pi);
}

Eigen::VectorXd draw(const std::vector<PreparedComponent>& mixture, Philox& random) {
  double u = random.uniform();
  std::size_t k = 0;
  while (k + 1 < mixture.size() && u >= std::exp(mixture[k].log_weight))
    u -= std::exp(mixture[k++].log_weight);
  Eigen::VectorXd noise(mixture[k].mean.size());
  for (auto& x : noise) x = random.normal();
  return mixture[k].mean + mixture[k].root.triangularView<Eigen::Lower>() * noise;
}

double log_sum_exp(const std::vector<double>& x) {
  if (x.empty()) return -std::numeric_limits<double>::infinity();
  const double top = *std::max_element(x.begin(), x.end());
  if (!std::isfinite(top)) return top;
  double sum = 0;
  for (const double v : x) sum += std::exp(v - top);
  return top + std::log(sum);
}

}  // namespace cryoscape::inference
