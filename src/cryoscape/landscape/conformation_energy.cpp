#include "cryoscape/landscape/conformation_energy.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/landscape/selection.hpp"
#include "cryoscape/landscape/states.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::landscape {
namespace {

constexpr double kLeastMotion = 0.05;  ///< Å per standard deviation
constexpr double kFold = 0.01;         ///< Å per standard deviation, the least that counts in the volume
constexpr double kStep = 0.02;         ///< of differences: standard deviations, and Å
constexpr std::size_t kMetricSamples = 200, kMostFitted = 2000, kMostGaussians = 4;
constexpr Eigen::Index kDraws = 32;  ///< of idle directions, in pairs ± ε, per Gaussian
constexpr Eigen::Index kShareSamples = 50;
constexpr double kLeastShare = 1e-2;  ///< of a Gaussian at a point, to be drawn from
constexpr Eigen::Index kFewestSamplesPerLatent = 10;

/// Orthonormal directions (3N, 6) of rigid motion of a structure; fewer where it is a line.
Eigen::MatrixXd rigid_directions(const Eigen::VectorXd& x) {
  const auto beads = x.size() / 3;
  const Eigen::Map<const Eigen::Matrix3Xd> points(x.data(), 3, beads);
  const Eigen::Matrix3Xd centred = points.colwise() - points.rowwise().mean();
  Eigen::MatrixXd out(x.size(), 6);
  for (Eigen::Index n = 0; n < beads; ++n)
    for (int k = 0; k < 3; ++k) {
      out.block<3, 1>(3 * n, k) = Eigen::Vector3d::Unit(k);
      out.block<3, 1>(3 * n, 3 + k) = Eigen::Vector3d::Unit(k).cross(centred.col(n));
    }
  const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(out);
  return qr.householderQ() * Eigen::MatrixXd::Identity(x.size(), qr.rank());
}

/// JᵀJ (n, n) in Å² per squared unit, from structures (3N, 2 n) at x ± step along n directions, without rigid
/// motion.
Eigen::MatrixXd internal_metric(const Eigen::Ref<const Eigen::MatrixXf>& ends, const Eigen::VectorXd& steps) {
  const Eigen::MatrixXd x = ends.cast<double>();
  Eigen::MatrixXd jacobian(x.rows(), steps.size());
  for (Eigen::Index a = 0; a < steps.size(); ++a)
    jacobian.col(a) = (x.col(2 * a) - x.col(2 * a + 1)) / (2 * steps[a]);
  const Eigen::MatrixXd rigid = rigid_directions(x.rowwise().mean());
  jacobian -= rigid * (rigid.transpose() * jacobian);
  return jacobian.transpose() * jacobian / (static_cast<double>(x.rows()) / 3);
}

/// Points at ± steps along the axes: (n, 2 n M), those of a point together.
Points around(const Points& points, const Eigen::VectorXd& steps) {
  Points out(points.rows(), 2 * steps.size() * points.cols());
  for (Eigen::Index i = 0, column = 0; i < points.cols(); ++i)
    for (Eigen::Index a = 0; a < steps.size(); ++a)
      for (const double sign : {1.0, -1.0}) {
        out.col(column) = points.col(i);
        out(a, column++) += sign * steps[a];
      }
  return out;
}

/// JᵀJ at every point, from `decode` at the points around it; memory holds a few points' structures.
template <class Decode>
std::vector<Eigen::MatrixXd> metrics_at(const Decode& decode, const Points& points,
                                        const Eigen::VectorXd& steps) {
  constexpr Eigen::Index kBatch = 64;
  std::vector<Eigen::MatrixXd> out(static_cast<std::size_t>(points.cols()));
  for (Eigen::Index begin = 0; begin < points.cols(); begin += kBatch) {
    const auto count = std::min(kBatch, points.cols() - begin);
    const Eigen::MatrixXf ends = decode(around(points.middleCols(begin, count), steps));
    parallel_for(static_cast<std::size_t>(count), [&](std::size_t i) {
      const auto width = 2 * steps.size();
      out[static_cast<std::size_t>(begin) + i] =
          internal_metric(ends.middleCols(static_cast<Eigen::Index>(i) * width, width), steps);
    });
  }
  return out;
}

Points columns_of(const Points& points, std::size_t most, std::uint64_t seed) {
  return points(Eigen::all, random_subset(static_cast<std::size_t>(points.cols()), most, seed));
}

/// ln Σ e^v, of the columns.
double log_sum(const Eigen::Ref<const Eigen::VectorXd>& v) {
  const double top = v.maxCoeff();
  return top + std::log((v.array() - top).exp().sum());
}

}  // namespace

