#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace cryoscape::density {

inline constexpr int kPadding = 2;  ///< the volume's Fourier grid is as many times finer than the images'

/// A weighted Fourier coefficient: weight · value and weight, one vector register. The fourth float is 0.
struct alignas(16) Sample {
  float real = 0, imaginary = 0, weight = 0, unused = 0;
};

/// One half-complex row of a slice: coefficients from column `begin` up to `end` lie inside the sphere.
struct RowRange {
  int begin = 0, end = 0;
};

/// A central slice of the volume's transform: the weighted coefficients of one image, its particle's centre
/// as origin. Row ky in FFT order, column kx from 0 to D/2 as in optics::rfft2.
struct Slice {
  int box = 0;  ///< D, pixels of the image
  std::array<float, 6>
      axes{};  ///< where kx and ky lie: k = kx·axes[0…2] + ky·axes[3…5]; a rotation's first rows
  std::vector<RowRange> rows;   ///< (D), see sphere_rows
  std::vector<Sample> samples;  ///< (D, D/2+1)
};

/// Columns of every row (FFT order) of a slice for which |k| < D/2. Each pair k, −k occurs once; the Nyquist
/// row and column, whose sign is unknown, do not. The same for a slice turned by any rotation.
std::vector<RowRange> sphere_rows(int box, const std::array<float, 6>& axes);

/// Σ weight · value and Σ weight on the half z ≥ 0 of a Fourier grid of kPadding · D, spread by trilinear
/// interpolation. Grid point (x, y, z) with x, y from −D−1 to D+1 stands at [(z·side + y+centre)·side +
/// x+centre].
struct Accumulator {
  explicit Accumulator(int box);

  int box;                     ///< D of the images
  int centre, side, planes;    ///< D+1, 2D+3, D+2
  std::vector<Sample> voxels;  ///< (planes, side, side)

  std::size_t index(int x, int y, int z) const {
    return (static_cast<std::size_t>(z) * side + (y + centre)) * side + (x + centre);
  }
};

/// Adds a slice, its axes turned by each of `turns` (row-major 3×3, axes ← axes · turn): what lies at first ≤
/// |z| < last is added, on planes first … last. Calls for parts with no plane in common may run at the same
/// time.
void insert_slice(Accumulator& sums, const Slice& slice, std::span<const std::array<float, 9>> turns,
                  int first, int last);

/// The same for the whole grid, sample by sample, in double precision: what insert_slice is tested against.
void insert_slice_reference(Accumulator& sums, const Slice& slice,
                            std::span<const std::array<float, 9>> turns);

/// Adds many slices, in parallel over slabs of the grid; every sum is taken in the slices' order, whatever
/// the number of threads.
void insert_slices(Accumulator& sums, std::span<const Slice* const> slices,
                   std::span<const std::array<float, 9>> turns);

/// What the samples' conjugates at z < 0 add on the plane z = 0. Once, after the last slice.
void complete(Accumulator& sums);

/// Value at a point of the completed grid, |k| < D grid steps, as a weighted sum of its eight neighbours: the
/// transpose of insertion.
Sample extract(const Accumulator& sums, const std::array<double, 3>& k);

}  // namespace cryoscape::density
