#include "cryoscape/landscape/conformation_energy.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/landscape/test_clouds.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

constexpr Eigen::Index kBeads = 40;
constexpr double kTolerance = 0.05;  ///< kT, what the landscape promises

/// A smooth map from two numbers to a molecule: about 1 and 0.5 Å per unit, bent, and turned as a whole.
Eigen::VectorXf molecule(double a, double b) {
  Philox random(17);
  const auto draw = [&] {
    Eigen::VectorXd v(3 * kBeads);
    for (double& x : v) x = random.normal();
    return v;
  };
  const Eigen::VectorXd x = 10 * draw() + 0.6 * (a + 0.2 * a * a) * draw() +
                            0.3 * (b + 0.3 * std::sin(a)) * draw() + 0.1 * a * b * draw();
  const std::vector<float> flat(x.begin(), x.end());
  const auto turned =
      geometry::transformed({geometry::rotation_from_axis_angle({0.3 * a, 0.1 * b, 0}), {a, 0, b}}, flat);
  return Eigen::Map<const Eigen::VectorXf>(turned.data(), 3 * kBeads);
}

/// Decodes the first two latents, after `place` took them to the molecule's numbers.
template <class Place>
std::function<Eigen::MatrixXf(const Points&)> decoder(const Place& place) {
  return [place](const Points& z) {
    Eigen::MatrixXf out(3 * kBeads, z.cols());
    for (Eigen::Index i = 0; i < z.cols(); ++i) {
      const Eigen::Vector2d x = place(Eigen::VectorXd(z.col(i)));
      out.col(i) = molecule(x[0], x[1]);
    }
    return out;
  };
}

Eigen::Vector2d as_it_is(const Eigen::VectorXd& z) { return z.head(2); }

const std::vector<double> kWeights{0.7, 0.3};
const std::vector<std::vector<double>> kCentres{{-1, 0.3}, {1.2, -0.4}};
const std::vector<double> kDeviations{0.5, 0.4};

/// −ln of the mixture that samples() draws from.
double mixture_energy(const Eigen::Vector2d& x) {
  double sum = 0;
  for (std::size_t k = 0; k < 2; ++k) {
    const double s = kDeviations[k];
    sum += kWeights[k] / (s * s) *
           std::exp(-0.5 * (x - Eigen::Vector2d(kCentres[k][0], kCentres[k][1])).squaredNorm() / (s * s));
  }
  return -std::log(sum);
}

Points samples(Eigen::Index count = 4000) { return gaussians(kWeights, kCentres, kDeviations, count, 9); }

template <class Energy>
std::function<Eigen::VectorXd(const Points&)> energies(const Energy& energy) {
  return [energy](const Points& z) {
    Eigen::VectorXd out(z.cols());
    for (Eigen::Index i = 0; i < z.cols(); ++i) out[i] = energy(Eigen::VectorXd(z.col(i)));
    return out;
  };
}

LatentModel plain() {
  return {energies([](const Eigen::VectorXd& z) { return mixture_energy(z.head(2)); }), decoder(as_it_is)};
}

/// U of latents less its mean.
Eigen::VectorXd relative(const ConformationEnergy& energy, const Points& latents) {
  const Eigen::VectorXd u = energy.energy(energy.coordinates(latents));
  return u.array() - u.mean();
}

Points test_points() { return samples(60); }

TEST(ConformationEnergy, IsThePriorsWhereTheDecoderIsRigidOrLinear) {
  // A linear map of z and a turn: det JᵀJ is constant, so U differs from −ln p by a constant.
  const auto linear = [](const Points& z) {
    Philox random(2);
    Eigen::MatrixXd map(3 * kBeads, 3);
    for (double& v : map.reshaped()) v = random.normal();
    Eigen::MatrixXd ones(3, z.cols());
    ones << Eigen::RowVectorXd::Constant(z.cols(), 10), z;
    const Eigen::MatrixXd x = map * ones;
    Eigen::MatrixXf out(x.rows(), x.cols());
    for (Eigen::Index i = 0; i < x.cols(); ++i) {
      const Eigen::VectorXf column = x.col(i).cast<float>();
      const auto turned =
          geometry::transformed({geometry::rotation_from_axis_angle({0, 0.5 * z(0, i), 0}), {}},
                                {column.data(), static_cast<std::size_t>(column.size())});
      out.col(i) = Eigen::Map<const Eigen::VectorXf>(turned.data(), column.size());
    }
    return out;
  };
  const ConformationEnergy energy({plain().energy, linear}, samples(), 1);
  EXPECT_EQ(energy.active(), 2);
  EXPECT_EQ(energy.effective_share(), 1);
  const auto z = test_points();
  Eigen::VectorXd expected = plain().energy(z);
  expected.array() -= expected.mean();
  // What is left: the rigid motion's share in the map changes as the molecule moves, by a part in N.
  EXPECT_LT((relative(energy, z) - expected).cwiseAbs().maxCoeff(), kTolerance);
}

