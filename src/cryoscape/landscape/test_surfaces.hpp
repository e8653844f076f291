#pragma once
#include <array>
#include <cmath>

#include "cryoscape/landscape/surface.hpp"
#include "cryoscape/util/random.hpp"

/// For this room's tests: energies whose minima and saddles are known.
namespace cryoscape::landscape {

/// An energy of one point as a surface whose coordinates are positions in Å.
template <class Energy>
Surface flat_surface(Eigen::Index dim, const Energy& energy) {
  return {dim,
          [energy](const Points& points) {
            Eigen::VectorXd out(points.cols());
            for (Eigen::Index i = 0; i < points.cols(); ++i) out[i] = energy(Eigen::VectorXd(points.col(i)));
            return out;
          },
          [](const Points& points) { return points; }, 1e-4};
}

inline constexpr double kMuellerScale = 10;  ///< its own energies per kT here

/// Müller and Brown, Theor. Chim. Acta 1979.
inline double mueller_brown(const Eigen::VectorXd& x) {
  constexpr std::array kHeight{-200.0, -100.0, -170.0, 15.0}, a{-1.0, -1.0, -6.5, 0.7},
      b{0.0, 0.0, 11.0, 0.6}, c{-10.0, -10.0, -6.5, 0.7}, kX{1.0, 0.0, -0.5, -1.0}, kY{0.0, 0.5, 1.5, 1.0};
  double sum = 0;
  for (std::size_t k = 0; k < 4; ++k) {
    const double u = x[0] - kX[k], v = x[1] - kY[k];
    sum += kHeight[k] * std::exp(a[k] * u * u + b[k] * u * v + c[k] * v * v);
  }
  return sum / kMuellerScale;
}

/// Known stationary points of Müller and Brown's energy, by their own scale.
struct Stationary {
  double x, y, energy;
};
inline constexpr Stationary kMuellerMinima[] = {
    {-0.558224, 1.441726, -146.699517}, {0.623499, 0.028038, -108.166724}, {-0.050011, 0.466694, -80.767818}};
inline constexpr Stationary kMuellerSaddles[] = {{0.212487, 0.292988, -72.248940},
                                                 {-0.822002, 0.624313, -40.664844}};

/// Points of a grid over the basins of Müller and Brown's energy, as samples that cover it.
inline Points mueller_samples() {
  Philox random(21);
  Points out(2, 1500);
  for (Eigen::Index i = 0; i < out.cols(); ++i) {
    Eigen::VectorXd x(2);
    do {
      x << -1.5 + 2.7 * random.uniform(), -0.3 + 2.3 * random.uniform();
    } while (mueller_brown(x) > 0);
    out.col(i) = x;
  }
  return out;
}

}  // namespace cryoscape::landscape