ConformationEnergy::ConformationEnergy(LatentModel model, const Points& samples, std::uint64_t seed)
    : model_(std::move(model)), mean_(samples.rowwise().mean()) {
  if (samples.cols() < kFewestSamplesPerLatent * samples.rows())
    fail("{} samples of the prior are too few for {} latents", samples.cols(), samples.rows());
  const Points centred = samples.colwise() - mean_;
  const Eigen::MatrixXd covariance = centred * centred.transpose() / static_cast<double>(samples.cols() - 1);
  root_ = covariance.llt().matrixL();
  unit_ =
      root_.triangularView<Eigen::Lower>().solve(Eigen::MatrixXd::Identity(samples.rows(), samples.rows()));
  const Points unit = unit_ * centred;
  find_active(columns_of(unit, kMetricSamples, seed));
  fit_idle(columns_of(unit, kMostFitted, seed), seed);
}

void ConformationEnergy::find_active(const Points& unit) {
  const auto decode = [&](const Points& u) { return model_.decode((root_ * u).colwise() + mean_); };
  const Eigen::VectorXd steps = Eigen::VectorXd::Constant(unit.rows(), kStep);
  Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(unit.rows(), unit.rows());
  for (const auto& g : metrics_at(decode, unit, steps)) mean += g / static_cast<double>(unit.cols());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(mean);
  motion_ = eigen.eigenvalues().reverse().cwiseMax(0).cwiseSqrt();
  const auto active = (motion_.array() > kLeastMotion).count();
  if (active == 0)
    fail("no latent moves the molecule: the largest motion per standard deviation is {:.3f} A", motion_[0]);
  const Eigen::MatrixXd vectors = eigen.eigenvectors().rowwise().reverse();
  basis_ = vectors.leftCols(active);
  idle_ = vectors.rightCols(vectors.cols() - active);
  scale_ = motion_.head(active);
}

void ConformationEnergy::fit_idle(const Points& unit, std::uint64_t seed) {
  effective_share_ = 1;
  const auto m = basis_.cols(), idle = idle_.cols();
  if (idle == 0) return;
  Points both(m + idle, unit.cols());
  both.topRows(m) = basis_.transpose() * unit;
  both.bottomRows(idle) = idle_.transpose() * unit;
  for (const auto& g : select_mixture(both, "bic", kMostGaussians, seed).mixture) {
    Conditional c;
    c.log_weight = std::log(g.weight);
    c.centre = g.mean.head(m), c.mean = g.mean.tail(idle);
    const Eigen::MatrixXd aa = g.covariance.topLeftCorner(m, m), ba = g.covariance.bottomLeftCorner(idle, m);
    const Eigen::LLT<Eigen::MatrixXd> llt(aa);
    c.precision = llt.solve(Eigen::MatrixXd::Identity(m, m));
    c.slope = ba * c.precision;
    c.root = (g.covariance.bottomRightCorner(idle, idle) - c.slope * ba.transpose()).llt().matrixL();
    const Eigen::MatrixXd lower = llt.matrixL();
    c.log_norm =
        -lower.diagonal().array().log().sum() - 0.5 * static_cast<double>(m) * std::log(2 * std::numbers::pi);
    c.log_root = c.root.diagonal().array().log().sum();
    conditionals_.push_back(std::move(c));
  }
  noise_.resize(idle, kDraws);
  Philox random(seed, 31);
  for (Eigen::Index s = 0; s < kDraws; s += 2) {
    for (Eigen::Index b = 0; b < idle; ++b) noise_(b, s) = random.normal();
    noise_.col(s + 1) = -noise_.col(s);
  }
  const Points some = scale_.asDiagonal() * both.topRows(m).leftCols(std::min(kShareSamples, unit.cols()));
  marginal_energy(some, &effective_share_);
}

Points ConformationEnergy::coordinates(const Points& latents) const {
  return directions() * (latents.colwise() - mean_);
}

Eigen::MatrixXd ConformationEnergy::log_shares(const Points& a) const {
  Eigen::MatrixXd out(static_cast<Eigen::Index>(conditionals_.size()), a.cols());
  for (Eigen::Index i = 0; i < a.cols(); ++i) {
    for (Eigen::Index k = 0; k < out.rows(); ++k) {
      const auto& c = conditionals_[static_cast<std::size_t>(k)];
      const Eigen::VectorXd x = a.col(i) - c.centre;
      out(k, i) = c.log_weight + c.log_norm - 0.5 * x.dot(c.precision * x);
    }
    out.col(i).array() -= log_sum(out.col(i));
  }
  return out;
}

Points ConformationEnergy::latents(const Points& coordinates) const {
  const Points a = scale_.cwiseInverse().asDiagonal() * coordinates;
  Points unit = basis_ * a;
  if (!conditionals_.empty()) {
    const Eigen::MatrixXd share = log_shares(a).array().exp();
    Points idle = Points::Zero(idle_.cols(), a.cols());
    for (std::size_t k = 0; k < conditionals_.size(); ++k) {
      const auto& c = conditionals_[k];
      const Points mean = (c.slope * (a.colwise() - c.centre)).colwise() + c.mean;
      idle += mean * share.row(static_cast<Eigen::Index>(k)).asDiagonal();
    }
    unit += idle_ * idle;
  }
  return (root_ * unit).colwise() + mean_;
}

