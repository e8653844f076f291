#include "cryoscape/density/accumulator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "cryoscape/density/test_particles.hpp"
#include "cryoscape/geometry/symmetry.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 24;
const std::vector<std::array<float, 9>> kNoTurn{{1, 0, 0, 0, 1, 0, 0, 0, 1}};

std::vector<std::array<float, 9>> turns(const std::string& symbol) {
  std::vector<std::array<float, 9>> out;
  for (const auto& r : geometry::point_group(symbol))
    std::copy(r.begin(), r.end(), out.emplace_back().begin());
  return out;
}

Slice random_slice(const std::array<float, 6>& axes, Philox& random) {
  Slice s;
  s.box = kBox, s.axes = axes, s.rows = sphere_rows(kBox, axes);
  s.samples.resize(optics::half_size(kBox));
  for (auto& v : s.samples)
    v = {static_cast<float>(random.normal()), static_cast<float>(random.normal()),
         static_cast<float>(random.uniform()), 0};
  return s;
}

/// Slices of random views, of views along the axes, whose rows have one height, and of a magnified image.
std::vector<Slice> slices() {
  Philox random(3);
  std::vector<Slice> out;
  for (int i = 0; i < 6; ++i) {
    const auto r = random_turn(random);
    out.push_back(random_slice({r[0], r[1], r[2], r[3], r[4], r[5]}, random));
  }
  for (const auto& axes : {std::array<float, 6>{1, 0, 0, 0, 1, 0},
                           {0, 0, 1, 0, 1, 0},
                           {0, -1, 0, 0, 0, -1},
                           {0.9f, 0.1f, 0.2f, 0.1f, -1.05f, 0.1f}})
    out.push_back(random_slice(axes, random));
  return out;
}

double largest_difference(const Accumulator& a, const Accumulator& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.voxels.size(); ++i) {
    const auto &x = a.voxels[i], &y = b.voxels[i];
    for (const float d : {x.real - y.real, x.imaginary - y.imaginary, x.weight - y.weight})
      largest = std::max(largest, std::abs(double{d}));
  }
  return largest;
}

}  // namespace

TEST(SphereRows, HoldEveryPairInsideOnce) {
  for (const auto& axes : {std::array<float, 6>{1, 0, 0, 0, 1, 0}, {0.9f, 0.1f, 0.2f, 0.1f, -1.05f, 0.1f}}) {
    const auto rows = sphere_rows(kBox, axes);
    std::set<std::pair<int, int>> found;
    for (int row = 0; row < kBox; ++row)
      for (int kx = rows[row].begin; kx < rows[row].end; ++kx)
        EXPECT_TRUE(found.insert({kx, optics::row_frequency(row, kBox)}).second);
    for (int ky = -kBox / 2 + 1; ky < kBox / 2; ++ky)
      for (int kx = -kBox / 2 + 1; kx < kBox / 2; ++kx) {
        double square = 0;
        for (int c = 0; c < 3; ++c) square += std::pow(kx * axes[c] + ky * axes[3 + c], 2);
        const bool inside = std::sqrt(square) < kBox / 2 - 1e-3;
        const auto times = found.count({kx, ky}) + (kx || ky ? found.count({-kx, -ky}) : 0);
        EXPECT_EQ(times, inside ? 1u : 0u) << kx << " " << ky;
      }
  }
}

TEST(InsertSlice, AgreesWithTheReference) {
  for (const auto& group : {kNoTurn, turns("C4"), turns("D2"), turns("T")}) {
    Accumulator fast(kBox), plain(kBox);
    for (const auto& s : slices()) {
      insert_slice(fast, s, group, 0, fast.planes - 1);
      insert_slice_reference(plain, s, group);
    }
    // Positions of up to 50 steps are known to 4e-6, sums reach some tens.
    EXPECT_LT(largest_difference(fast, plain), 3e-4);
  }
}

TEST(InsertSlices, SlabsAndThreadsChangeNothing) {
  const auto all = slices();
  std::vector<const Slice*> pointers;
  for (const auto& s : all) pointers.push_back(&s);
  const int before = thread_count();
  Accumulator whole(kBox), one(kBox), three(kBox);
  for (const auto& s : all) insert_slice(whole, s, turns("C3"), 0, whole.planes - 1);
  set_thread_count(1);
  insert_slices(one, pointers, turns("C3"));
  set_thread_count(3);
  insert_slices(three, pointers, turns("C3"));
  set_thread_count(before);
  EXPECT_EQ(largest_difference(one, three), 0);
  EXPECT_LT(largest_difference(one, whole), 3e-4);
}

TEST(InsertSlice, IsTheTransposeOfExtraction) {
  // Over the whole grid, both halves: Σ insert(v)·g = Σ v·extract(g) + its conjugate pair = 2 Σ v·extract(g).
  Philox random(5);
  Accumulator grid(kBox), sums(kBox);
  for (auto& v : grid.voxels)
    v = {static_cast<float>(random.normal()), static_cast<float>(random.normal()),
         static_cast<float>(random.normal()), 0};
  complete(grid);
  double left = 0, left_weight = 0, right = 0, right_weight = 0;
  for (const auto& s : slices()) {
    insert_slice(sums, s, kNoTurn, 0, sums.planes - 1);
    for (int row = 0; row < kBox; ++row)
      for (int kx = s.rows[row].begin; kx < s.rows[row].end; ++kx) {
        std::array<double, 3> k;
        for (int c = 0; c < 3; ++c)
          k[c] =
              kPadding * (kx * double{s.axes[c]} + optics::row_frequency(row, kBox) * double{s.axes[3 + c]});
        const auto g = extract(grid, k);
        const auto& v = s.samples[row * (kBox / 2 + 1) + kx];
        right += 2 * (double{v.real} * g.real + double{v.imaginary} * g.imaginary);
        right_weight += 2 * double{v.weight} * g.weight;
      }
  }
  complete(sums);
  for (int z = 0; z < sums.planes; ++z)
    for (int y = -sums.centre; y <= sums.centre; ++y)
      for (int x = -sums.centre; x <= sums.centre; ++x) {
        const auto &a = sums.voxels[sums.index(x, y, z)], &b = grid.voxels[sums.index(x, y, z)];
        const double pairs = z == 0 ? 1 : 2;
        left += pairs * (double{a.real} * b.real + double{a.imaginary} * b.imaginary);
        left_weight += pairs * double{a.weight} * b.weight;
      }
  EXPECT_NEAR(left, right, 1e-4 * std::abs(right));
  EXPECT_NEAR(left_weight, right_weight, 1e-4 * std::abs(right_weight));
}
