#include "cryoscape/structure/normal_modes.hpp"

#include <Spectra/SymEigsShiftSolver.h>
#include <Eigen/Dense>
#include <Eigen/SparseCholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cryoscape/util/error.hpp"

namespace cryoscape::structure {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::Vector3d;
using Eigen::VectorXd;
using Sparse = Eigen::SparseMatrix<double>;

constexpr double kShift = -1e-3;      ///< below all eigenvalues, which are not negative
constexpr double kFree = 1e-6;        ///< stiffness taken for none
constexpr Index kSmallestPart = 10;   ///< beads that a cut leaves on either side
constexpr int kModesOfSegments = 20;  ///< softest modes that move segments

/// (A − shift)⁻¹ x for Spectra, by a Cholesky factorisation.
class Inverse {
 public:
  using Scalar = double;
  explicit Inverse(const Sparse& matrix) : matrix_(matrix) {}
  Index rows() const { return matrix_.rows(); }
  Index cols() const { return matrix_.cols(); }
  void set_shift(double shift) {
    factor_.setShift(-shift);
    factor_.compute(matrix_);
  }
  void perform_op(const double* x, double* y) const {
    Eigen::Map<VectorXd>(y, rows()) = factor_.solve(Eigen::Map<const VectorXd>(x, rows()));
  }

 private:
  const Sparse& matrix_;
  Eigen::SimplicialLDLT<Sparse> factor_;
};

struct Eigenpairs {
  VectorXd values;   ///< ascending
  MatrixXd vectors;  ///< in columns
};

/// The smallest eigenvalues of a positive semidefinite matrix.
Eigenpairs smallest(const Sparse& matrix, Index count) {
  const auto n = matrix.rows();
  count = std::min(count, n - 1);
  Inverse inverse(matrix);
  Spectra::SymEigsShiftSolver<Inverse> solver(inverse, count, std::min(n, 2 * count + 20), kShift);
  solver.init();
  solver.compute(Spectra::SortRule::LargestMagn, 1000, 1e-10, Spectra::SortRule::SmallestAlge);
  if (solver.info() != Spectra::CompInfo::Successful)
    fail("the normal modes of the elastic network were not found in 1,000 iterations");
  return {solver.eigenvalues(), solver.eigenvectors()};
}

Vector3d position(const RestraintTopology& topology, std::int32_t i) {
  return Eigen::Map<const Eigen::Vector3f>(topology.reference.data() + 3 * i).cast<double>();
}

template <class Visit>
void for_springs(const RestraintTopology& topology, const Visit& visit) {
  for (const auto* pairs : {&topology.bonds, &topology.edges})
    for (const auto& pair : *pairs) visit(pair.i, pair.j);
}

Sparse from_entries(Index size, const std::vector<Eigen::Triplet<double>>& entries) {
  Sparse matrix(size, size);
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

/// Second derivatives (3N, 3N) of ½ Σ (d − d₀)² at the reference.
Sparse hessian(const RestraintTopology& topology) {
  std::vector<Eigen::Triplet<double>> entries;
  for_springs(topology, [&](std::int32_t i, std::int32_t j) {
    const Vector3d u = (position(topology, j) - position(topology, i)).normalized();
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) {
        const double value = u[a] * u[b];
        entries.emplace_back(3 * i + a, 3 * i + b, value);
        entries.emplace_back(3 * j + a, 3 * j + b, value);
        entries.emplace_back(3 * i + a, 3 * j + b, -value);
        entries.emplace_back(3 * j + a, 3 * i + b, -value);
      }
  });
  return from_entries(static_cast<Index>(3 * topology.beads), entries);
}

/// Orthonormal translations and rotations of the whole (3N, ≤ 6).
MatrixXd rigid_motions(const RestraintTopology& topology) {
  const auto n = static_cast<Index>(topology.beads);
  Vector3d centre = Vector3d::Zero();
  for (Index i = 0; i < n; ++i)
    centre += position(topology, static_cast<std::int32_t>(i)) / static_cast<double>(n);
  MatrixXd motions = MatrixXd::Zero(3 * n, 6);
  for (Index i = 0; i < n; ++i)
    for (int a = 0; a < 3; ++a) {
      motions(3 * i + a, a) = 1;
      motions.block<3, 1>(3 * i, 3 + a) =
          Vector3d::Unit(a).cross(position(topology, static_cast<std::int32_t>(i)) - centre);
    }
  const Eigen::ColPivHouseholderQR<MatrixXd> qr(motions);
  return qr.householderQ() * MatrixXd::Identity(3 * n, qr.rank());
}

/// What of the given modes is not rigid, orthonormal again, soft ones first.
Eigenpairs without_rigid(const RestraintTopology& topology, const Eigenpairs& modes, Index count) {
  const auto rigid = rigid_motions(topology);
  // All that costs nothing, rigid motions included, is one space: within it any basis will do.
  const MatrixXd rest = modes.vectors - rigid * (rigid.transpose() * modes.vectors);
  Eigenpairs kept{VectorXd(modes.values.size()), MatrixXd(rest.rows(), rest.cols())};
  Index found = 0;
  for (Index k = 0; k < rest.cols() && found < count; ++k) {
    VectorXd mode = rest.col(k);
    for (int twice = 0; twice < 2; ++twice)
      mode -= kept.vectors.leftCols(found) * (kept.vectors.leftCols(found).transpose() * mode);
    if (mode.norm() < 1e-3) continue;
    kept.vectors.col(found) = mode.normalized();
    kept.values[found++] = std::max(0.0, modes.values[k]);
  }
  return {kept.values.head(found), kept.vectors.leftCols(found)};
}

Eigenpairs soft_modes(const RestraintTopology& topology, const Sparse& hessian, int count) {
  if (topology.beads < 3) return {};
  return without_rigid(topology, smallest(hessian, count + 6), count);
}

Motions as_motions(const MatrixXd& directions, const Sparse& hessian) {
  Motions motions;
  motions.count = static_cast<std::size_t>(directions.cols());
  for (Index k = 0; k < directions.cols(); ++k) {
    const VectorXd u = directions.col(k);
    motions.stiffness.push_back(u.dot(hessian * u));
    for (Index i = 0; i < u.size(); ++i) motions.directions.push_back(static_cast<float>(u[i]));
  }
  return motions;
}

/// The Laplacian of the network among some beads, whose place in the list `place` gives (−1: not in it).
Sparse laplacian(const RestraintTopology& topology, const std::vector<std::int32_t>& place,
                 std::size_t size) {
  std::vector<Eigen::Triplet<double>> entries;
  for_springs(topology, [&](std::int32_t i, std::int32_t j) {
    const auto a = place[static_cast<std::size_t>(i)], b = place[static_cast<std::size_t>(j)];
    if (a < 0 || b < 0) return;
    entries.emplace_back(a, a, 1), entries.emplace_back(b, b, 1);
    entries.emplace_back(a, b, -1), entries.emplace_back(b, a, -1);
  });
  return from_entries(static_cast<Index>(size), entries);
}

/// Which beads of a part go to the other side: those beyond a threshold of the Fiedler vector, the one with
/// the fewest springs cut per bead on the smaller side.
std::vector<bool> cut(const RestraintTopology& topology, const std::vector<std::int32_t>& part) {
  std::vector<std::int32_t> place(topology.beads, -1);
  for (std::size_t k = 0; k < part.size(); ++k)
    place[static_cast<std::size_t>(part[k])] = static_cast<std::int32_t>(k);
  const auto springs = laplacian(topology, place, part.size());
  auto vectors = smallest(springs, 2).vectors;
  vectors.rowwise() -= vectors.colwise().mean();  // what is left of the constant vector, which splits nothing
  const VectorXd fiedler = vectors.col(vectors.col(0).norm() > vectors.col(1).norm() ? 0 : 1);
  std::vector<Index> order(part.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return fiedler[a] > fiedler[b]; });
  std::vector<bool> other(part.size(), false), best;
  const auto size = static_cast<Index>(part.size());
  double between = 0, least = std::numeric_limits<double>::infinity();
  Index moved = 0;
  for (const auto bead : order) {
    if (++moved > size - kSmallestPart) break;
    between += springs.coeff(bead, bead);
    for (Sparse::InnerIterator spring(springs, bead); spring; ++spring)
      if (other[static_cast<std::size_t>(spring.row())]) between += 2 * spring.value();
    other[static_cast<std::size_t>(bead)] = true;
    const double cost = between / static_cast<double>(std::min(moved, size - moved));
    if (moved >= kSmallestPart && cost < least) least = cost, best = other;
  }
  return best;
}

}  // namespace

