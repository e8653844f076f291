#include "cryoscape/inference/informed.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>

#include <cmath>

#include "cryoscape/inference/mixture_fit.hpp"
#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::inference {
namespace {

GaussianComponent standard(Eigen::Index d) {
  return {1, Eigen::VectorXd::Zero(d), Eigen::MatrixXd::Identity(d, d)};
}

/// Particles that know their first latent to 0.3, and of the second next to nothing, but all the same.
Expansions with_a_common_slope(std::size_t count) {
  Expansions e;
  e.dim = 2;
  Philox random(5);
  for (std::size_t i = 0; i < count; ++i) {
    e.particle.push_back(static_cast<std::uint32_t>(i));
    const double z = random.normal() + 0.3 * random.normal();
    e.point.insert(e.point.end(), {static_cast<float>(z), 0.0f});
    e.score.insert(e.score.end(), {0.0f, 0.02f});
    e.information.insert(e.information.end(), {1 / 0.09f, 0, 0, 0.001f});
    e.log_ratio.push_back(0), e.mass.push_back(1);
  }
  return e;
}

TEST(InformedPart, KeepsFitsFromFollowingSlopesThatNoParticleKnowsOf) {
  const auto e = with_a_common_slope(2000);
  const auto free = deconvolve(e, {}, {standard(2)}, {}).mixture.at(0);
  EXPECT_GT(free.mean[1], 3);  // 0.02 over 0.001 is 20 standard deviations away
  const auto fitted = deconvolve(informed_part(e, standard(2)), {}, {standard(2)}, {}).mixture.at(0);
  EXPECT_NEAR(fitted.mean[1], 0, 1e-6);
  EXPECT_NEAR(fitted.covariance(1, 1), 1, 1e-6);
  // The other direction is fitted as before: variance 1, to its error of √(2/2000) · (1 + 0.09).
  EXPECT_NEAR(fitted.covariance(0, 0), free.covariance(0, 0), 1e-3);
  EXPECT_NEAR(fitted.covariance(0, 0), 1, 4 * 0.035);
}

TEST(InformedPart, IsTheSameInAnyCoordinates) {
  // z' = T z: scores turn with T⁻ᵀ, information with T⁻ᵀ F T⁻¹.
  const auto e = with_a_common_slope(50);
  Eigen::Matrix2d t;
  t << 2, 0.7, -0.3, 0.5;
  const Eigen::Matrix2d inverse = t.inverse();
  auto moved = e;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const Eigen::Vector2d s(e.score[2 * i], e.score[2 * i + 1]);
    Eigen::Matrix2d f;
    f << e.information[4 * i], e.information[4 * i + 1], e.information[4 * i + 2], e.information[4 * i + 3];
    const Eigen::Vector2d s2 = inverse.transpose() * s;
    const Eigen::Matrix2d f2 = inverse.transpose() * f * inverse;
    for (int a = 0; a < 2; ++a) {
      moved.score[2 * i + a] = static_cast<float>(s2[a]);
      for (int b = 0; b < 2; ++b) moved.information[4 * i + 2 * a + b] = static_cast<float>(f2(a, b));
    }
  }
  const auto plain = informed_part(e, standard(2));
  const auto other = informed_part(moved, {1, Eigen::Vector2d::Zero(), t * t.transpose()});
  for (std::size_t i = 0; i < e.size(); ++i) {
    const Eigen::Vector2d s2(other.score[2 * i], other.score[2 * i + 1]);
    const Eigen::Vector2d back = t.transpose() * s2;
    EXPECT_NEAR(back[0], plain.score[2 * i], 1e-4);
    EXPECT_NEAR(back[1], plain.score[2 * i + 1], 1e-4);
  }
}

TEST(Along, InformedDirectionsFitsAreTheSame) {
  // Two of four latents are known, in turned coordinates and correlated with the others.
  auto wells = three_wells(4);
  Eigen::Matrix4d turn;
  turn << 1, 0.2, 0, 0.4, 0, 1, 0.3, 0, 0.5, 0, 1, 0, 0.1, 0, 0.2, 1;
  const auto plain = measured_particles(wells, 800, 2, 0.2, 7);
  auto e = plain;
  const Eigen::Matrix4d back = turn.inverse();
  for (std::size_t m = 0; m < e.size(); ++m) {
    const auto turned = [&](std::vector<float>& values, const Eigen::Matrix4d& by) {
      Eigen::Map<Eigen::Vector4f> v(values.data() + 4 * m);
      v = (by * v.cast<double>()).cast<float>().eval();
    };
    turned(e.point, turn), turned(e.score, back.transpose());
    Eigen::Map<Eigen::Matrix4f> f(e.information.data() + 16 * m);
    f = (back.transpose() * f.cast<double>() * back).cast<float>().eval();
  }
  const auto start = mapped(wells, turn);
  const auto directions = informed_directions(e);
  ASSERT_EQ(directions.rows(), 2);
  // As many steps of both.
  const EmLimits limits{8, -1};
  const auto whole = deconvolve(e, {}, start, limits).mixture;
  const auto fitted = deconvolve(along(e, directions), {}, mapped(start, directions), limits).mixture;
  const auto again = lifted(start, directions, fitted);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(again[k].weight, whole[k].weight, 1e-4);  // float32 likelihoods
    EXPECT_LT((again[k].mean - whole[k].mean).norm(), 1e-3);
    EXPECT_LT((again[k].covariance - whole[k].covariance).norm(), 1e-3);
  }
}

TEST(InformedDirections, OfNoInformationAreOne) {
  Expansions e{2, {0}, {0, 0}, {0, 0}, {0, 0, 0, 0}, {0}, {1}};
  EXPECT_EQ(informed_directions(e).rows(), 1);
}

}  // namespace
}  // namespace cryoscape::inference