TEST(ConformationEnergy, CoordinatesAndLatentsAreInverse) {
  const ConformationEnergy energy(plain(), samples(), 1);
  const auto z = test_points();
  EXPECT_LT((energy.latents(energy.coordinates(z)) - z).norm(), 1e-9);
}

TEST(ConformationEnergy, DoesNotChangeWhenLatentsAreStretched) {
  // w = φ(z) = (sinh z₁ + z₂²/4, z₂ + z₂³/3), p(w) = p(z)/|det φ′|, det φ′ = cosh z₁ (1 + z₂²).
  const auto stretch = [](const Points& z) {
    Points w = z;
    w.row(0) = z.row(0).array().sinh() + z.row(1).array().square() / 4;
    w.row(1) = z.row(1).array() + z.row(1).array().cube() / 3;
    return w;
  };
  const auto back = [](const Eigen::VectorXd& w) {
    double v = w[1];
    for (int k = 0; k < 60; ++k) v -= (v + v * v * v / 3 - w[1]) / (1 + v * v);
    return Eigen::Vector2d(std::asinh(w[0] - v * v / 4), v);
  };
  const auto stretched_energy = [&](const Eigen::VectorXd& w) {
    const auto z = back(w);
    return mixture_energy(z) + std::log(std::cosh(z[0]) * (1 + z[1] * z[1]));
  };
  const ConformationEnergy a(plain(), samples(), 1),
      b({energies(stretched_energy), decoder(back)}, stretch(samples()), 1);
  EXPECT_EQ(b.active(), 2);
  const auto z = test_points();
  EXPECT_LT((relative(a, z) - relative(b, stretch(z))).cwiseAbs().maxCoeff(), kTolerance);
  // The prior alone does change.
  const Eigen::VectorXd difference = energies(stretched_energy)(stretch(z)) - plain().energy(z);
  EXPECT_GT(difference.maxCoeff() - difference.minCoeff(), 0.5);
}

TEST(ConformationEnergy, DeadLatentsDoNotChangeIt) {
  // Four latents that move nothing, correlated with those that do and with each other, of other scales.
  Philox random(8);
  Eigen::MatrixXd pull(4, 2), root = Eigen::MatrixXd::Zero(4, 4);
  for (double& v : pull.reshaped()) v = 0.7 * random.normal();
  for (Eigen::Index i = 0; i < 4; ++i)
    for (Eigen::Index j = 0; j <= i; ++j)
      root(i, j) = i == j ? 0.5 + static_cast<double>(i) : 0.3 * random.normal();
  const auto more = [&](const Points& z) {
    Points w(6, z.cols());
    w.topRows(2) = z;
    Points noise(4, z.cols());
    for (double& v : noise.reshaped()) v = random.normal();
    w.bottomRows(4) = pull * z + root * noise;
    return w;
  };
  const auto joint = [&](const Eigen::VectorXd& w) {
    const Eigen::VectorXd e = root.triangularView<Eigen::Lower>().solve(w.tail(4) - pull * w.head(2));
    return mixture_energy(w.head(2)) + 0.5 * e.squaredNorm();
  };
  const ConformationEnergy a(plain(), samples(), 1),
      b({energies(joint), decoder(as_it_is)}, more(samples()), 1);
  ASSERT_EQ(b.active(), 2);
  EXPECT_GT(b.effective_share(), 0.8);
  const auto z = test_points();
  EXPECT_LT((relative(a, z) - relative(b, more(z))).cwiseAbs().maxCoeff(), kTolerance);
}

TEST(ConformationEnergy, SaysWhatIsWrong) {
  const LatentModel still{plain().energy,
                          decoder([](const Eigen::VectorXd&) { return Eigen::Vector2d(0, 0); })};
  EXPECT_NE(error_of([&] { ConformationEnergy(still, samples(), 1); }).find("no latent moves"),
            std::string::npos);
  EXPECT_NE(error_of([&] { ConformationEnergy(plain(), samples(19), 1); }).find("too few"),
            std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