Motions normal_modes(const RestraintTopology& topology, int count) {
  const auto network = hessian(topology);
  return as_motions(soft_modes(topology, network, count).vectors, network);
}

std::vector<std::int32_t> segments(const RestraintTopology& topology, int count) {
  std::vector<std::int32_t> segment(topology.beads, 0);
  for (std::int32_t made = 1; made < count; ++made) {
    std::vector<std::vector<std::int32_t>> parts(static_cast<std::size_t>(made));
    for (std::size_t i = 0; i < segment.size(); ++i)
      parts[static_cast<std::size_t>(segment[i])].push_back(static_cast<std::int32_t>(i));
    const auto& largest =
        *std::max_element(parts.begin(), parts.end(), [](auto& a, auto& b) { return a.size() < b.size(); });
    if (static_cast<Index>(largest.size()) < 2 * kSmallestPart) break;
    const auto other = cut(topology, largest);
    for (std::size_t k = 0; k < largest.size(); ++k)
      if (other[k]) segment[static_cast<std::size_t>(largest[k])] = made;
  }
  return segment;
}

Motions segment_motions(const RestraintTopology& topology, int count) {
  const auto network = hessian(topology);
  const auto modes = soft_modes(topology, network, kModesOfSegments);
  const VectorXd amplitude = modes.values.cwiseMax(kFree).cwiseInverse().cwiseSqrt();
  const auto segment = segments(topology, count);
  const auto made = modes.values.size() > 0 ? *std::max_element(segment.begin(), segment.end()) + 1 : 0;
  MatrixXd directions(modes.vectors.rows(), made);
  for (std::int32_t s = 0; s < made; ++s) {
    MatrixXd moved = modes.vectors * amplitude.asDiagonal();
    for (std::size_t i = 0; i < segment.size(); ++i)
      if (segment[i] != s) moved.middleRows(static_cast<Index>(3 * i), 3).setZero();
    const Eigen::SelfAdjointEigenSolver<MatrixXd> covariance(moved.transpose() * moved);
    directions.col(s) = (moved * covariance.eigenvectors().rightCols(1)).normalized();
  }
  return as_motions(directions, network);
}

}  // namespace cryoscape::structure