Eigen::VectorXd ConformationEnergy::marginal_energy(const Points& coordinates, double* effective) const {
  if (conditionals_.empty()) return model_.energy(latents(coordinates));
  const Points a = scale_.cwiseInverse().asDiagonal() * coordinates;
  const Eigen::MatrixXd shares = log_shares(a);
  // Draws of every Gaussian that counts at a point, weighted by its share, ascending in points.
  struct Block {
    Eigen::Index point, gaussian;
  };
  std::vector<Block> blocks;
  for (Eigen::Index i = 0; i < a.cols(); ++i)
    for (Eigen::Index k = 0; k < shares.rows(); ++k)
      if (shares(k, i) > std::log(kLeastShare)) blocks.push_back({i, k});
  const auto draws = noise_.cols(), count = static_cast<Eigen::Index>(blocks.size());
  Points idle(idle_.cols(), count * draws), unit(idle_.rows(), count * draws);
  parallel_for(blocks.size(), [&](std::size_t n) {
    const auto [i, k] = blocks[n];
    const auto& c = conditionals_[static_cast<std::size_t>(k)];
    const auto first = static_cast<Eigen::Index>(n) * draws;
    idle.middleCols(first, draws) =
        (c.root * noise_).colwise() + (c.mean + c.slope * (a.col(i) - c.centre)).eval();
    unit.middleCols(first, draws) =
        (idle_ * idle.middleCols(first, draws)).colwise() + (basis_ * a.col(i)).eval();
  });
  const Eigen::VectorXd energy = model_.energy((root_ * unit).colwise() + mean_);

  // ln of weight p(a, b)/q(b | a) of each draw, and of the share that its Gaussian has in them.
  Eigen::VectorXd weight(energy.size());
  parallel_for(blocks.size(), [&](std::size_t n) {
    const auto i = blocks[n].point;
    std::vector<Eigen::VectorXd> centre;
    for (const auto& c : conditionals_) centre.push_back(c.mean + c.slope * (a.col(i) - c.centre));
    for (auto s = static_cast<Eigen::Index>(n) * draws; s < static_cast<Eigen::Index>(n + 1) * draws; ++s) {
      Eigen::VectorXd terms(shares.rows());
      for (Eigen::Index k = 0; k < shares.rows(); ++k) {
        const auto& c = conditionals_[static_cast<std::size_t>(k)];
        const Eigen::VectorXd e =
            c.root.triangularView<Eigen::Lower>().solve(idle.col(s) - centre[static_cast<std::size_t>(k)]);
        terms[k] = shares(k, i) - c.log_root - 0.5 * e.squaredNorm();
      }
      weight[s] = -energy[s] - log_sum(terms);
    }
  });
  Eigen::VectorXd out(a.cols());
  double share = 0;
  for (std::size_t n = 0; n < blocks.size();) {
    const auto i = blocks[n].point;
    const auto begin = static_cast<Eigen::Index>(n) * draws;
    std::size_t end = n;
    for (; end < blocks.size() && blocks[end].point == i; ++end)
      weight.segment(static_cast<Eigen::Index>(end) * draws, draws).array() +=
          shares(blocks[end].gaussian, i) - std::log(static_cast<double>(draws));
    const auto own = weight.segment(begin, static_cast<Eigen::Index>(end - n) * draws);
    const double total = log_sum(own);
    out[i] = -total;
    share += std::exp(-log_sum(2 * (own.array() - total).matrix())) / static_cast<double>(own.size());
    n = end;
  }
  if (effective) *effective = share / static_cast<double>(a.cols());
  return out;
}

Eigen::VectorXd ConformationEnergy::volume_term(const Points& coordinates) const {
  const auto decode = [&](const Points& a) { return structures(a); };
  const Eigen::VectorXd steps = Eigen::VectorXd::Constant(active(), kStep);
  const auto metric = metrics_at(decode, coordinates, steps);
  Eigen::VectorXd out(coordinates.cols());
  for (Eigen::Index i = 0; i < out.size(); ++i) {
    Eigen::MatrixXd g = metric[static_cast<std::size_t>(i)];
    // Per squared standard deviation; coordinates are in Å.
    g.diagonal().array() += (kFold / scale_.array()).square();
    const Eigen::MatrixXd lower = g.llt().matrixL();
    out[i] = lower.diagonal().array().log().sum();
  }
  return out;
}

Eigen::VectorXd ConformationEnergy::energy(const Points& coordinates) const {
  return marginal_energy(coordinates, nullptr) + volume_term(coordinates);
}

}  // namespace cryoscape::landscape
